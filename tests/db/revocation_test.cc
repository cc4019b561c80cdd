// Revocation and deletion: section C of the scenarios.
#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/support/database_test.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RevocationTest : public DatabaseTest {
 protected:
  absl::StatusOr<Revocation> Revoke(const TokenId& id,
                                    std::optional<absl::Time> at = {}) {
    return db().Revoke(id, {.reason = "leak", .at = at});
  }
};

// Scenario 41.
TEST_F(RevocationTest, TheFirstRevocationIsKept) {
  const TokenId id = Issue({});
  const absl::Time first = Now();
  ASSERT_THAT(Revoke(id), IsOk());
  clock().Advance(absl::Hours(1));
  const auto again = db().Revoke(id, {.reason = "another"});
  ASSERT_THAT(again, IsOk());
  EXPECT_FALSE(again->changed);
  EXPECT_EQ(again->revoked_at, first);
  EXPECT_EQ(db().Get(id)->revoked_at, first);
  EXPECT_EQ(db().Get(id)->revoked_reason, "leak");
}

// Scenario 42.
TEST_F(RevocationTest, ARevokedTokenStaysReadable) {
  const TokenId id = Issue({.digest = DigestOf("s"), .owner = OwnedBy("ada")});
  const auto revocation = Revoke(id);
  ASSERT_THAT(revocation, IsOk());
  EXPECT_TRUE(revocation->changed);
  EXPECT_EQ(db().Get(id)->revoked_at, Now());
  EXPECT_EQ(db().Get(id)->version, 2);
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kRevoked);
  EXPECT_THAT(Ids({.owners = {"ada"}}), IsEmpty());
  EXPECT_THAT(Ids({.owners = {"ada"}, .states = TokenState::kRevoked}),
              ElementsAre(id));
}

// Scenario 43.
TEST_F(RevocationTest, AScheduledRevocationHoldsFromItsTimeOn) {
  const absl::Time at = Now() + absl::Hours(1);
  const TokenId id = Issue({.digest = DigestOf("s")});
  ASSERT_THAT(Revoke(id, at), IsOk());
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kLive);
  clock().Set(at - absl::Milliseconds(1));
  EXPECT_THAT(Ids({}), ElementsAre(id));
  clock().Set(at);
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kRevoked);
  EXPECT_THAT(Ids({}), IsEmpty());
}

TEST_F(RevocationTest, AnEarlierRevocationReplacesAScheduledOne) {
  const TokenId id = Issue({});
  ASSERT_THAT(Revoke(id, Now() + absl::Hours(1)), IsOk());
  EXPECT_FALSE(Revoke(id, Now() + absl::Hours(2))->changed);
  EXPECT_TRUE(Revoke(id)->changed);
  EXPECT_EQ(db().Get(id)->revoked_at, Now());
}

// Scenario 44.
TEST_F(RevocationTest, RevokingAnUnknownTokenSaysSo) {
  EXPECT_THAT(Revoke(*TokenId::Parse("0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6")),
              StatusIs(absl::StatusCode::kNotFound));
}

// Scenario 46, as far as one token goes.
TEST_F(RevocationTest, AnExpiredTokenCanBeRevoked) {
  const TokenId id = Issue({.digest = DigestOf("s"), .expires_at = Now()});
  EXPECT_TRUE(Revoke(id)->changed);
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kRevoked);
}

// Scenarios 48 and 50: each combination of conditions revokes, and deletes,
// exactly what it matches.
TEST_F(RevocationTest, ExactlyTheMatchesAreChanged) {
  for (const bool remove : {false, true}) {
    for (int mask = 1; mask < 16; ++mask) {
      std::vector<TokenId> expected_left;
      for (int n = 0; n < 16; ++n) {
        const auto bit = [&](int i) { return (n >> i & 1) != 0; };
        const TokenId id = Issue({.owner = OwnedBy(bit(0) ? "ada" : "bob"),
                                  .scopes = {bit(1) ? "read" : "write"},
                                  .organization = bit(2) ? "acme" : "initech",
                                  .kind = bit(3) ? "access" : "refresh"});
        if ((n & mask) != mask) expected_left.push_back(id);
      }
      Query query;
      if ((mask & 1) != 0) query.owners = {"ada"};
      if ((mask & 2) != 0) query.scopes.all_of = {"read"};
      if ((mask & 4) != 0) query.organization = "acme";
      if ((mask & 8) != 0) query.kind = "access";
      const auto changed = remove ? db().DeleteAll(query)
                                  : db().RevokeAll(query, {.reason = "all"});
      EXPECT_THAT(changed, IsOkAndHolds(16 - expected_left.size()));
      EXPECT_THAT(Ids({}), ::testing::UnorderedElementsAreArray(expected_left));
      EXPECT_EQ(CountOf({.states = StateSet::All()}),
                remove ? expected_left.size() : 16);
      EXPECT_EQ(CountOf(query), 0);
      for (const char* const owner : {"ada", "bob"}) {
        ASSERT_THAT(
            db().DeleteAll({.owners = {owner}, .states = StateSet::All()}),
            IsOk());
      }
    }
  }
}

