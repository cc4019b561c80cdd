#ifndef TOKENDB_BENCH_EXPIRY_LOOKUP_LOAD_H_
#define TOKENDB_BENCH_EXPIRY_LOOKUP_LOAD_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

#include "absl/types/span.h"
#include "tokendb/token.h"

namespace tokendb::bench {

struct LatencySummary {
  size_t lookups = 0;
  // Microseconds from when a look-up was due to its answer.
  double p50 = 0;
  double p99 = 0;
  double p999 = 0;
};

// Looks live tokens up at a steady rate on a thread of its own, whatever the
// answers take: a look-up that is late because of the one before counts as
// that much slower.
class LookupLoad {
 public:
  // `is_live` must say true of all `digests`, else the program ends. Begins at
  // once.
  LookupLoad(std::function<bool(const Digest&)> is_live,
             absl::Span<const Digest> digests, double per_second);
  ~LookupLoad();
  LookupLoad(const LookupLoad&) = delete;
  LookupLoad& operator=(const LookupLoad&) = delete;

  // Ends the load. At most once.
  LatencySummary Stop();

 private:
  void Work(double per_second);

  const std::function<bool(const Digest&)> is_live_;
  const absl::Span<const Digest> digests_;
  std::atomic<bool> stopping_ = false;
  std::vector<double> latencies_;  // Of the thread, until it ended.
  std::thread thread_;
};

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_EXPIRY_LOOKUP_LOAD_H_
