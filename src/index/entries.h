// All index entries of a token, derived from its record alone. This is the one
// place that says which entries a record has: writing, updating, deleting and
// checking go through it.
#ifndef TOKENDB_SRC_INDEX_ENTRIES_H_
#define TOKENDB_SRC_INDEX_ENTRIES_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "src/index/index_set.h"
#include "src/storage/store.h"
#include "tokendb/token.h"

namespace tokendb {

struct Entry {
  Family family;
  std::string key;
  std::string value;

  friend bool operator==(const Entry&, const Entry&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): it is the check's mistake.
  friend auto operator<=>(const Entry&, const Entry&) = default;
};

// Calls `emit` with each entry of `token`, a normalized token whose scopes have
// these numbers (sorted), in the indexes that are written. The views are valid
// during the call.
void ForEachEntry(const Token& token, absl::Span<const uint32_t> scopes,
                  const IndexSet& indexes,
                  absl::FunctionRef<void(Family, std::string_view key,
                                         std::string_view value)>
                      emit);

// The same, sorted by family and key.
std::vector<Entry> EntriesOf(const Token& token,
                             absl::Span<const uint32_t> scopes,
                             const IndexSet& indexes);

// Adds to `batch` what turns the entries `before` into `after`, both sorted.
// Entries in both are left alone, so that a change of description writes no
// index at all.
void WriteDifference(absl::Span<const Entry> before,
                     absl::Span<const Entry> after, Batch& batch);

}  // namespace tokendb

#endif  // TOKENDB_SRC_INDEX_ENTRIES_H_
