#include "bench/expiry/lookup_load.h"

#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "bench/synthetic.h"

namespace tokendb::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Waking up takes its time: the last part of a wait is spent looking at the
// clock.
constexpr auto kSpin = std::chrono::microseconds(80);
constexpr uint64_t kLookupSeed = 23;

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

LookupLoad::LookupLoad(std::function<bool(const Digest&)> is_live,
                       absl::Span<const Digest> digests, double per_second)
    : is_live_(std::move(is_live)),
      digests_(digests),
      thread_([this, per_second] { Work(per_second); }) {}

LookupLoad::~LookupLoad() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void LookupLoad::Work(double per_second) {
  prctl(PR_SET_TIMERSLACK, 1);
  const auto interval = std::chrono::duration_cast<SteadyClock::duration>(
      std::chrono::duration<double>(1 / per_second));
  Random random(kLookupSeed);
  SteadyClock::time_point due = SteadyClock::now();
  while (!stopping_) {
    due += interval;
    const Digest& digest = digests_[random.Below(digests_.size())];
    WaitUntil(due);
    if (!is_live_(digest)) {
      CheckOk(absl::InternalError("a live token is not live"), "look-up");
    }
    latencies_.push_back(
        std::chrono::duration<double, std::micro>(SteadyClock::now() - due)
            .count());
  }
}

LatencySummary LookupLoad::Stop() {
  stopping_ = true;
  thread_.join();
  std::sort(latencies_.begin(), latencies_.end());
  return {.lookups = latencies_.size(),
          .p50 = Quantile(latencies_, 0.5),
          .p99 = Quantile(latencies_, 0.99),
          .p999 = Quantile(latencies_, 0.999)};
}

}  // namespace tokendb::bench
