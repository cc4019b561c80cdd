#include "src/index/change_row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "src/base/text.h"
#include "tests/support/status_matchers.h"

namespace tokendb {
namespace {

using testing::IsOkAndHolds;
using testing::StatusIs;

constexpr auto kDataLoss = absl::StatusCode::kDataLoss;

TokenChange Revoked() {
  return {.kind = TokenChange::Kind::kRevoked,
          .id = *TokenId::Parse("0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6"),
          .version = 300,
          .at = absl::FromUnixMillis(1767229200000),
          .revoked_at = absl::FromUnixMillis(1767225600000)};
}

TEST(ChangeRowTest, EveryKindIsReadAsItWasWritten) {
  for (const auto kind :
       {TokenChange::Kind::kIssued, TokenChange::Kind::kUpdated,
        TokenChange::Kind::kRevoked, TokenChange::Kind::kDeleted}) {
    TokenChange change = Revoked();
    change.kind = kind;
    if (kind != TokenChange::Kind::kRevoked) change.revoked_at.reset();
    for (const uint64_t number : {uint64_t{0}, uint64_t{1}, UINT64_MAX}) {
      EXPECT_THAT(ParseChangeRow(ChangeKey(number), ChangeRow(number, change)),
                  IsOkAndHolds(change));
    }
  }
}

// As in docs/file_format.md.
TEST(ChangeRowTest, TheBytesAreThoseOfTheFormat) {
  EXPECT_EQ(Hex(ChangeKey(2)), "0000000000000002");
  EXPECT_EQ(Hex(ChangeRow(2, Revoked()).substr(4)),
            "03"
            "8000019b77119680"
            "0192f0c12b3c7d4e8f90a1b2c3d4e5f6"
            "ac02"
            "8000019b76daa800");
}

TEST(ChangeRowTest, KeysSortAsTheirNumbers) {
  EXPECT_LT(ChangeKey(255), ChangeKey(256));
  EXPECT_LT(ChangeKey(256), ChangeKey(UINT64_MAX));
  EXPECT_THAT(ParseChangeKey(ChangeKey(256)), IsOkAndHolds(256));
  EXPECT_THAT(ParseChangeKey("seven b"), StatusIs(kDataLoss));
}

TEST(ChangeRowTest, AnyFlippedBitOfRowAndKeyIsFoundOut) {
  const std::string key = ChangeKey(7);
  const std::string row = ChangeRow(7, Revoked());
  std::string both = key + row;
  for (size_t bit = 0; bit < 8 * both.size(); ++bit) {
    std::string flipped = both;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    EXPECT_THAT(ParseChangeRow(flipped.substr(0, key.size()),
                               flipped.substr(key.size())),
                StatusIs(kDataLoss))
        << bit;
  }
}

TEST(ChangeRowTest, AnyOtherLengthIsFoundOut) {
  const std::string row = ChangeRow(7, Revoked());
  for (size_t size = 0; size < row.size(); ++size) {
    EXPECT_THAT(ParseChangeRow(ChangeKey(7), row.substr(0, size)),
                StatusIs(kDataLoss));
  }
  EXPECT_THAT(ParseChangeRow(ChangeKey(7), row + '\0'), StatusIs(kDataLoss));
}

}  // namespace
}  // namespace tokendb
