#include "src/base/periodic_thread.h"

#include <algorithm>
#include <utility>

namespace tokendb {

void PeriodicThread::Start(absl::Duration period, std::function<void()> work) {
  thread_ = std::thread([this, period, work = std::move(work)] {
    while (WaitFor(period)) work();
  });
}

void PeriodicThread::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool PeriodicThread::WaitFor(absl::Duration time) {
  std::unique_lock lock(mutex_);
  // A day at a time: the system's clocks do not count to infinity.
  const auto wait = absl::ToChronoMilliseconds(std::min(time, absl::Hours(24)));
  changed_.wait_for(lock, wait, [this] { return stopping_; });
  return !stopping_;
}

bool PeriodicThread::IsStopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

}  // namespace tokendb