// Scenario 49.
TEST_F(RevocationTest, AnEmptyFilterIsRefused) {
  Issue({});
  EXPECT_THAT(db().RevokeAll({}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(db().DeleteAll({}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(db().DeleteAll({.states = TokenState::kLive}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(CountOf({}), 1);
}

// Scenario 51.
TEST_F(RevocationTest, RevokingAllBesideIssuingSplitsThemCleanly) {
  for (int i = 0; i < 1000; ++i) Issue({.owner = OwnedBy("ada")});
  std::atomic<bool> stop = false;
  std::vector<TokenId> issued;
  std::thread issuer([&] {
    while (!stop) issued.push_back(Issue({.owner = OwnedBy("ada")}));
  });
  const auto revoked = db().RevokeAll({.owners = {"ada"}}, {.reason = "all"});
  const size_t issued_by_then = Ids({.owners = {"ada"}, .limit = 10000}).size();
  stop = true;
  issuer.join();
  ASSERT_THAT(revoked, IsOk());
  EXPECT_GE(*revoked, 1000);
  EXPECT_LE(issued_by_then, issued.size());
  // What was revoked is a beginning of what was issued: one moment parts them.
  EXPECT_EQ(CountOf({.owners = {"ada"}, .states = TokenState::kRevoked}),
            *revoked);
  bool live_seen = false;
  for (const TokenId& id : issued) {
    const bool live = !db().Get(id)->revoked_at.has_value();
    EXPECT_TRUE(live || !live_seen);
    live_seen = live;
  }
}

// Scenarios 53 and 88: in steps, resumable.
TEST_F(RevocationTest, RevokingAllCanStopAndGoOn) {
  for (int i = 0; i < 700; ++i) Issue({.scopes = {"leaked"}});
  const Query query{.scopes = {.all_of = {"leaked"}}};
  EXPECT_THAT(db().RevokeAll(query, {.max_tokens = 300}), IsOkAndHolds(300));
  EXPECT_EQ(CountOf(query), 400);
  EXPECT_THAT(db().RevokeAll(query), IsOkAndHolds(400));
  EXPECT_THAT(db().RevokeAll(query), IsOkAndHolds(0));
  EXPECT_EQ(CountOf({.states = TokenState::kRevoked}), 700);
}

TEST_F(RevocationTest, RevokingAllReachesTokensThatAreNotLive) {
  Issue({.owner = OwnedBy("ada"), .expires_at = Now()});
  Issue({.owner = OwnedBy("ada"), .enabled = false});
  Issue({.owner = OwnedBy("ada"), .not_before = Now() + absl::Hours(1)});
  Issue({.owner = OwnedBy("ada"), .revoked_at = Now() + absl::Hours(1)});
  Issue({.owner = OwnedBy("ada"), .revoked_at = Now() - absl::Hours(1)});
  EXPECT_THAT(db().RevokeAll({.owners = {"ada"}}), IsOkAndHolds(4));
}

// Scenario 60.
TEST_F(RevocationTest, AnotherOwnersTokenIsNotRevoked) {
  const TokenId id = Issue({.owner = OwnedBy("ada")});
  EXPECT_THAT(db().Revoke(id, {.precondition = {.if_owner = "bob"}}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(db().Delete(id, {.precondition = {.if_owner = "bob"}}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(db().Get(id)->revoked_at, std::nullopt);
  EXPECT_THAT(db().Revoke(id, {.precondition = {.if_owner = "ada"}}), IsOk());
}

// Scenario 62.
TEST_F(RevocationTest, ChangingATokenLeavesItsExpiryAlone) {
  const absl::Time expiry = Now() + absl::Hours(1);
  const TokenId id = Issue({.expires_at = expiry});
  TokenPatch patch;
  patch.last_accessed_at = Now();
  ASSERT_THAT(db().Update(id, patch), IsOk());
  ASSERT_THAT(Revoke(id), IsOk());
  EXPECT_EQ(db().Get(id)->expires_at, expiry);
}

}  // namespace
}  // namespace tokendb::testing
