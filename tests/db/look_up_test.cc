// Get(), GetByUuid(), GetByDigest(), GetMany() and Introspect().
#include <cctype>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/database_test.h"
#include "tests/support/full_token.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

class LookUpTest : public DatabaseTest {
 protected:
  const TokenId absent_ =
      *TokenId::Parse("ffffffff-ffff-7fff-bfff-ffffffffffff");
};

TEST_F(LookUpTest, AnAbsentIdIsNotFoundAndTheNilIdIsRefused) {
  EXPECT_THAT(db().Get(absent_), StatusIs(absl::StatusCode::kNotFound,
                                          HasSubstr(absent_.ToString())));
  EXPECT_THAT(db().Get(TokenId()),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(LookUpTest, AUuidIsReadInEitherCase) {
  const TokenId id = Issue({.description = "here"});
  std::string upper = id.ToString();
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_THAT(db().GetByUuid(id.ToString()), IsOkAndHolds(HasId(id)));
  EXPECT_THAT(db().GetByUuid(upper), IsOkAndHolds(HasId(id)));
  EXPECT_THAT(db().GetByUuid(absent_.ToString()),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(LookUpTest, WhatIsNoUuidIsRefused) {
  const std::string good = Issue({}).ToString();
  for (const std::string& bad :
       {std::string(), good.substr(1), good + "0", "{" + good + "}",
        std::string("00000000-0000-0000-0000-000000000000"),
        good.substr(0, 35) + "g"}) {
    EXPECT_THAT(db().GetByUuid(bad),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << bad;
  }
}

TEST_F(LookUpTest, TokensOfEveryStateAreRead) {
  const TokenId expired = Issue(
      {.digest = DigestOf("expired"), .expires_at = Now() - absl::Hours(1)});
  const TokenId revoked =
      Issue({.digest = DigestOf("revoked"), .revoked_at = Now()});
  const TokenId disabled =
      Issue({.digest = DigestOf("disabled"), .enabled = false});
  EXPECT_THAT(db().Get(expired), IsOkAndHolds(HasId(expired)));
  EXPECT_THAT(db().GetByDigest(DigestOf("expired")),
              IsOkAndHolds(HasId(expired)));
  EXPECT_THAT(db().GetByDigest(DigestOf("revoked")),
              IsOkAndHolds(HasId(revoked)));
  EXPECT_THAT(db().GetByDigest(DigestOf("disabled")),
              IsOkAndHolds(HasId(disabled)));
}

TEST_F(LookUpTest, AKindMustMatchIfOneIsGiven) {
  const TokenId id = Issue({.digest = DigestOf("s"), .kind = "refresh"});
  EXPECT_THAT(db().GetByDigest(DigestOf("s")), IsOkAndHolds(HasId(id)));
  EXPECT_THAT(db().GetByDigest(DigestOf("s"), "refresh"),
              IsOkAndHolds(HasId(id)));
  EXPECT_THAT(db().GetByDigest(DigestOf("s"), "access"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(db().GetByDigest(DigestOf("t"), "refresh"),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(LookUpTest, ADigestThatMovedIsFoundAtItsNewPlaceOnly) {
  const TokenId id = Issue({.digest = DigestOf("old")});
  TokenPatch patch;
  patch.digest = DigestOf("new");
  ASSERT_THAT(db().Update(id, patch), IsOk());
  EXPECT_THAT(db().GetByDigest(DigestOf("old")),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(db().GetByDigest(DigestOf("new")), IsOkAndHolds(HasId(id)));
}

TEST_F(LookUpTest, ManyAreReadInTheOrderAskedFor) {
  const TokenId a = Issue({.description = "a"});
  const TokenId b = Issue({.description = "b"});
  const auto many = db().GetMany({b, absent_, a, b});
  ASSERT_THAT(many, IsOk());
  EXPECT_THAT(*many, ElementsAre(Optional(HasId(b)), std::nullopt,
                                 Optional(HasId(a)), Optional(HasId(b))));
  EXPECT_THAT(db().GetMany({}), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(db().GetMany({a, TokenId()}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(LookUpTest, ThousandsAreReadAtOnce) {
  const auto ids = db().IssueBatch(std::vector<Token>(5000), kFast);
  ASSERT_THAT(ids, IsOk());
  const auto many = db().GetMany(*ids);
  ASSERT_THAT(many, IsOk());
  for (size_t i = 0; i < ids->size(); ++i) {
    ASSERT_THAT((*many)[i], Optional(HasId((*ids)[i])));
  }
}

TEST_F(LookUpTest, IntrospectionSaysAllThatTheRowHolds) {
  const Token token = FullToken(Now());
  Issue(token);
  const auto answer = db().Introspect(*token.digest);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->state, TokenState::kLive);
  EXPECT_EQ(answer->id, token.id);
  EXPECT_EQ(answer->owner_id, token.owner->id);
  EXPECT_EQ(answer->scopes, token.scopes);
  EXPECT_EQ(answer->expires_at, token.expires_at);
}

TEST_F(LookUpTest, AnUnknownDigestIsAnAnswerWithoutAnythingElse) {
  Issue({.digest = DigestOf("known")});
  const auto answer = db().Introspect(DigestOf("unknown"));
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->state, TokenState::kUnknown);
  EXPECT_TRUE(answer->id.IsNil());
  EXPECT_FALSE(answer->owner_id.has_value());
  EXPECT_THAT(answer->scopes, IsEmpty());
  EXPECT_FALSE(answer->expires_at.has_value());
}

TEST_F(LookUpTest, IntrospectionFollowsEveryChange) {
  const Digest digest = DigestOf("s");
  const TokenId id = Issue({.digest = digest, .scopes = {"b", "a"}});
  TokenPatch patch;
  patch.owner = OwnedBy("ada");
  patch.scopes = std::vector<std::string>{"c"};
  patch.expires_at = Now() + absl::Hours(1);
  ASSERT_THAT(db().Update(id, patch), IsOk());
  auto answer = db().Introspect(digest);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->owner_id, "ada");
  EXPECT_THAT(answer->scopes, ElementsAre("c"));
  EXPECT_EQ(answer->expires_at, Now() + absl::Hours(1));
  patch = {};
  patch.enabled = false;
  ASSERT_THAT(db().Update(id, patch), IsOk());
  EXPECT_EQ(StateBy(digest), TokenState::kDisabled);
  ASSERT_THAT(db().Delete(id), IsOk());
  EXPECT_EQ(StateBy(digest), TokenState::kUnknown);
}

TEST_F(LookUpTest, AThousandScopesAreInTheRow) {
  std::vector<std::string> scopes;
  for (int i = 1000; i < 2000; ++i) scopes.push_back(std::to_string(i));
  Issue({.digest = DigestOf("s"), .scopes = scopes});
  const auto answer = db().Introspect(DigestOf("s"));
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->scopes, scopes);
}

// Every set of reasons, at the instants around each of them.
TEST_F(LookUpTest, TheFirstReasonWinsToTheMillisecond) {
  const absl::Time start = Now();
  const auto at = [&](int millis) {
    return start + absl::Milliseconds(millis);
  };
  for (int reasons = 0; reasons < 16; ++reasons) {
    Token token{.digest = DigestOf(std::to_string(reasons))};
    if ((reasons & 1) != 0) token.revoked_at = at(40);
    if ((reasons & 2) != 0) token.enabled = false;
    if ((reasons & 4) != 0) token.expires_at = at(20);
    if ((reasons & 8) != 0) token.not_before = at(10);
    Issue(token);
  }
  for (const int millis : {0, 9, 10, 11, 19, 20, 21, 39, 40, 41}) {
    clock().Set(at(millis));
    for (int reasons = 0; reasons < 16; ++reasons) {
      TokenState expected = TokenState::kLive;
      if ((reasons & 8) != 0 && millis < 10) {
        expected = TokenState::kNotYetValid;
      }
      if ((reasons & 4) != 0 && millis >= 20) expected = TokenState::kExpired;
      if ((reasons & 2) != 0) expected = TokenState::kDisabled;
      if ((reasons & 1) != 0 && millis >= 40) expected = TokenState::kRevoked;
      EXPECT_EQ(StateBy(DigestOf(std::to_string(reasons))), expected)
          << "reasons " << reasons << " at " << millis << " ms";
    }
  }
}

}  // namespace
}  // namespace tokendb::testing
