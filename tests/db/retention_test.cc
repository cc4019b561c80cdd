// What is forgotten, when, and that compactions make no difference. Traps of
// the design, and scenarios of section F.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/support/database_test.h"
#include "tests/support/raw_database.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kRetainExpired = absl::Minutes(1);
constexpr absl::Duration kRetainRevoked = absl::Hours(1);
constexpr absl::Duration kTick = absl::Milliseconds(1);

class RetentionTest : public DatabaseTest {
 protected:
  void SetUp() override {
    SetRetention(kRetainExpired, kRetainRevoked);
    options().reclaim.automatic = false;
    DatabaseTest::SetUp();
  }

  void SetRetention(absl::Duration expired, absl::Duration revoked) {
    options().retain_expired = expired;
    options().retain_revoked = revoked;
  }

  TokenId IssueExpiring(const std::string& secret, absl::Duration lifetime) {
    return Issue({.digest = DigestOf(secret),
                  .owner = OwnedBy("ada"),
                  .scopes = {"read"},
                  .expires_at = Now() + lifetime});
  }

  // Every path must agree on whether the token is there.
  void ExpectThere(const TokenId& id, const std::string& secret, bool there) {
    const Query all = {.states = StateSet::All()};
    EXPECT_EQ(db().Get(id).ok(), there);
    EXPECT_EQ((*db().GetMany({id}))[0].has_value(), there);
    EXPECT_EQ(db().GetByDigest(DigestOf(secret)).ok(), there);
    EXPECT_EQ(StateBy(DigestOf(secret)) != TokenState::kUnknown, there);
    for (const Order order : {Order::kExpiry, Order::kCreation}) {
      for (Query query :
           {all, Query{.ids = {id}, .states = StateSet::All()},
            Query{.digest = DigestOf(secret), .states = StateSet::All()},
            Query{.owners = {"ada"}, .states = StateSet::All()},
            Query{.scopes = {.all_of = {"read"}}, .states = StateSet::All()}}) {
        query.order = order;
        EXPECT_EQ(Ids(query).size(), there ? 1 : 0);
        EXPECT_EQ(CountOf(query), there ? 1 : 0);
      }
    }
    const auto groups = db().CountBy(all, Grouping::kState);
    ASSERT_THAT(groups, IsOk());
    EXPECT_EQ(groups->groups.size(), there ? 1 : 0);
  }

  void ExpectCleanAndWithRecords(uint64_t records) {
    const auto report = db().Check();
    ASSERT_THAT(report, IsOk());
    EXPECT_EQ(report->problems_found, 0);
    EXPECT_EQ(report->records, records);
  }

  void Compact() { ASSERT_THAT(db().Compact(), IsOk()); }
  void Flush() { ASSERT_THAT(db().Flush(), IsOk()); }
};

// Scenarios 92, 95: exactly those past the cutoff, no earlier and no later.
TEST_F(RetentionTest, AnExpiredTokenIsForgottenAtTheEndOfItsRetention) {
  const TokenId id = IssueExpiring("s", absl::Hours(2));
  clock().Advance(absl::Hours(2) + kRetainExpired - kTick);
  for (int compacted = 0; compacted < 2; ++compacted) {
    ExpectThere(id, "s", true);
    Compact();
  }
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kExpired);
  clock().Advance(kTick);
  for (int compacted = 0; compacted < 2; ++compacted) {
    ExpectThere(id, "s", false);
    ExpectCleanAndWithRecords(0);
    Compact();
  }
}

TEST_F(RetentionTest, ARevokedOneAtTheEndOfItsOwn) {
  const TokenId id = IssueExpiring("s", absl::Hours(2));
  ASSERT_THAT(db().Revoke(id), IsOk());
  clock().Advance(absl::Hours(2) + kRetainRevoked - kTick);
  for (int compacted = 0; compacted < 2; ++compacted) {
    ExpectThere(id, "s", true);
    EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kRevoked);
    Compact();
  }
  clock().Advance(kTick);
  for (int compacted = 0; compacted < 2; ++compacted) {
    ExpectThere(id, "s", false);
    Compact();
  }
}

TEST_F(RetentionTest, AForgottenTokenCannotBeChanged) {
  const TokenId id = IssueExpiring("s", absl::Hours(2));
  clock().Advance(absl::Hours(2) + kRetainExpired);
  TokenPatch patch;
  patch.expires_at = kClear;
  const auto not_found = StatusIs(absl::StatusCode::kNotFound);
  EXPECT_THAT(db().Update(id, patch), not_found);
  EXPECT_THAT(db().Revoke(id), not_found);
  EXPECT_THAT(db().Delete(id), not_found);
  EXPECT_THAT(db().RevokeAll({.owners = {"ada"}}), IsOkAndHolds(0));
  EXPECT_THAT(db().DeleteAll({.owners = {"ada"}, .states = StateSet::All()}),
              IsOkAndHolds(0));
}

