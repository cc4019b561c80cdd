#include "src/base/periodic_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace tokendb {
namespace {

TEST(PeriodicThreadTest, WorksAgainAndAgainUntilItIsStopped) {
  std::atomic<int> rounds = 0;
  PeriodicThread thread;
  thread.Start(absl::Milliseconds(1), [&] { ++rounds; });
  while (rounds < 3) std::this_thread::yield();
  thread.Stop();
  const int at_stop = rounds;
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(rounds, at_stop);
}

TEST(PeriodicThreadTest, StoppingEndsWaitsAtOnce) {
  std::atomic<bool> waiting = false;
  std::atomic<bool> went_on = true;
  PeriodicThread thread;
  thread.Start(absl::Milliseconds(1), [&] {
    waiting = true;
    went_on = thread.WaitFor(absl::InfiniteDuration());
  });
  while (!waiting) std::this_thread::yield();
  EXPECT_FALSE(thread.IsStopping());
  thread.Stop();
  EXPECT_FALSE(went_on);
  EXPECT_TRUE(thread.IsStopping());
}

TEST(PeriodicThreadTest, OneThatWasNotStartedStops) {
  PeriodicThread thread;
  thread.Stop();
  EXPECT_FALSE(thread.WaitFor(absl::InfiniteDuration()));
}

}  // namespace
}  // namespace tokendb
