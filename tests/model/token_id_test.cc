#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "src/base/text.h"
#include "tests/model/sample_token.h"
#include "tests/support/status_matchers.h"
#include "tokendb/token.h"

namespace tokendb {
namespace {

using ::testing::HasSubstr;
using ::tokendb::testing::IdOf;
using ::tokendb::testing::IsOk;
using ::tokendb::testing::IsOkAndHolds;
using ::tokendb::testing::StatusIs;

constexpr char kUuid[] = "0197a8f2-04bc-7d1e-8f00-0123456789ab";

TEST(TokenIdTest, ParsesWhatItPrints) {
  const absl::StatusOr<TokenId> id = TokenId::Parse(kUuid);
  ASSERT_THAT(id, IsOk());
  EXPECT_EQ(id->ToString(), kUuid);
  EXPECT_EQ(Hex(id->bytes()), "0197a8f204bc7d1e8f000123456789ab");
  std::ostringstream out;
  out << *id;
  EXPECT_EQ(out.str(), kUuid);
}

TEST(TokenIdTest, ReadsUpperCaseAndPrintsLower) {
  EXPECT_THAT(TokenId::Parse("0197A8F2-04BC-7D1E-8F00-0123456789AB"),
              IsOkAndHolds(*TokenId::Parse(kUuid)));
}

TEST(TokenIdTest, RefusesEverythingElse) {
  const std::string uuid = kUuid;
  const std::string wrong[] = {
      "",
      "0",
      uuid.substr(1),
      uuid + "0",
      " " + uuid.substr(1),
      "{" + uuid + "}",
      "urn:uuid:" + uuid,
      "0197a8f204bc7d1e8f000123456789ab",
      "0197a8f2-04bc-7d1e-8f00-0123456789ag",
      "0197a8f2_04bc-7d1e-8f00-0123456789ab",
      "0197a8f-204bc-7d1e-8f00-0123456789ab",
      "0197a8f2-04bc-7d1e-8f00-0123456789-b",
      "0197a8f2-04bc-7d1e-8f00-0123456789\xC3\xA9",
      std::string("0197a8f2-04bc-7d1e-8f00-0123456789a\0", 36),
  };
  for (const std::string& text : wrong) {
    EXPECT_THAT(TokenId::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("UUID")))
        << text;
  }
}

TEST(TokenIdTest, RefusesTheNilUuid) {
  EXPECT_THAT(TokenId::Parse("00000000-0000-0000-0000-000000000000"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nil")));
  EXPECT_TRUE(TokenId().IsNil());
  EXPECT_FALSE(IdOf(1).IsNil());
}

TEST(TokenIdTest, SortsByUnsignedBytes) {
  EXPECT_LT(IdOf('\x01'), IdOf('\x7F'));
  EXPECT_LT(IdOf('\x7F'), IdOf('\x80'));
  EXPECT_LT(IdOf('\x80'), IdOf('\xFF'));
  EXPECT_EQ(IdOf('\x80'), IdOf('\x80'));
}

}  // namespace
}  // namespace tokendb