// Scenario 23.
TEST_F(RetentionTest, ATokenWithoutExpiryIsNeverForgotten) {
  SetRetention(absl::ZeroDuration(), absl::ZeroDuration());
  Reopen();
  const TokenId id = Issue(
      {.digest = DigestOf("s"), .owner = OwnedBy("ada"), .scopes = {"read"}});
  clock().Advance(absl::Hours(24) * 365 * 1000);
  Compact();
  ExpectThere(id, "s", true);
  ASSERT_THAT(db().Revoke(id), IsOk());
  clock().Advance(absl::Hours(24) * 365 * 1000);
  Compact();
  ExpectThere(id, "s", true);
}

// Design: shortened expiry over an old long one in the last level stays dead.
TEST_F(RetentionTest, AShortenedExpiryDoesNotBringTheLongOneBack) {
  const TokenId id = IssueExpiring("s", absl::Hours(1000));
  Compact();
  TokenPatch patch;
  patch.expires_at = Now() + absl::Hours(1);
  ASSERT_THAT(db().Update(id, patch), IsOk());
  Flush();
  clock().Advance(absl::Hours(2));
  ExpectThere(id, "s", false);
  for (int round = 0; round < 3; ++round) {
    ASSERT_THAT(db().Reclaim(), IsOk());
    Compact();
    ExpectThere(id, "s", false);
    Reopen();
    ExpectThere(id, "s", false);
  }
  ExpectCleanAndWithRecords(0);
}

// Design; scenarios 100, 107.
TEST_F(RetentionTest, AnExtendedTokenSurvivesTheCompactionOfTheOldVersion) {
  const TokenId id = IssueExpiring("s", absl::Hours(1));
  Compact();
  TokenPatch patch;
  patch.expires_at = Now() + absl::Hours(100);
  ASSERT_THAT(db().Update(id, patch), IsOk());
  clock().Advance(absl::Hours(2));
  for (int round = 0; round < 3; ++round) {
    ExpectThere(id, "s", true);
    EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kLive);
    Flush();
    ASSERT_THAT(db().Reclaim(), IsOk());
    Compact();
  }
  ExpectCleanAndWithRecords(1);
}

// Design: digest re-use after expiry, before and after compaction.
TEST_F(RetentionTest, IdAndDigestOfAForgottenTokenAreFree) {
  for (const bool compact : {false, true}) {
    const TokenId id = IssueExpiring("s", absl::Hours(1));
    clock().Advance(absl::Hours(2));
    if (compact) Compact();
    const TokenId other = IssueExpiring("s", absl::Hours(10));
    EXPECT_NE(other, id);
    const TokenId again = Issue({.id = id, .digest = DigestOf("t")});
    EXPECT_EQ(again, id);
    EXPECT_THAT(db().GetByDigest(DigestOf("s")), IsOkAndHolds(HasId(other)));
    EXPECT_THAT(db().GetByDigest(DigestOf("t")), IsOkAndHolds(HasId(id)));
    ExpectCleanAndWithRecords(2);
    ASSERT_THAT(db().Delete(id), IsOk());
    ASSERT_THAT(db().Delete(other), IsOk());
  }
}

// The old row of the digest still names the id, which is another token by now.
TEST_F(RetentionTest, ATokenOfAReusedIdKeepsItsDigest) {
  const TokenId id = IssueExpiring("old", absl::Hours(1));
  clock().Advance(absl::Hours(2));
  Issue({.id = id, .digest = DigestOf("new")});
  const TokenId heir = Issue({.digest = DigestOf("old")});
  EXPECT_THAT(db().GetByDigest(DigestOf("new")), IsOkAndHolds(HasId(id)));
  EXPECT_THAT(db().GetByDigest(DigestOf("old")), IsOkAndHolds(HasId(heir)));
  ExpectCleanAndWithRecords(2);
}

TEST_F(RetentionTest, LongerRetentionBringsNothingBack) {
  const TokenId id = IssueExpiring("s", absl::Hours(1));
  clock().Advance(absl::Hours(1) + kRetainExpired);
  ExpectThere(id, "s", false);
  SetRetention(absl::InfiniteDuration(), absl::InfiniteDuration());
  Reopen();
  ExpectThere(id, "s", false);
}

