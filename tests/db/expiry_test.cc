// What is live: section B of the scenarios.
#include <set>

#include "tests/support/database_test.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class ExpiryTest : public DatabaseTest {};

// Scenario 21.
TEST_F(ExpiryTest, TokenIsDeadExactlyAtItsExpiryOnEveryPath) {
  const absl::Time expiry = Now() + absl::Seconds(10);
  const TokenId id = Issue({.digest = DigestOf("s"),
                            .owner = OwnedBy("ada"),
                            .scopes = {"read"},
                            .expires_at = expiry});
  const auto expect = [&](bool live) {
    EXPECT_EQ(StateBy(DigestOf("s")),
              live ? TokenState::kLive : TokenState::kExpired);
    for (const Query& query :
         {Query{}, Query{.owners = {"ada"}},
          Query{.scopes = {.all_of = {"read"}}},
          Query{.order = Order::kCreation}, Query{.ids = {id}},
          Query{.digest = DigestOf("s")}}) {
      EXPECT_EQ(Ids(query).size(), live ? 1 : 0);
      EXPECT_EQ(CountOf(query), live ? 1 : 0);
      EXPECT_EQ(db().ListIds(query)->ids.size(), live ? 1 : 0);
      Query expired = query;
      expired.states = TokenState::kExpired;
      EXPECT_EQ(CountOf(expired), live ? 0 : 1);
    }
  };
  clock().Set(expiry - absl::Milliseconds(1));
  expect(true);
  clock().Set(expiry);
  expect(false);
  clock().Set(expiry + absl::Milliseconds(1));
  expect(false);
}

// Scenario 22.
TEST_F(ExpiryTest, ListingLiveAndAskingOneByOneAgree) {
  std::vector<TokenId> ids;
  for (int offset = -3; offset <= 3; ++offset) {
    ids.push_back(Issue({.expires_at = Now() + absl::Milliseconds(offset)}));
  }
  std::set<TokenId> one_by_one;
  for (const TokenId& id : ids) {
    if (StateOf(*db().Get(id), db().Now()) == TokenState::kLive) {
      one_by_one.insert(id);
    }
  }
  const std::vector<TokenId> listed = Ids({});
  EXPECT_EQ(std::set<TokenId>(listed.begin(), listed.end()), one_by_one);
  EXPECT_EQ(listed.size(), 3);
}

// Scenario 23.
TEST_F(ExpiryTest, ATokenWithoutExpiryIsLiveAtAnyTime) {
  const TokenId id = Issue({.digest = DigestOf("s")});
  for (const int years : {0, 10, 1000, 7000}) {
    clock().Advance(absl::Hours(24 * 365 * years));
    ASSERT_THAT(db().Compact(), IsOk());
    EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kLive);
    EXPECT_THAT(Ids({}), ElementsAre(id));
  }
}

// Scenario 25.
TEST_F(ExpiryTest, NeverExpiringTokensHaveAFilterOfTheirOwn) {
  const TokenId never = Issue({});
  const TokenId soon = Issue({.expires_at = Now() + absl::Hours(1)});
  EXPECT_THAT(Ids({.expires = {.before = absl::FromUnixSeconds(32503680000)}}),
              ElementsAre(soon));
  EXPECT_THAT(Ids({.expires = {.from = Now()}}), ElementsAre(soon));
  EXPECT_THAT(Ids({.lifetime = Lifetime::kNeverExpiring}), ElementsAre(never));
  EXPECT_THAT(Ids({.lifetime = Lifetime::kExpiring}), ElementsAre(soon));
  EXPECT_THAT(Ids({}), ElementsAre(soon, never));
}

// Scenario 27.
TEST_F(ExpiryTest, TheEpochIsATimeAndNotNever) {
  const TokenId id = Issue({.expires_at = absl::UnixEpoch()});
  EXPECT_EQ(db().Get(id)->expires_at, absl::UnixEpoch());
  EXPECT_THAT(Ids({}), IsEmpty());
  EXPECT_THAT(Ids({.states = TokenState::kExpired}), ElementsAre(id));
}

// Scenario 28.
TEST_F(ExpiryTest, RemainingLifetimeIsNeverNegative) {
  const Token expiring{.expires_at = Now() + absl::Seconds(5)};
  EXPECT_EQ(RemainingLifetime(expiring, Now()), absl::Seconds(5));
  EXPECT_EQ(RemainingLifetime(expiring, Now() + absl::Hours(1)),
            absl::ZeroDuration());
  EXPECT_EQ(RemainingLifetime(Token(), Now()), std::nullopt);
}

// Scenario 29: what is finer than a millisecond is dropped, and never turns
// into "never".
TEST_F(ExpiryTest, AnExpiryInTheLastInstantStaysAnExpiry) {
  const TokenId id = Issue({.expires_at = Now() + absl::Microseconds(1)});
  EXPECT_EQ(db().Get(id)->expires_at, Now());
  EXPECT_THAT(Ids({}), IsEmpty());
}

