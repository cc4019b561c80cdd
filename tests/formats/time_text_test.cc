#include "src/formats/time_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "src/model/millis.h"
#include "tests/support/status_matchers.h"

namespace tokendb::testing {
namespace {

using ::testing::HasSubstr;

// 2025-07-16T06:07:42Z.
const absl::Time kTime = absl::FromUnixSeconds(1752646062);

TEST(TimeTextTest, ReadsEveryAbsoluteForm) {
  for (const char* text :
       {"2025-07-16T06:07:42Z", "2025-07-16t06:07:42z",
        "2025-07-16T06:07:42.0Z", "2025-07-16T08:07:42+02:00",
        "2025-07-16T00:37:42-05:30", "2025-07-16 06:07:42 UTC",
        "2025-07-16 06:07:42Z", "2025-07-16T06:07:42+00:00"}) {
    EXPECT_THAT(ParseTime(text), IsOkAndHolds(kTime)) << text;
  }
  EXPECT_THAT(ParseTime("2025-07-16T06:07:42.5Z"),
              IsOkAndHolds(kTime + absl::Milliseconds(500)));
  EXPECT_THAT(ParseTime("2025-07-16T06:07:42.1234567891Z"),
              IsOkAndHolds(kTime + absl::Nanoseconds(123456789)));
  EXPECT_THAT(ParseTime("2027-01-01"),
              IsOkAndHolds(absl::FromUnixSeconds(1798761600)));
  EXPECT_THAT(ParseTime("2016-12-31T23:59:60Z"),
              ParseTime("2017-01-01T00:00:00Z"));
  EXPECT_THAT(ParseTime("1969-12-31T23:59:59Z"),
              IsOkAndHolds(absl::FromUnixSeconds(-1)));
}

TEST(TimeTextTest, RefusesWhatIsNoTimeAndQuotesIt) {
  for (const char* text :
       {"", "yesterday", "2025", "2025-7-16", "2025-02-29", "2025-13-01",
        "2025-07-16T24:00:00Z", "2025-07-16T06:60:00Z", "2025-07-16T06:07Z",
        "2025-07-16T06:07:42", "2025-07-16T06:07:42.Z", "2025-07-16T06:07:42+2",
        "2025-07-16T06:07:42Zx", "0000-01-01", "12025-07-16", " 2025-07-16",
        "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "30d"}) {
    EXPECT_THAT(ParseTime(text), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr(std::string(text))))
        << text;
  }
}

TEST(TimeTextTest, RelativeTimesCountFromNow) {
  const auto day = absl::Hours(24);
  EXPECT_THAT(ParseTime("now", kTime), IsOkAndHolds(kTime));
  EXPECT_THAT(ParseTime("30d", kTime), IsOkAndHolds(kTime + 30 * day));
  EXPECT_THAT(ParseTime("+12h", kTime), IsOkAndHolds(kTime + absl::Hours(12)));
  EXPECT_THAT(ParseTime("-15m", kTime),
              IsOkAndHolds(kTime - absl::Minutes(15)));
  EXPECT_THAT(ParseTime("2w ago", kTime), IsOkAndHolds(kTime - 14 * day));
  EXPECT_THAT(ParseTime("1d12h", kTime), IsOkAndHolds(kTime + 1.5 * day));
  EXPECT_THAT(ParseTime("2025-07-16T06:07:42Z", kTime), IsOkAndHolds(kTime));
  for (const char* text : {"30", "d", "30x", "30dd", "-30d ago", "1.5h",
                           "999999999w", "--3d", "99999999999s"}) {
    EXPECT_THAT(ParseTime(text, kTime),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(text)));
  }
}

TEST(TimeTextTest, SpansAreNotNegative) {
  EXPECT_THAT(ParseSpan("45s"), IsOkAndHolds(absl::Seconds(45)));
  EXPECT_THAT(ParseSpan("500ms"), IsOkAndHolds(absl::Milliseconds(500)));
  EXPECT_THAT(ParseSpan("-1s"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(TimeTextTest, WritesMillisecondsOnlyWhenThereAreAny) {
  EXPECT_EQ(Rfc3339(kTime), "2025-07-16T06:07:42Z");
  EXPECT_EQ(Rfc3339(kTime + absl::Milliseconds(7)), "2025-07-16T06:07:42.007Z");
  EXPECT_EQ(Rfc3339(absl::FromUnixMillis(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(Rfc3339(FromMillis(kMinMillis)), "0001-01-01T00:00:00Z");
  EXPECT_EQ(Rfc3339(FromMillis(kMaxMillis)), "9999-12-31T23:59:59.999Z");
}

// Scenario 20.
TEST(TimeTextTest, EveryStorableTimeComesBack) {
  EXPECT_TRUE(rc::check("reading what was written", [] {
    const Millis millis = *rc::gen::inRange(kMinMillis, kMaxMillis + 1);
    const auto time = ParseTime(Rfc3339(FromMillis(millis)));
    RC_ASSERT(time.ok());
    RC_ASSERT(FloorToMillis(*time) == millis);
  }));
}

TEST(TimeTextTest, SpansForPeopleHaveTwoUnits) {
  EXPECT_EQ(FormatSpan(absl::Hours(29 * 24 + 4) + absl::Minutes(59)), "29d 4h");
  EXPECT_EQ(FormatSpan(absl::Seconds(3599)), "59m 59s");
  EXPECT_EQ(FormatSpan(absl::Hours(1)), "1h 0m");
  EXPECT_EQ(FormatSpan(absl::Milliseconds(999)), "0s");
}

}  // namespace
}  // namespace tokendb::testing
