#include "src/model/millis.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "absl/time/time.h"

namespace tokendb {
namespace {

TEST(MillisTest, FloorAndCeilingHoldOnBothSidesOfTheEpoch) {
  const absl::Duration bit = absl::Nanoseconds(1);
  for (const Millis millis : {Millis{-1001}, Millis{-1000}, Millis{-1},
                              Millis{0}, Millis{1}, kMinMillis, kMaxMillis}) {
    const absl::Time time = FromMillis(millis);
    EXPECT_EQ(FloorToMillis(time), millis);
    EXPECT_EQ(CeilToMillis(time), millis);
    EXPECT_EQ(FloorToMillis(time + bit), millis);
    EXPECT_EQ(CeilToMillis(time + bit), millis + 1);
    EXPECT_EQ(FloorToMillis(time - bit), millis - 1);
    EXPECT_EQ(CeilToMillis(time - bit), millis);
  }
}

TEST(MillisTest, TimesBeyondAllMillisecondsAreHeldToTheLast) {
  EXPECT_EQ(CeilToMillis(absl::InfiniteFuture()), kNever);
  EXPECT_EQ(FloorToMillis(absl::InfiniteFuture()), kNever);
  EXPECT_EQ(FloorToMillis(absl::InfinitePast()), kAlways);
}

TEST(MillisTest, BoundsAreTheYearsOneAndNineThousandNineHundredNinetyNine) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  EXPECT_EQ(FromMillis(kMinMillis),
            absl::FromCivil(absl::CivilSecond(1, 1, 1), utc));
  EXPECT_EQ(FromMillis(kMaxMillis + 1),
            absl::FromCivil(absl::CivilSecond(10000, 1, 1), utc));
}

TEST(MillisTest, NeverIsAllOnes) {
  EXPECT_EQ(OrderedMillis(kNever), ~uint64_t{0});
  EXPECT_EQ(OrderedMillis(kAlways), uint64_t{0});
}

RC_GTEST_PROP(MillisPropertyTest, OrderedMillisKeepOrder,
              (Millis a, Millis b)) {
  RC_ASSERT((a < b) == (OrderedMillis(a) < OrderedMillis(b)));
  RC_ASSERT(FromOrderedMillis(OrderedMillis(a)) == a);
}

}  // namespace
}  // namespace tokendb
