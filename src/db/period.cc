#include "src/db/period.h"

#include "absl/strings/str_cat.h"

namespace tokendb {

absl::StatusOr<Millis> PeriodOf(absl::Duration period, const char* name) {
  if (period < absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(name, " is negative"));
  }
  // Rounded up: nothing is gone before its period has passed.
  const absl::Duration whole = absl::Ceil(period, absl::Milliseconds(1));
  return absl::ToInt64Milliseconds(whole);  // kNever if it is infinite.
}

}  // namespace tokendb
