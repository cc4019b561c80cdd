#ifndef TOKENDB_BENCH_WRITE_BENCHMARKS_H_
#define TOKENDB_BENCH_WRITE_BENCHMARKS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "src/index/entries.h"
#include "tokendb/options.h"
#include "tokendb/token.h"

namespace tokendb::bench {

// Batches of new tokens, and the keys and values they become.
class IssueBatches {
 public:
  static constexpr size_t kTokens = 100;

  IssueBatches(size_t batches, absl::Time now);

  size_t size() const { return tokens_.size(); }
  // Without ids, as a service issues them.
  const std::vector<Token>& tokens(size_t batch) const {
    return tokens_[batch];
  }
  // With ids of the same kind and order as the library makes.
  const std::vector<Entry>& entries(size_t batch) const {
    return entries_[batch];
  }

 private:
  std::vector<std::vector<Token>> tokens_;
  std::vector<std::vector<Entry>> entries_;
};

// Registers the benchmarks of writes: each run fills a fresh database below
// `directory` with all batches. All must outlive the run.
void RegisterWriteBenchmarks(const IssueBatches& batches,
                             const std::string& directory,
                             const OpenOptions& options);

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_WRITE_BENCHMARKS_H_
