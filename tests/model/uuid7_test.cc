#include "src/model/uuid7.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>

#include "absl/time/time.h"
#include "src/base/coding.h"
#include "src/model/millis.h"

namespace tokendb {
namespace {

uint64_t High(const TokenId& id) { return LoadBig64(id.bytes().data()); }
uint64_t Low(const TokenId& id) { return LoadBig64(id.bytes().data() + 8); }
uint64_t Timestamp(const TokenId& id) { return High(id) >> 16; }

TEST(Uuid7Test, HasVersionAndVariantOfRfc9562) {
  for (int i = 0; i < 1000; ++i) {
    const TokenId id = NewTokenId(absl::FromUnixMillis(1'700'000'000'000 + i));
    EXPECT_EQ(High(id) >> 12 & 0xF, 7U);
    EXPECT_EQ(Low(id) >> 62, 0b10U);
    EXPECT_EQ(id.ToString()[14], '7');
  }
}

TEST(Uuid7Test, BeginsWithTheMillisecond) {
  const absl::Time time = absl::FromUnixMillis(0x0197A8F204BC);
  EXPECT_EQ(Timestamp(NewTokenId(time)), 0x0197A8F204BCU);
  EXPECT_EQ(Timestamp(NewTokenId(time + absl::Microseconds(999))),
            0x0197A8F204BCU);
}

TEST(Uuid7Test, SortsByTimeOfCreation) {
  absl::Time time = absl::FromUnixMillis(1'700'000'000'000);
  TokenId last = NewTokenId(time);
  for (int i = 0; i < 1000; ++i) {
    time += absl::Milliseconds(1);
    const TokenId next = NewTokenId(time);
    EXPECT_LT(last, next);
    last = next;
  }
}

TEST(Uuid7Test, TimesOutsideItsRangeAreHeldToIt) {
  constexpr uint64_t kLast = (uint64_t{1} << 48) - 1;
  EXPECT_EQ(Timestamp(NewTokenId(absl::InfinitePast())), 0U);
  EXPECT_EQ(Timestamp(NewTokenId(absl::FromUnixMillis(-1))), 0U);
  EXPECT_EQ(Timestamp(NewTokenId(absl::FromUnixMillis(0))), 0U);
  EXPECT_EQ(Timestamp(NewTokenId(FromMillis(kMaxMillis))), kMaxMillis + 0U);
  EXPECT_EQ(Timestamp(NewTokenId(absl::FromUnixMillis(kLast))), kLast);
  EXPECT_EQ(Timestamp(NewTokenId(absl::FromUnixMillis(kLast + 1))), kLast);
  EXPECT_EQ(Timestamp(NewTokenId(absl::InfiniteFuture())), kLast);
}

TEST(Uuid7Test, ManyOfOneMillisecondDiffer) {
  std::set<TokenId> ids;
  for (int i = 0; i < 10000; ++i) ids.insert(NewTokenId(absl::UnixEpoch()));
  EXPECT_EQ(ids.size(), 10000U);
  EXPECT_FALSE(ids.begin()->IsNil());
}

// That a bit of 1000 ids never changes has a chance of 2^-999.
TEST(Uuid7Test, SeventyFourBitsAreRandom) {
  uint64_t high_ones = 0;
  uint64_t high_zeros = 0;
  uint64_t low_ones = 0;
  uint64_t low_zeros = 0;
  for (int i = 0; i < 1000; ++i) {
    const TokenId id = NewTokenId(absl::UnixEpoch());
    high_ones |= High(id);
    high_zeros |= ~High(id);
    low_ones |= Low(id);
    low_zeros |= ~Low(id);
  }
  EXPECT_EQ(high_ones & high_zeros, 0xFFFU);
  EXPECT_EQ(low_ones & low_zeros, ~uint64_t{0} >> 2);
}

}  // namespace
}  // namespace tokendb
