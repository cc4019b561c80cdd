#ifndef TOKENDB_BENCH_PEERS_STEADY_LOAD_H_
#define TOKENDB_BENCH_PEERS_STEADY_LOAD_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace tokendb::bench {

struct LatencySummary {
  size_t operations = 0;
  // Microseconds from when an operation was due to its end.
  double p50 = 0;
  double p99 = 0;
  double p999 = 0;
};

// Does something at a steady rate on a thread of its own, whatever it takes: an
// operation that is late because of the one before counts as that much slower.
class SteadyLoad {
 public:
  // Begins at once.
  SteadyLoad(std::function<void()> operation, double per_second);
  ~SteadyLoad();
  SteadyLoad(const SteadyLoad&) = delete;
  SteadyLoad& operator=(const SteadyLoad&) = delete;

  // Ends the load. At most once.
  LatencySummary Stop();

 private:
  void Work(double per_second);

  const std::function<void()> operation_;
  std::atomic<bool> stopping_ = false;
  std::vector<double> latencies_;  // Of the thread, until it ended.
  std::thread thread_;
};

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_PEERS_STEADY_LOAD_H_
