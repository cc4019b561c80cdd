#ifndef TOKENDB_BENCH_PEERS_BENCH_CLOCK_H_
#define TOKENDB_BENCH_PEERS_BENCH_CLOCK_H_

#include <atomic>
#include <chrono>
#include <cstdint>

#include "absl/time/time.h"
#include "tokendb/clock.h"

namespace tokendb::bench {

// A clock that stands still until it is set, so that tokens expire when the
// benchmark wants them to. Thread-safe.
class BenchClock final : public Clock {
 public:
  explicit BenchClock(absl::Time now) { Set(now); }

  absl::Time Now() const override { return absl::FromUnixMillis(millis_); }
  void Set(absl::Time time) { millis_ = absl::ToUnixMillis(time); }

 private:
  std::atomic<int64_t> millis_;
};

// Adds up the time between Resume() and Pause().
class Stopwatch {
 public:
  void Resume() { begin_ = std::chrono::steady_clock::now(); }
  void Pause() { total_ += std::chrono::steady_clock::now() - begin_; }
  double Seconds() const {
    return std::chrono::duration<double>(total_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_;
  std::chrono::steady_clock::duration total_{};
};

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_PEERS_BENCH_CLOCK_H_
