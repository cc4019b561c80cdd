#ifndef TOKENDB_TESTS_SUPPORT_TEST_CLOCK_H_
#define TOKENDB_TESTS_SUPPORT_TEST_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"
#include "tokendb/clock.h"

namespace tokendb::testing {

// A clock that stands still until it is set. Thread-safe.
class TestClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixMicros(micros_); }
  void Set(absl::Time time) { micros_ = absl::ToUnixMicros(time); }
  void Advance(absl::Duration by) { Set(Now() + by); }

 private:
  // 2026-01-01T00:00:00Z.
  std::atomic<int64_t> micros_ = int64_t{1767225600} * 1000 * 1000;
};

}  // namespace tokendb::testing

#endif  // TOKENDB_TESTS_SUPPORT_TEST_CLOCK_H_
