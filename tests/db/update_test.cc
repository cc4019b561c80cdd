// Update(): patches, versions, preconditions and unique digests.
#include <string>
#include <vector>

#include "tests/support/database_test.h"
#include "tests/support/full_token.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class UpdateTest : public DatabaseTest {
 protected:
  absl::StatusOr<Token> Update(const TokenId& id, const TokenPatch& patch,
                               const Precondition& precondition = {}) {
    return db().Update(
        id, patch,
        {.precondition = precondition, .durability = Durability::kBuffered});
  }
  const TokenId absent_ =
      *TokenId::Parse("ffffffff-ffff-7fff-bfff-ffffffffffff");
};

TEST_F(UpdateTest, AbsentFieldsStayAsTheyAre) {
  const TokenId id = Issue(FullToken(Now()));
  Token expected = Stored(id);
  TokenPatch patch;
  patch.description = "changed";
  const auto updated = Update(id, patch);
  expected.description = "changed";
  expected.version = 2;
  EXPECT_THAT(updated, IsOkAndHolds(expected));
  EXPECT_EQ(Stored(id), expected);
}

TEST_F(UpdateTest, ClearingEverythingLeavesATokenOfDefaults) {
  Token token = FullToken(Now());
  token.enabled = false;
  token.revoked_at = Now();
  token.revoked_reason = "leaked";
  const TokenId id = Issue(token);
  TokenPatch patch;
  patch.node_id = kClear;
  patch.digest = kClear;
  patch.owner = kClear;
  patch.description = kClear;
  patch.scopes = kClear;
  patch.expires_at = kClear;
  patch.last_accessed_at = kClear;
  patch.ip_address = kClear;
  patch.organization = kClear;
  patch.kind = kClear;
  patch.name = kClear;
  patch.not_before = kClear;
  patch.revoked_at = kClear;
  patch.revoked_reason = kClear;
  patch.enabled = kClear;
  patch.family_id = kClear;
  patch.parent_id = kClear;
  patch.created_by = kClear;
  patch.allowed_cidrs = kClear;
  patch.pepper_version = kClear;
  patch.metadata = kClear;
  const Token expected{.id = id, .created_at = token.created_at, .version = 2};
  EXPECT_THAT(Update(id, patch), IsOkAndHolds(expected));
  EXPECT_EQ(Stored(id), expected);
  EXPECT_EQ(StateBy(*token.digest), TokenState::kUnknown);
  EXPECT_THAT(Ids({.without_owner = true}), ElementsAre(id));
}

TEST_F(UpdateTest, SettingEverythingMakesAFullToken) {
  const Token wanted = FullToken(Now());
  const TokenId id = Issue({.id = wanted.id, .created_at = wanted.created_at});
  TokenPatch patch;
  patch.node_id = wanted.node_id;
  patch.digest = *wanted.digest;
  patch.owner = *wanted.owner;
  patch.description = wanted.description;
  patch.scopes = wanted.scopes;
  patch.expires_at = *wanted.expires_at;
  patch.last_accessed_at = *wanted.last_accessed_at;
  patch.ip_address = wanted.ip_address;
  patch.organization = wanted.organization;
  patch.kind = wanted.kind;
  patch.name = wanted.name;
  patch.not_before = *wanted.not_before;
  patch.family_id = *wanted.family_id;
  patch.parent_id = *wanted.parent_id;
  patch.created_by = wanted.created_by;
  patch.allowed_cidrs = wanted.allowed_cidrs;
  patch.pepper_version = wanted.pepper_version;
  patch.metadata = wanted.metadata;
  ASSERT_THAT(Update(id, patch), IsOk());
  Token expected = wanted;
  expected.version = 2;
  EXPECT_EQ(Stored(id), expected);
}

