#ifndef TOKENDB_BENCH_PEERS_ENTRY_SOURCE_H_
#define TOKENDB_BENCH_PEERS_ENTRY_SOURCE_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "bench/raw_store.h"
#include "src/index/cover.h"
#include "src/index/entries.h"
#include "src/index/keys.h"
#include "tokendb/token.h"

namespace tokendb::bench {

// The keys and values of tokens as tokendb wrote them: what stores that are
// loaded with presorted, encoded entries are given. Reads a copy of the closed
// database at `database`, made at `copy`, which shares its table files.
class EntrySource {
 public:
  EntrySource(const std::string& database, const std::string& copy);

  // Calls `use` with all entries of a family that begin with `prefix`, in the
  // order of keys, some thousands at a time.
  void ForEachChunk(Family family, std::string_view prefix,
                    absl::FunctionRef<void(absl::Span<const Entry>)> use) const;

  // The numbers that tokendb gave to a token's scopes, sorted.
  ScopeNumbers NumbersOf(const Token& token) const;
  uint32_t NumberOf(std::string_view scope) const;
  std::vector<std::string> NamesOf(const ScopeNumbers& scopes) const;
  // The greatest number there is.
  uint32_t scopes() const { return static_cast<uint32_t>(scopes_.size()); }

  // Of records, digest rows and index entries; without the counters.
  // Reads them all.
  uint64_t CountLogicalBytes() const;

  // Where the copy is: to copy it again.
  const std::string& path() const { return path_; }

  RawStore& store() const { return *store_; }

 private:
  const std::string path_;
  std::unique_ptr<RawStore> store_;
  std::map<std::string, uint32_t, std::less<>> scopes_;
  std::vector<std::string> names_;  // By number.
};

// The scope, expiry and id in a key of the scope index.
struct ScopeKey {
  explicit ScopeKey(std::string_view key);

  uint32_t scope;
  int64_t expires_at;  // Milliseconds; kNever.
  TokenId id;
};

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_PEERS_ENTRY_SOURCE_H_