TEST_F(RetentionTest, TheRetentionIsKeptWithTheDatabase) {
  const TokenId id = IssueExpiring("s", absl::Hours(1));
  options().retain_expired.reset();
  options().retain_revoked.reset();
  Reopen();
  EXPECT_EQ(db().Stats()->reclaim.retain_expired, kRetainExpired);
  EXPECT_EQ(db().Stats()->reclaim.retain_revoked, kRetainRevoked);
  clock().Advance(absl::Hours(1) + kRetainExpired - kTick);
  ExpectThere(id, "s", true);
  clock().Advance(kTick);
  ExpectThere(id, "s", false);
}

TEST_F(RetentionTest, ANewDatabaseKeepsExpiredTokensForAMinute) {
  const auto db = Database::Open(path() + "2", {.clock = &clock()});
  ASSERT_THAT(db, IsOk());
  EXPECT_EQ((*db)->Stats()->reclaim.retain_expired, absl::Minutes(1));
  EXPECT_EQ((*db)->Stats()->reclaim.retain_revoked, absl::Minutes(1));
}

// Scenario 34; design: clock a day back.
TEST_F(RetentionTest, AClockSetBackBringsNothingBack) {
  const TokenId id = IssueExpiring("s", absl::Hours(1));
  clock().Advance(absl::Hours(2));
  Compact();
  clock().Advance(absl::Hours(-24));
  ExpectThere(id, "s", false);
  Reopen();
  ExpectThere(id, "s", false);
}

// Design: a snapshot's reads are unaffected by any compaction.
TEST_F(RetentionTest, AReaderGoesOnAcrossCompactions) {
  std::vector<TokenId> ids;
  for (int i = 0; i < 600; ++i) {
    ids.push_back(
        IssueExpiring("s" + std::to_string(i), absl::Hours(1) + i * kTick));
  }
  auto reader = db().Read({});
  ASSERT_THAT(reader, IsOk());
  for (const TokenId& id : ids) {
    const auto token = (*reader)->Next();
    ASSERT_THAT(token, IsOk());
    ASSERT_TRUE(token->has_value());
    EXPECT_EQ((*token)->id, id);
    if (id != ids[10] && id != ids[300]) continue;
    clock().Advance(absl::Hours(3));
    ASSERT_THAT(db().Reclaim(), IsOk());
    Compact();
  }
}

TEST_F(RetentionTest, ATokenThatIsForgottenAlreadyIsRefused) {
  const Token old = {.expires_at = Now() - kRetainExpired};
  EXPECT_TRUE(db().IsForgotten(old));
  EXPECT_THAT(db().Issue(old), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(db().IssueBatch({Token{.owner = OwnedBy("ada")}, old}),
              StatusIs(absl::StatusCode::kOutOfRange));
  ExpectCleanAndWithRecords(0);
  EXPECT_THAT(db().Issue({.expires_at = Now() - kRetainExpired + kTick}),
              IsOk());
}

// A revocation after the expiry counts too; scenario 46.
TEST_F(RetentionTest, RevokingAnExpiredTokenKeepsItLonger) {
  const TokenId id = IssueExpiring("s", absl::Hours(1));
  clock().Advance(absl::Hours(1) + kTick);
  ASSERT_THAT(db().Revoke(id), IsOk());
  clock().Advance(kRetainExpired);
  Compact();
  ExpectThere(id, "s", true);
}

// An entry of another retention must not uncover its older version.
TEST_F(RetentionTest, ARevokedTokensEntriesDoNotUncoverTheOldOnes) {
  SetRetention(absl::InfiniteDuration(), absl::ZeroDuration());
  Reopen();
  const TokenId id = IssueExpiring("s", absl::Hours(1));
  Compact();
  ASSERT_THAT(db().Revoke(id), IsOk());
  Flush();
  clock().Advance(absl::Hours(2));
  for (int round = 0; round < 3; ++round) {
    ExpectThere(id, "s", false);
    ASSERT_THAT(db().Reclaim(), IsOk());
    Compact();
  }
  ExpectCleanAndWithRecords(0);
}

// What cannot be read cannot be known to be forgotten.
TEST_F(RetentionTest, DamagedEntriesAreNotDropped) {
  ExpectDamage();
  const TokenId id = IssueExpiring("s", absl::Hours(1));
  Flush();
  Close();
  {
    RawDatabase raw(path());
    std::string record = raw.Get("token", std::string(id.bytes()));
    record.back() = static_cast<char>(record.back() ^ 1);
    raw.Put("token", std::string(id.bytes()), record);
  }
  Reopen();
  clock().Advance(absl::Hours(2));
  Compact();
  const auto report = db().Check();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->problems_found, 1);
  EXPECT_THAT(db().Get(id), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(RetentionTest, NegativeRetentionIsRefused) {
  EXPECT_THAT(
      Database::Open(path() + "2", {.retain_expired = -absl::Seconds(1)}),
      StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace tokendb::testing
