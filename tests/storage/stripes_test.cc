#include "src/storage/stripes.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace tokendb {
namespace {

std::vector<std::string> Keys(int first, int last) {
  std::vector<std::string> keys;
  for (int i = first; i < last; ++i) keys.push_back("key " + std::to_string(i));
  return keys;
}

std::vector<std::string_view> Views(const std::vector<std::string>& keys) {
  return {keys.begin(), keys.end()};
}

TEST(StripeLockTest, CoversItsKeysAndOnlyThoseOfTheirLocks) {
  Stripes stripes;
  const std::vector<std::string> keys = Keys(0, 3);
  const StripeLock lock(stripes, Views(keys));
  for (const std::string& key : keys) EXPECT_TRUE(lock.Covers(key));
  int covered = 0;
  for (const std::string& key : Keys(100, 200)) covered += lock.Covers(key);
  EXPECT_LT(covered, 20);
}

TEST(StripeLockTest, TheSameKeyTwiceIsLockedOnce) {
  Stripes stripes;
  const std::vector<std::string_view> keys = {"a", "a", "a"};
  const StripeLock lock(stripes, keys);
  EXPECT_TRUE(lock.Covers("a"));
}

// Overlapping sets in different orders: no thread waits for ever, and no count
// is lost.
TEST(StripeLockTest, HoldersOfOneKeyExcludeEachOther) {
  Stripes stripes;
  int counter = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::vector<std::string> keys = Keys(t * 10, t * 10 + 50);
      keys.insert(t % 2 == 0 ? keys.begin() : keys.end(), "shared");
      for (int i = 0; i < 500; ++i) {
        const StripeLock lock(stripes, Views(keys));
        ++counter;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter, 4 * 500);
}

}  // namespace
}  // namespace tokendb