// Scenario 34.
TEST_F(ExpiryTest, AClockSetBackRevivesNothing) {
  const absl::Time start = Now();
  Issue({.digest = DigestOf("s"), .expires_at = start + absl::Hours(1)});
  clock().Set(start + absl::Hours(2));
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kExpired);
  clock().Set(start - absl::Hours(24));
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kExpired);
  EXPECT_EQ(db().Now(), start + absl::Hours(2));
  Reopen();
  EXPECT_EQ(db().Now(), start + absl::Hours(2));
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kExpired);
  EXPECT_THAT(Ids({}), IsEmpty());
}

TEST_F(ExpiryTest, OpeningIsEnoughToHoldTheClock) {
  const absl::Time start = Now();
  clock().Set(start - absl::Hours(24));
  EXPECT_EQ(db().Now(), start);
}

// Scenario 36.
TEST_F(ExpiryTest, AuthenticateSaysWhyNot) {
  Issue({.digest = DigestOf("expired"), .expires_at = Now()});
  Issue({.digest = DigestOf("revoked"), .revoked_at = Now()});
  Issue({.digest = DigestOf("disabled"), .enabled = false});
  Issue({.digest = DigestOf("early"), .not_before = Now() + absl::Seconds(1)});
  EXPECT_EQ(StateBy(DigestOf("expired")), TokenState::kExpired);
  EXPECT_EQ(StateBy(DigestOf("revoked")), TokenState::kRevoked);
  EXPECT_EQ(StateBy(DigestOf("disabled")), TokenState::kDisabled);
  EXPECT_EQ(StateBy(DigestOf("early")), TokenState::kNotYetValid);
  EXPECT_EQ(StateBy(DigestOf("none")), TokenState::kUnknown);
}

TEST_F(ExpiryTest, OfSeveralReasonsTheFirstInOrderIsGiven) {
  Token token{.digest = DigestOf("s"),
              .expires_at = Now(),
              .not_before = Now() + absl::Seconds(1),
              .revoked_at = Now(),
              .enabled = false};
  const TokenId id = Issue(token);
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kRevoked);
  TokenPatch patch;
  patch.revoked_at = kClear;
  ASSERT_THAT(db().Update(id, patch), IsOk());
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kDisabled);
  patch.enabled = true;
  ASSERT_THAT(db().Update(id, patch), IsOk());
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kExpired);
  patch.expires_at = kClear;
  ASSERT_THAT(db().Update(id, patch), IsOk());
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kNotYetValid);
}

// Scenario 37.
TEST_F(ExpiryTest, NothingExpiredIsReportedLiveWithoutAFilter) {
  for (int i = 0; i < 100; ++i) {
    Issue({.owner = OwnedBy("ada"),
           .scopes = {"read"},
           .expires_at = Now() + absl::Seconds(i % 2 == 0 ? 1 : 100)});
  }
  clock().Advance(absl::Seconds(50));
  EXPECT_EQ(Ids({}).size(), 50);
  EXPECT_EQ(Ids({.owners = {"ada"}}).size(), 50);
  EXPECT_EQ(CountOf({.scopes = {.any_of = {"read"}}}), 50);
  const auto groups = db().CountBy({}, Grouping::kOwner);
  ASSERT_THAT(groups, IsOk());
  EXPECT_EQ(groups->groups.front().count, 50);
}

// Scenario 39.
TEST_F(ExpiryTest, ATokenBecomesLiveAtItsNotBefore) {
  const absl::Time start = Now() + absl::Seconds(10);
  const TokenId id = Issue({.digest = DigestOf("s"), .not_before = start});
  clock().Set(start - absl::Milliseconds(1));
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kNotYetValid);
  EXPECT_THAT(Ids({}), IsEmpty());
  EXPECT_THAT(Ids({.states = TokenState::kNotYetValid}), ElementsAre(id));
  clock().Set(start);
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kLive);
  EXPECT_THAT(Ids({}), ElementsAre(id));
}

// From the design's traps: extension and shortening over compactions.
TEST_F(ExpiryTest, TheLatestExpiryHoldsThroughCompaction) {
  const TokenId extended =
      Issue({.digest = DigestOf("e"), .expires_at = Now() + absl::Hours(1)});
  const TokenId shortened =
      Issue({.digest = DigestOf("s"), .expires_at = Now() + absl::Hours(9)});
  ASSERT_THAT(db().Compact(), IsOk());
  TokenPatch patch;
  patch.expires_at = Now() + absl::Hours(9);
  ASSERT_THAT(db().Update(extended, patch), IsOk());
  patch.expires_at = Now() + absl::Hours(1);
  ASSERT_THAT(db().Update(shortened, patch), IsOk());
  clock().Advance(absl::Hours(2));
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(StateBy(DigestOf("e")), TokenState::kLive);
    EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kExpired);
    EXPECT_THAT(Ids({}), ElementsAre(extended));
    ASSERT_THAT(db().Compact(), IsOk());
  }
}

}  // namespace
}  // namespace tokendb::testing
