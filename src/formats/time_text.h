// Times and spans of time as text.
#ifndef TOKENDB_SRC_FORMATS_TIME_TEXT_H_
#define TOKENDB_SRC_FORMATS_TIME_TEXT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace tokendb {

// Reads a point in time:
//
//   2025-07-16T06:07:42Z              RFC 3339, also with a fraction of a
//   2025-07-16T08:07:42.5+02:00       second and an offset
//   2025-07-16 06:07:42 UTC           as Buildkite's audit export has it
//   2027-01-01                        midnight UTC
//
// A time of day without a zone is refused, as it does not say when. Digits of
// a fraction beyond nanoseconds are dropped. InvalidArgument, quoting the
// text, for anything else and for times outside of the years 1 to 9999.
absl::StatusOr<absl::Time> ParseTime(std::string_view text);

// As above, and relative to `now`: "30d" and "+30d" are 30 days from now,
// "-30d" and "30d ago" 30 days before, and "now" is now. Units as ParseSpan().
absl::StatusOr<absl::Time> ParseTime(std::string_view text, absl::Time now);

// Reads a span of time of one or more parts, "30d" or "1d12h". Units are w, d,
// h, m (minutes), s and ms; weeks and days are 7 times 24 and 24 hours.
absl::StatusOr<absl::Duration> ParseSpan(std::string_view text);

// Writes RFC 3339 in UTC, "2025-07-16T06:07:42Z", with milliseconds only when
// they are not zero. What is finer is dropped.
std::string Rfc3339(absl::Time time);

// Writes a span for people in its two largest units, rounded down: "29d 4h",
// "59m 59s", "0s".
std::string FormatSpan(absl::Duration span);

}  // namespace tokendb

#endif  // TOKENDB_SRC_FORMATS_TIME_TEXT_H_
