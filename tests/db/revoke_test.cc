// Revoke(), RevokeAll(), Delete() and DeleteAll().
#include <functional>
#include <string>
#include <vector>

#include "tests/support/database_test.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class RevokeTest : public DatabaseTest {
 protected:
  const TokenId absent_ =
      *TokenId::Parse("ffffffff-ffff-7fff-bfff-ffffffffffff");
};

TEST_F(RevokeTest, TheTimeAndTheReasonAreKept) {
  const TokenId id = Issue({.digest = DigestOf("s")});
  const auto revoked = db().Revoke(id, {.reason = "leaked"});
  ASSERT_THAT(revoked, IsOk());
  EXPECT_TRUE(revoked->changed);
  EXPECT_EQ(revoked->revoked_at, Now());
  EXPECT_EQ(Stored(id).revoked_at, Now());
  EXPECT_EQ(Stored(id).revoked_reason, "leaked");
  EXPECT_EQ(Stored(id).version, 2);
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kRevoked);
}

TEST_F(RevokeTest, TheEarliestRevocationHolds) {
  const absl::Time start = Now();
  const TokenId id = Issue({});
  const auto revoke = [&](absl::Time at, const char* reason) {
    const auto result = db().Revoke(id, {.reason = reason, .at = at});
    EXPECT_THAT(result, IsOk());
    return result.value_or(Revocation());
  };
  EXPECT_TRUE(revoke(start + absl::Hours(2), "later").changed);
  const Revocation same = revoke(start + absl::Hours(2), "same");
  EXPECT_FALSE(same.changed);
  EXPECT_EQ(same.revoked_at, start + absl::Hours(2));
  EXPECT_FALSE(revoke(start + absl::Hours(3), "even later").changed);
  EXPECT_EQ(Stored(id).revoked_reason, "later");
  EXPECT_EQ(Stored(id).version, 2);
  const Revocation earlier = revoke(start + absl::Hours(1), "earlier");
  EXPECT_TRUE(earlier.changed);
  EXPECT_EQ(earlier.revoked_at, start + absl::Hours(1));
  EXPECT_EQ(Stored(id).revoked_reason, "earlier");
  EXPECT_EQ(Stored(id).version, 3);
}

