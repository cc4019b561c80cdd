#ifndef TOKENDB_SRC_DB_PERIOD_H_
#define TOKENDB_SRC_DB_PERIOD_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/model/millis.h"

namespace tokendb {

// A period in milliseconds, rounded up; kNever if it is infinite.
// InvalidArgument, naming it, if it is negative.
absl::StatusOr<Millis> PeriodOf(absl::Duration period, const char* name);

// `now` - `period`, held to the times there are.
inline Millis Minus(Millis now, Millis period) {
  return now < kAlways + period ? kAlways : now - period;
}

// Of a kept period.
inline absl::Duration DurationOf(Millis period) {
  return period == kNever ? absl::InfiniteDuration()
                          : absl::Milliseconds(period);
}

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_PERIOD_H_