TEST_F(UpdateTest, APatchThatChangesNothingKeepsTheVersion) {
  const TokenId id = Issue(FullToken(Now()));
  const Token before = Stored(id);
  EXPECT_THAT(Update(id, {}), IsOkAndHolds(before));
  TokenPatch patch;
  patch.description = before.description;
  // Another order, twice, and finer than a millisecond: the same once stored.
  patch.scopes =
      std::vector<std::string>{"write_builds", "read_builds", "write_builds"};
  patch.expires_at = *before.expires_at + absl::Microseconds(1);
  patch.digest = *before.digest;
  EXPECT_THAT(Update(id, patch), IsOkAndHolds(before));
  EXPECT_EQ(Stored(id).version, 1);
}

TEST_F(UpdateTest, EveryChangeCountsTheVersionUp) {
  const TokenId id = Issue({});
  for (uint64_t version = 2; version <= 5; ++version) {
    TokenPatch patch;
    patch.description = std::to_string(version);
    ASSERT_THAT(Update(id, patch), IsOk());
    EXPECT_EQ(Stored(id).version, version);
  }
}

TEST_F(UpdateTest, WhatDoesNotExistIsNotFound) {
  TokenPatch patch;
  patch.description = "x";
  EXPECT_THAT(Update(absent_, patch), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Update(TokenId(), patch),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(CountOf({.states = StateSet::All()}), 0);
}

TEST_F(UpdateTest, ARefusedPatchChangesNothing) {
  const TokenId id = Issue({.owner = OwnedBy("ada"), .scopes = {"read"}});
  const Token before = Stored(id);
  TokenPatch patch;
  patch.description = "changed";
  patch.scopes = std::vector<std::string>{"write", ""};
  EXPECT_THAT(Update(id, patch), StatusIs(absl::StatusCode::kInvalidArgument));
  patch.scopes = kClear;
  patch.owner = OwnedBy("");
  EXPECT_THAT(Update(id, patch), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("owner.id")));
  patch.owner = kClear;
  patch.metadata = std::string(Limits::kRecordBytes, 'm');
  EXPECT_THAT(Update(id, patch), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("kRecordBytes")));
  EXPECT_EQ(Stored(id), before);
}

TEST_F(UpdateTest, PreconditionsMustAllHold) {
  const TokenId id = Issue({.owner = OwnedBy("ada")});
  TokenPatch patch;
  patch.description = "changed";
  const auto refused = StatusIs(absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Update(id, patch, {.if_version = 2}), refused);
  EXPECT_THAT(Update(id, patch, {.if_version = 0}), refused);
  EXPECT_THAT(Update(id, patch, {.if_owner = "eve"}), refused);
  EXPECT_THAT(Update(id, patch, {.if_owner = "ad"}), refused);
  EXPECT_THAT(Update(id, patch, {.if_version = 1, .if_owner = "eve"}), refused);
  EXPECT_THAT(Update(id, patch, {.if_version = 2, .if_owner = "ada"}), refused);
  EXPECT_EQ(Stored(id).version, 1);
  EXPECT_THAT(Update(id, patch, {.if_version = 1, .if_owner = "ada"}), IsOk());
  EXPECT_EQ(Stored(id).version, 2);
}