TEST_F(RevokeTest, PreconditionsAndAbsence) {
  const TokenId id = Issue({.owner = OwnedBy("ada")});
  EXPECT_THAT(db().Revoke(absent_), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(db().Revoke(TokenId()),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(db().Revoke(id, {.precondition = {.if_version = 5}}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(db().Revoke(id, {.precondition = {.if_owner = "eve"}}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_FALSE(Stored(id).revoked_at.has_value());
  EXPECT_THAT(db().Revoke(id, {.precondition = {.if_owner = "ada"}}), IsOk());
}

TEST_F(RevokeTest, AReasonThatIsTooLongIsRefused) {
  const TokenId id = Issue({.owner = OwnedBy("ada")});
  const std::string reason(Limits::kRevokedReasonBytes + 1, 'r');
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument,
                                HasSubstr("kRevokedReasonBytes"));
  EXPECT_THAT(db().Revoke(id, {.reason = reason}), refused);
  EXPECT_THAT(db().RevokeAll({.owners = {"ada"}}, {.reason = reason}), refused);
  EXPECT_EQ(Stored(id).version, 1);
}

TEST_F(RevokeTest, RevokeAllTakesEveryUnrevokedMatchWhateverItsState) {
  const TokenId live = Issue({.owner = OwnedBy("ada")});
  const TokenId expired =
      Issue({.owner = OwnedBy("ada"), .expires_at = Now() - absl::Hours(1)});
  const TokenId disabled = Issue({.owner = OwnedBy("ada"), .enabled = false});
  const TokenId later =
      Issue({.owner = OwnedBy("ada"), .not_before = Now() + absl::Hours(1)});
  const TokenId scheduled =
      Issue({.owner = OwnedBy("ada"), .revoked_at = Now() + absl::Hours(1)});
  const TokenId revoked = Issue({.owner = OwnedBy("ada"),
                                 .revoked_at = Now() - absl::Hours(1),
                                 .revoked_reason = "before"});
  const TokenId other = Issue({.owner = OwnedBy("bob")});
  EXPECT_THAT(db().RevokeAll({.owners = {"ada"}}, {.reason = "all"}),
              IsOkAndHolds(5));
  for (const TokenId& id : {live, expired, disabled, later, scheduled}) {
    EXPECT_EQ(Stored(id).revoked_at, Now());
    EXPECT_EQ(Stored(id).revoked_reason, "all");
    EXPECT_EQ(Stored(id).version, 2);
  }
  EXPECT_EQ(Stored(revoked).revoked_reason, "before");
  EXPECT_EQ(Stored(revoked).revoked_at, Now() - absl::Hours(1));
  EXPECT_FALSE(Stored(other).revoked_at.has_value());
  EXPECT_THAT(db().RevokeAll({.owners = {"ada"}}), IsOkAndHolds(0));
}

TEST_F(RevokeTest, StatesAndPagingOfTheQueryAreNotUsedByRevokeAll) {
  for (int i = 0; i < 10; ++i) Issue({.owner = OwnedBy("ada")});
  EXPECT_THAT(db().RevokeAll({.owners = {"ada"},
                              .states = TokenState::kExpired,
                              .order = Order::kCreation,
                              .direction = Direction::kDescending,
                              .limit = 1,
                              .max_examined = 1}),
              IsOkAndHolds(10));
}

TEST_F(RevokeTest, DeleteAllHeedsStates) {
  const TokenId live = Issue({.owner = OwnedBy("ada")});
  const TokenId expired =
      Issue({.owner = OwnedBy("ada"), .expires_at = Now() - absl::Hours(1)});
  EXPECT_THAT(
      db().DeleteAll({.owners = {"ada"}, .states = TokenState::kExpired}),
      IsOkAndHolds(1));
  EXPECT_THAT(db().Get(expired), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(db().DeleteAll({.owners = {"ada"}}), IsOkAndHolds(1));
  EXPECT_THAT(db().Get(live), StatusIs(absl::StatusCode::kNotFound));
}

// States alone are no condition: they would still mean "every live token".
TEST_F(RevokeTest, WithoutAConditionBothAreRefused) {
  const TokenId id = Issue({});
  Query query{.states = StateSet::All(),
              .order = Order::kCreation,
              .limit = 5,
              .max_examined = 100};
  const auto refused =
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no condition"));
  EXPECT_THAT(db().RevokeAll(query), refused);
  EXPECT_THAT(db().DeleteAll(query), refused);
  query.states = TokenState::kExpired;
  EXPECT_THAT(db().DeleteAll(query), refused);
  EXPECT_EQ(Stored(id).version, 1);
}

TEST_F(RevokeTest, EachConditionAloneIsEnough) {
  const std::vector<std::function<void(Query&)>> conditions = {
      [](Query& q) { q.ids = {FromNumber(1)}; },
      [](Query& q) { q.digest = DigestOf("1"); },
      [](Query& q) { q.owners = {"ada"}; },
      [](Query& q) { q.scopes.all_of = {"one"}; },
      [](Query& q) {
        q.scopes.any_of = {"one", "never"};
      },
      [](Query& q) { q.scopes.none_of = {"two"}; },
      [](Query& q) {
        q.scopes.all_of = {"one"};
        q.scopes.exact = true;
      },
      [this](Query& q) { q.expires.before = Now() + absl::Hours(2); },
      [](Query& q) { q.lifetime = Lifetime::kExpiring; },
      [this](Query& q) { q.created.before = Now(); },
      [this](Query& q) { q.last_accessed.from = Now() - absl::Hours(1); },
      [](Query& q) { q.text = "FIRST"; },
      [](Query& q) { q.organization = "acme"; },
      [](Query& q) { q.kind = "access"; },
      [](Query& q) { q.ip_address = "192.0.2.1"; },
      [](Query& q) {
        q.residual = [](const Token& token) { return token.name == "one"; };
      }};
  for (size_t i = 0; i < conditions.size(); ++i) {
    SCOPED_TRACE(i);
    const Token one{.id = FromNumber(1),
                    .digest = DigestOf("1"),
                    .owner = OwnedBy("ada"),
                    .description = "the first one",
                    .scopes = {"one"},
                    .created_at = Now() - absl::Hours(1),
                    .expires_at = Now() + absl::Hours(1),
                    .last_accessed_at = Now(),
                    .ip_address = "192.0.2.1",
                    .organization = "acme",
                    .kind = "access",
                    .name = "one"};
    Issue(one);
    Issue({.id = FromNumber(2), .scopes = {"two"}, .created_at = Now()});
    Query query;
    conditions[i](query);
    EXPECT_THAT(db().RevokeAll(query), IsOkAndHolds(1));
    EXPECT_TRUE(Stored(one.id).revoked_at.has_value());
    EXPECT_FALSE(Stored(FromNumber(2)).revoked_at.has_value());
    query.states = StateSet::All();
    EXPECT_THAT(db().DeleteAll(query), IsOkAndHolds(1));
    EXPECT_THAT(Ids({.states = StateSet::All()}), ElementsAre(FromNumber(2)));
    ASSERT_THAT(db().Delete(FromNumber(2)), IsOk());
  }
}

TEST_F(RevokeTest, MaxTokensStopsAndTheSameCallGoesOn) {
  for (int i = 0; i < 700; ++i) Issue({.owner = OwnedBy("ada")});
  const Query query{.owners = {"ada"}};
  std::vector<uint64_t> revoked;
  for (int i = 0; i < 4; ++i) {
    revoked.push_back(*db().RevokeAll(query, {.max_tokens = 300}));
  }
  EXPECT_THAT(revoked, ElementsAre(300, 300, 100, 0));
  EXPECT_EQ(CountOf({.states = TokenState::kRevoked}), 700);
  Query all = query;
  all.states = StateSet::All();
  EXPECT_THAT(db().DeleteAll(all, {.max_tokens = 0}), IsOkAndHolds(0));
  EXPECT_THAT(db().DeleteAll(all, {.max_tokens = 699}), IsOkAndHolds(699));
  EXPECT_EQ(CountOf(all), 1);
  EXPECT_THAT(db().DeleteAll(all, {.max_tokens = 699}), IsOkAndHolds(1));
}

TEST_F(RevokeTest, AnInvalidQueryIsRefused) {
  EXPECT_THAT(db().RevokeAll({.owners = {""}}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(db().DeleteAll({.ids = {TokenId()}}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(RevokeTest, DeleteLeavesNothing) {
  const TokenId id = Issue({.digest = DigestOf("s"),
                            .owner = OwnedBy("ada"),
                            .scopes = {"read"},
                            .expires_at = Now() + absl::Hours(1)});
  ASSERT_THAT(db().Delete(id), IsOk());
  EXPECT_THAT(db().Get(id), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kUnknown);
  EXPECT_THAT(Ids({.owners = {"ada"}, .states = StateSet::All()}), IsEmpty());
  EXPECT_THAT(db().Delete(id), StatusIs(absl::StatusCode::kNotFound));
  const auto report = db().Check();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->records, 0);
  EXPECT_EQ(report->entries, 0);
}

TEST_F(RevokeTest, DeleteHeedsPreconditions) {
  const TokenId id = Issue({.owner = OwnedBy("ada")});
  EXPECT_THAT(db().Delete(TokenId()),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(db().Delete(id, {.precondition = {.if_version = 2}}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(db().Delete(id, {.precondition = {.if_owner = "eve"}}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(db().Get(id), IsOk());
  EXPECT_THAT(
      db().Delete(id, {.precondition = {.if_version = 1, .if_owner = "ada"}}),
      IsOk());
}

}  // namespace
}  // namespace tokendb::testing
