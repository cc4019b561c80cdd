#ifndef TOKENDB_SRC_INDEX_SCOPE_DICTIONARY_H_
#define TOKENDB_SRC_INDEX_SCOPE_DICTIONARY_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "src/index/cover.h"
#include "src/storage/store.h"

namespace tokendb {

// Numbers for scopes, from 1 up, given once and never changed or taken back.
// Rows: "scope/" be32 -> text, in the meta family. Held in memory whole.
//
// A new row is committed before any entry that uses its number: both are in
// one log, so that a crash keeps the row wherever it keeps the entry.
//
// Thread-safe.
class ScopeDictionary {
 public:
  // Reads the rows of `store`, which must outlive the dictionary. DataLoss if
  // a number is missing or given twice.
  static absl::StatusOr<std::unique_ptr<ScopeDictionary>> Load(Store& store);

  // Returns the sorted numbers of `scopes`, unknown ones of which get new rows.
  absl::StatusOr<ScopeNumbers> NumbersOf(absl::Span<const std::string> scopes);

  // Returns the number of `scope`, or nothing.
  std::optional<uint32_t> NumberOf(std::string_view scope) const;

  // Returns the sorted numbers of those of `scopes` that have one.
  ScopeNumbers Known(absl::Span<const std::string> scopes) const;

  // Appends the names of `numbers` to `names`. DataLoss for an unknown one.
  absl::Status NamesOf(absl::Span<const uint32_t> numbers,
                       std::vector<std::string>& names) const;

  uint32_t size() const;

 private:
  explicit ScopeDictionary(Store& store) : store_(store) {}
  absl::Status Add(absl::Span<const std::string> scopes);

  Store& store_;
  // Not absl::Mutex, for the cost that src/storage/stripes.h gives, and because
  // the thread sanitizer does not see it in a library built without it.
  //
  // Held while new rows are written, so that `mutex_` is not; taken before it.
  std::mutex adding_;
  mutable std::shared_mutex mutex_;  // Guards what follows.
  // names_[n - 1] is the scope of number n; a deque's elements never move.
  std::deque<std::string> names_;
  absl::flat_hash_map<std::string_view, uint32_t> numbers_;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_INDEX_SCOPE_DICTIONARY_H_
