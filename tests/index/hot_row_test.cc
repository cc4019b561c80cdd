#include "src/index/hot_row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "src/base/text.h"
#include "src/index/entry_expiry.h"
#include "tests/support/status_matchers.h"

namespace tokendb {
namespace {

using testing::IsOkAndHolds;
using testing::StatusIs;

const TokenId kId({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});

HotRow FullRow() {
  return {.expires_at = 5000,
          .revoked = true,
          .last_used = -7,
          .ip_address = "2001:db8::1",
          .notified = Notified{.expires_at = 4000, .window = 86400000}};
}

std::string BytesOf(const HotRow& row) {
  std::string bytes;
  AppendHotRow(bytes, kId, row);
  return bytes;
}

TEST(HotRowTest, ComesBack) {
  HotRow row;
  EXPECT_THAT(ParseHotRow(kId, BytesOf(row)), IsOkAndHolds(row));
  row = FullRow();
  EXPECT_THAT(ParseHotRow(kId, BytesOf(row)), IsOkAndHolds(row));
  row.notified.reset();
  EXPECT_THAT(ParseHotRow(kId, BytesOf(row)), IsOkAndHolds(row));
  row = FullRow();
  row.last_used.reset();
  row.ip_address.clear();
  EXPECT_THAT(ParseHotRow(kId, BytesOf(row)), IsOkAndHolds(row));
}

// The format's bytes, as docs/file_format.md has them.
TEST(HotRowTest, HasTheDocumentedBytes) {
  std::string bytes;
  AppendHotRow(bytes, *TokenId::Parse("0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6"),
               {.expires_at = 1767229200000,
                .last_used = 1767225600000,
                .ip_address = "192.0.2.7"});
  EXPECT_EQ(Hex(bytes),
            "effeda5a8000019b77119680028000019b76daa800"
            "093139322e302e322e37");
}

TEST(HotRowTest, EveryFlippedBitIsDataLoss) {
  const std::string row = BytesOf(FullRow());
  for (size_t bit = 0; bit < row.size() * 8; ++bit) {
    std::string flipped = row;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_THAT(ParseHotRow(kId, flipped),
                StatusIs(absl::StatusCode::kDataLoss))
        << bit;
  }
  EXPECT_THAT(ParseHotRow(TokenId({1}), row),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST(HotRowTest, EveryTruncationIsDataLoss) {
  const std::string row = BytesOf(FullRow());
  for (size_t size = 0; size < row.size(); ++size) {
    EXPECT_THAT(ParseHotRow(kId, std::string_view(row).substr(0, size)),
                StatusIs(absl::StatusCode::kDataLoss))
        << size;
  }
}

TEST(HotRowTest, TellsWhenItIsForgotten) {
  HotRow row = FullRow();
  auto expiry = kEntryReader.expiry(Family::kHot, kId.bytes(), BytesOf(row));
  ASSERT_TRUE(expiry.has_value());
  EXPECT_FALSE(expiry->IsForgotten({.expired = 6000, .revoked = 4999}));
  EXPECT_TRUE(expiry->IsForgotten({.expired = 4000, .revoked = 5000}));
  row.revoked = false;
  expiry = kEntryReader.expiry(Family::kHot, kId.bytes(), BytesOf(row));
  ASSERT_TRUE(expiry.has_value());
  EXPECT_TRUE(expiry->IsForgotten({.expired = 5000, .revoked = 4000}));
  // What cannot be believed is not dropped.
  std::string damaged = BytesOf(row);
  damaged[5] ^= 1;
  EXPECT_FALSE(
      kEntryReader.expiry(Family::kHot, kId.bytes(), damaged).has_value());
  EXPECT_FALSE(
      kEntryReader.expiry(Family::kHot, "short", BytesOf(row)).has_value());
}

TEST(HotRowTest, IsOfTheTokenWithItsExpiryAndRevocation) {
  Token token{.id = kId, .expires_at = absl::FromUnixMillis(5000)};
  EXPECT_FALSE(FullRow().IsOf(token));
  token.revoked_at = absl::FromUnixMillis(1);
  EXPECT_TRUE(FullRow().IsOf(token));
  EXPECT_TRUE(HotRow::Of(token).IsOf(token));
  token.expires_at.reset();
  EXPECT_FALSE(FullRow().IsOf(token));
}

}  // namespace
}  // namespace tokendb
