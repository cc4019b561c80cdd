#ifndef TOKENDB_SRC_BASE_PERIODIC_THREAD_H_
#define TOKENDB_SRC_BASE_PERIODIC_THREAD_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/time/time.h"

namespace tokendb {

// Does some work once a period in a thread of its own, until it is stopped.
//
// Start() and Stop() belong to one owner; the rest is thread-safe.
class PeriodicThread {
 public:
  PeriodicThread() = default;
  ~PeriodicThread() { Stop(); }
  PeriodicThread(const PeriodicThread&) = delete;
  PeriodicThread& operator=(const PeriodicThread&) = delete;

  // Calls `work` after each period, for the first time after the first one.
  void Start(absl::Duration period, std::function<void()> work);

  // Waits for the work under way and begins no more.
  void Stop();

  // Waits, unless it is being stopped. False if it is. Work that takes long
  // waits with this.
  bool WaitFor(absl::Duration time);

  bool IsStopping() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_BASE_PERIODIC_THREAD_H_