TEST_F(UpdateTest, ATokenWithoutAnOwnerMeetsNoOwnerPrecondition) {
  const TokenId id = Issue({});
  TokenPatch patch;
  patch.description = "changed";
  EXPECT_THAT(Update(id, patch, {.if_owner = ""}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(UpdateTest, APreconditionIsTestedEvenIfThePatchChangesNothing) {
  const TokenId id = Issue({});
  EXPECT_THAT(Update(id, {}, {.if_version = 9}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(UpdateTest, ADigestOfAnotherTokenIsRefused) {
  Issue({.digest = DigestOf("a")});
  const TokenId id = Issue({.digest = DigestOf("b"), .description = "b"});
  const Token before = Stored(id);
  TokenPatch patch;
  patch.digest = DigestOf("a");
  patch.description = "changed";
  EXPECT_THAT(Update(id, patch), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(Stored(id), before);
  EXPECT_THAT(db().GetByDigest(DigestOf("b")), IsOkAndHolds(HasId(id)));
}

TEST_F(UpdateTest, ADigestThatWasGivenUpIsFree) {
  const TokenId id = Issue({.digest = DigestOf("a")});
  TokenPatch patch;
  patch.digest = DigestOf("b");
  ASSERT_THAT(Update(id, patch), IsOk());
  const TokenId other = Issue({.digest = DigestOf("a")});
  EXPECT_THAT(db().GetByDigest(DigestOf("a")), IsOkAndHolds(HasId(other)));
  patch.digest = DigestOf("a");
  EXPECT_THAT(Update(id, patch), StatusIs(absl::StatusCode::kAlreadyExists));
  ASSERT_THAT(db().Delete(other), IsOk());
  ASSERT_THAT(Update(id, patch), IsOk());
  EXPECT_EQ(StateBy(DigestOf("b")), TokenState::kUnknown);
}

TEST_F(UpdateTest, TheDigestOfAnExpiredTokenPassesOn) {
  const TokenId old =
      Issue({.digest = DigestOf("a"), .expires_at = Now() + absl::Hours(1)});
  const TokenId id = Issue({.digest = DigestOf("b")});
  clock().Advance(absl::Hours(1));
  TokenPatch patch;
  patch.digest = DigestOf("a");
  ASSERT_THAT(Update(id, patch), IsOk());
  EXPECT_THAT(db().GetByDigest(DigestOf("a")), IsOkAndHolds(HasId(id)));
  EXPECT_FALSE(Stored(old).digest.has_value());
  // Made live again, the old one is live without a digest.
  TokenPatch renewal;
  renewal.expires_at = kClear;
  ASSERT_THAT(Update(old, renewal), IsOk());
  renewal.digest = DigestOf("a");
  EXPECT_THAT(Update(old, renewal), StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(UpdateTest, AnExpiredTokenKeepsItsDigestUntilAnotherTakesIt) {
  const TokenId id =
      Issue({.digest = DigestOf("a"), .expires_at = Now() + absl::Hours(1)});
  clock().Advance(absl::Hours(2));
  TokenPatch patch;
  patch.expires_at = Now() + absl::Hours(1);
  ASSERT_THAT(Update(id, patch), IsOk());
  EXPECT_EQ(StateBy(DigestOf("a")), TokenState::kLive);
  EXPECT_THAT(db().Issue({.digest = DigestOf("a")}),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(UpdateTest, AllIndexesFollow) {
  const absl::Time soon = Now() + absl::Hours(1);
  const TokenId id = Issue({.owner = OwnedBy("ada"),
                            .scopes = {"read", "write"},
                            .expires_at = soon});
  TokenPatch patch;
  patch.owner = OwnedBy("bob");
  patch.scopes = std::vector<std::string>{"write", "admin"};
  patch.expires_at = soon + absl::Hours(24);
  ASSERT_THAT(Update(id, patch), IsOk());
  EXPECT_THAT(Ids({.owners = {"ada"}}), IsEmpty());
  EXPECT_THAT(Ids({.owners = {"bob"}}), ElementsAre(id));
  EXPECT_THAT(Ids({.scopes = {.all_of = {"read"}}}), IsEmpty());
  EXPECT_THAT(Ids({.scopes = {.all_of = {"write"}}}), ElementsAre(id));
  EXPECT_THAT(Ids({.scopes = {.all_of = {"admin"}}}), ElementsAre(id));
  EXPECT_THAT(Ids({.expires = {.before = soon + absl::Seconds(1)}}), IsEmpty());
  EXPECT_THAT(Ids({.expires = {.from = soon + absl::Seconds(1)}}),
              ElementsAre(id));
}

TEST_F(UpdateTest, ADisabledTokenCanBeEnabledAgain) {
  const TokenId id = Issue({.digest = DigestOf("a"), .enabled = false});
  TokenPatch patch;
  patch.enabled = true;
  ASSERT_THAT(Update(id, patch), IsOk());
  EXPECT_EQ(StateBy(DigestOf("a")), TokenState::kLive);
}

}  // namespace
}  // namespace tokendb::testing
