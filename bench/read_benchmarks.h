#ifndef TOKENDB_BENCH_READ_BENCHMARKS_H_
#define TOKENDB_BENCH_READ_BENCHMARKS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "bench/raw_store.h"
#include "bench/synthetic.h"
#include "tokendb/db.h"

namespace tokendb::bench {

// Two databases of the same tokens, flushed and compacted, and what to ask
// them for.
class LoadedDatabases {
 public:
  // Fills directories below `directory` with `tokens`; says on stdout how it
  // goes.
  LoadedDatabases(const SyntheticTokens& tokens, const std::string& directory,
                  const OpenOptions& options);

  const Database& tokendb() const { return *tokendb_; }
  RawStore& raw() const { return *raw_; }

  const std::vector<Digest>& digests() const { return digests_; }

  // Owners of at least one page.
  const std::vector<std::string>& owners() const { return owners_; }

  // The span of expiry that begins at the one of rank `first` and holds
  // kScanTokens tokens, or all from there on.
  static constexpr size_t kScanTokens = 10000;
  TimeRange Window(size_t first) const;
  size_t windows() const;

 private:
  void Load(const SyntheticTokens& tokens, const std::string& path,
            const OpenOptions& options);

  std::unique_ptr<Database> tokendb_;
  std::unique_ptr<RawStore> raw_;
  std::vector<Digest> digests_;
  std::vector<std::string> owners_;
  std::vector<absl::Time> expiries_;  // Sorted.
};

// Ends the program if the two sides of a comparison give different answers.
void CheckSameAnswers(const LoadedDatabases& databases);

// Registers the benchmarks of reads; `databases` must outlive their run.
void RegisterReadBenchmarks(const LoadedDatabases& databases);

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_READ_BENCHMARKS_H_
