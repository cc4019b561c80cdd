// The keys and values that tokens become, as the library writes them.
#ifndef TOKENDB_BENCH_TOKEN_ENTRIES_H_
#define TOKENDB_BENCH_TOKEN_ENTRIES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "bench/raw_store.h"
#include "rocksdb/write_batch.h"
#include "src/index/cover.h"
#include "src/index/entries.h"
#include "src/model/record_codec.h"
#include "tokendb/token.h"

namespace tokendb::bench {

// Appends the record and all index and digest entries of a token whose scopes
// have these numbers.
void AppendEntries(const Token& token, const ScopeNumbers& scopes,
                   RecordEncoder& encoder, std::vector<Entry>& entries);

// The counters that a batch of tokens changes, summed as the library does.
class CounterSums {
 public:
  // `times` is -1 for tokens that are taken away.
  void Add(const Token& token, const ScopeNumbers& scopes, absl::Time now,
           int64_t times = 1);

  // Appends an entry of the stat family, to be merged, for each counter.
  void MoveTo(std::vector<Entry>& entries);

 private:
  std::map<std::string, int64_t> sums_;
};

// Adds `entries` to `batch`, those of the stat family as merges.
void AddToBatch(absl::Span<const Entry> entries, const RawStore& store,
                rocksdb::WriteBatch& batch);

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_TOKEN_ENTRIES_H_
