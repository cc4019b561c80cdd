#include "bench/peers/steady_load.h"

#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace tokendb::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Waking up takes its time: the last part of a wait is spent looking at the
// clock.
constexpr auto kSpin = std::chrono::microseconds(80);

void WaitUntil(SteadyClock::time_point due) {
  if (due - SteadyClock::now() > kSpin) {
    std::this_thread::sleep_until(due - kSpin);
  }
  while (SteadyClock::now() < due) {
  }
}

double Quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<size_t>(q * static_cast<double>(sorted.size()));
  return sorted[std::min(rank, sorted.size() - 1)];
}

}  // namespace

SteadyLoad::SteadyLoad(std::function<void()> operation, double per_second)
    : operation_(std::move(operation)),
      thread_([this, per_second] { Work(per_second); }) {}

SteadyLoad::~SteadyLoad() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void SteadyLoad::Work(double per_second) {
  prctl(PR_SET_TIMERSLACK, 1);
  const auto interval = std::chrono::duration_cast<SteadyClock::duration>(
      std::chrono::duration<double>(1 / per_second));
  SteadyClock::time_point due = SteadyClock::now();
  while (!stopping_) {
    due += interval;
    WaitUntil(due);
    operation_();
    latencies_.push_back(
        std::chrono::duration<double, std::micro>(SteadyClock::now() - due)
            .count());
  }
}

LatencySummary SteadyLoad::Stop() {
  stopping_ = true;
  thread_.join();
  std::sort(latencies_.begin(), latencies_.end());
  return {.operations = latencies_.size(),
          .p50 = Quantile(latencies_, 0.5),
          .p99 = Quantile(latencies_, 0.99),
          .p999 = Quantile(latencies_, 0.999)};
}

}  // namespace tokendb::bench
