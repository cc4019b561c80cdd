// Counts by counters equal counts by looking at every token.
#include "src/index/counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/database_peer.h"
#include "tests/support/database_test.h"

namespace tokendb::testing {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(1);

class CountersTest : public DatabaseTest {
 protected:
  // With a bound on its work Count() looks at the tokens.
  uint64_t Scan(Query query) {
    query.max_examined = std::numeric_limits<uint64_t>::max() - 1;
    return CountOf(query);
  }

  void ExpectCountsLikeScans() {
    for (const Query& query :
         {Query(), Query{.owners = {"ada"}}, Query{.owners = {"bob"}},
          Query{.owners = {"nobody"}}, Query{.owners = {std::string("\0", 1)}},
          Query{.without_owner = true}, Query{.scopes = {.all_of = {"read"}}},
          Query{.scopes = {.all_of = {"write"}}},
          Query{.scopes = {.exact = true}}}) {
      EXPECT_EQ(CountOf(query), Scan(query));
    }
  }

  void Plant(std::string_view key, int64_t delta) {
    Store& store = DatabasePeer::StoreOf(db());
    Batch batch = store.NewBatch();
    batch.Add(key, delta);
    ASSERT_THAT(store.Commit(batch, Durability::kBuffered), IsOk());
  }

  // Counters that Repair() puts right.
  uint64_t Repaired() {
    const auto report = db().Repair();
    EXPECT_THAT(report, IsOk());
    return report.ok() ? report->counters : 0;
  }

  std::string OfNobodyExpiring() {
    return CounterKey(OwnerSubject(std::nullopt), CounterClass::kExpiryHour,
                      kNever);
  }

  // Tokens of all kinds and lifetimes.
  std::vector<TokenId> IssueMany() {
    std::vector<TokenId> ids;
    for (int i = 0; i < 60; ++i) {
      Token token;
      if (i % 3 == 0) token.owner = OwnedBy("ada");
      if (i % 3 == 1) {
        token.owner = OwnedBy(i % 2 == 0 ? "bob" : std::string("\0", 1));
      }
      if (i % 2 == 0) token.scopes.push_back("read");
      if (i % 5 == 0) token.scopes.push_back("write");
      if (i % 4 != 0) token.expires_at = Now() + i * absl::Minutes(7);
      if (i % 7 == 0) token.not_before = Now() + i * absl::Minutes(3);
      if (i % 11 == 0) token.revoked_at = Now() + i * absl::Minutes(5);
      token.enabled = i % 13 != 0;
      ids.push_back(Issue(token));
    }
    return ids;
  }
};

TEST_F(CountersTest, EqualScansAtAnyTime) {
  IssueMany();
  for (int i = 0; i < 50; ++i) {
    ExpectCountsLikeScans();
    clock().Advance(i % 2 == 0 ? absl::Minutes(11) : kTick);
  }
}

TEST_F(CountersTest, EqualScansAtTheEdgesOfAnHour) {
  const absl::Time hour = absl::FromUnixMillis(
      HourOf(absl::ToUnixMillis(Now())) + 2 * kMillisPerHour);
  for (const absl::Duration offset : {-kTick, absl::ZeroDuration(), kTick,
                                      absl::Hours(1) - kTick, absl::Hours(1)}) {
    Issue({.owner = OwnedBy("ada"), .expires_at = hour + offset});
  }
  for (const absl::Duration offset :
       {-2 * kTick, -kTick, absl::ZeroDuration(), kTick, absl::Hours(1) - kTick,
        absl::Hours(1), absl::Hours(1) + kTick}) {
    clock().Advance(hour + offset - Now());
    ExpectCountsLikeScans();
  }
  EXPECT_EQ(CountOf({}), 0);
}

TEST_F(CountersTest, FollowEveryChange) {
  const std::vector<TokenId> ids = IssueMany();
  for (size_t i = 0; i < ids.size(); ++i) {
    TokenPatch patch;
    switch (i % 6) {
      case 0:
        ASSERT_THAT(db().Revoke(ids[i]), IsOk());
        break;
      case 1:
        ASSERT_THAT(db().Delete(ids[i]), IsOk());
        break;
      case 2:
        patch.owner = OwnedBy("bob");
        patch.scopes = std::vector<std::string>{"write"};
        ASSERT_THAT(db().Update(ids[i], patch), IsOk());
        break;
      case 3:
        patch.expires_at = Now() + absl::Hours(3);
        patch.not_before = kClear;
        patch.revoked_at = kClear;
        ASSERT_THAT(db().Update(ids[i], patch), IsOk());
        break;
      case 4:
        patch.enabled = false;
        ASSERT_THAT(db().Update(ids[i], patch), IsOk());
        break;
      default:
        ASSERT_THAT(db().Revoke(ids[i], {.at = Now() + absl::Minutes(90)}),
                    IsOk());
    }
    clock().Advance(absl::Minutes(2));
    ExpectCountsLikeScans();
  }
  ASSERT_THAT(db().RevokeAll({.owners = {"ada"}}), IsOk());
  ExpectCountsLikeScans();
  ASSERT_THAT(db().DeleteAll({.owners = {"bob"}}), IsOk());
  ExpectCountsLikeScans();
}

TEST_F(CountersTest, SurviveReopeningAndCompactions) {
  IssueMany();
  ASSERT_THAT(db().Compact(), IsOk());
  IssueMany();
  Reopen();
  ExpectCountsLikeScans();
  ASSERT_THAT(db().Flush(), IsOk());
  clock().Advance(absl::Hours(2));
  ASSERT_THAT(db().Compact(), IsOk());
  ExpectCountsLikeScans();
}

TEST_F(CountersTest, AreDroppedWithWhatTheyCounted) {
  options().retain_expired = absl::ZeroDuration();
  options().retain_revoked = absl::ZeroDuration();
  Reopen();
  for (int i = 0; i < 100; ++i) {
    Issue({.owner = OwnedBy(absl::StrCat(i)),
           .expires_at = Now() + absl::Hours(2) + i * absl::Minutes(1)});
  }
  clock().Advance(absl::Hours(3));
  ASSERT_THAT(db().Compact(), IsOk());
  ExpectCountsLikeScans();
  clock().Advance(absl::Hours(3));
  ASSERT_THAT(db().Compact(), IsOk());
  Store& store = DatabasePeer::StoreOf(db());
  Cursor cursor = store.NewCursor(nullptr, Family::kStat, {});
  cursor.SeekToFirst();
  EXPECT_FALSE(cursor.Valid());
}

TEST_F(CountersTest, ReadOneRowForEachHour) {
  std::vector<Token> tokens(3000);
  for (size_t i = 0; i < tokens.size(); ++i) {
    tokens[i].owner = OwnedBy("ada");
    tokens[i].expires_at = Now() + absl::Hours(2) + (i % 10) * absl::Hours(1);
  }
  ASSERT_THAT(db().IssueBatch(tokens), IsOk());
  const auto count = db().Count({.owners = {"ada"}});
  ASSERT_THAT(count, IsOk());
  EXPECT_EQ(count->count, tokens.size());
  EXPECT_LE(count->stats.examined, 11);
}

TEST_F(CountersTest, CheckFindsAWrongOneAndRepairMendsIt) {
  Issue({.expires_at = Now() + absl::Hours(5)});
  Plant(OfNobodyExpiring(), 3);
  EXPECT_EQ(CountOf({.without_owner = true}), 4);
  const auto report = db().Check();
  ASSERT_THAT(report, IsOk());
  ASSERT_EQ(report->problems_found, 1);
  EXPECT_EQ(report->problems[0].kind, CheckProblem::Kind::kWrongCounter);
  EXPECT_EQ(Repaired(), 1);
  EXPECT_EQ(CountOf({.without_owner = true}), 1);
  EXPECT_EQ(Repaired(), 0);
}

TEST_F(CountersTest, AnUnreadableRecordLeavesThemUnjudged) {
  ExpectDamage();
  const TokenId id = Issue({.owner = OwnedBy("ada")});
  Store& store = DatabasePeer::StoreOf(db());
  Batch batch = store.NewBatch();
  batch.Put(Family::kToken, id.bytes(), "no record");
  ASSERT_THAT(store.Commit(batch, Durability::kBuffered), IsOk());
  const auto report = db().Check();
  ASSERT_THAT(report, IsOk());
  for (const CheckProblem& problem : report->problems) {
    EXPECT_NE(problem.kind, CheckProblem::Kind::kWrongCounter);
  }
  EXPECT_EQ(Repaired(), 0);
  EXPECT_EQ(CountOf({.owners = {"ada"}}), 1);
}

TEST_F(CountersTest, ADatabaseWithoutThemGetsThemWhenOpened) {
  IssueMany();
  Store& store = DatabasePeer::StoreOf(db());
  Batch batch = store.NewBatch();
  batch.Delete(Family::kMeta, "counters");
  {
    Cursor cursor = store.NewCursor(nullptr, Family::kStat, {});
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
      batch.Delete(Family::kStat, cursor.key());
    }
  }
  ASSERT_THAT(store.Commit(batch, Durability::kSync), IsOk());
  Reopen();
  ExpectCountsLikeScans();
}

TEST_F(CountersTest, ANegativeSumIsDataLoss) {
  Plant(OfNobodyExpiring(), -1);
  EXPECT_THAT(db().Count({.without_owner = true}),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(Repaired(), 1);
  EXPECT_EQ(CountOf({.without_owner = true}), 0);
}

TEST_F(CountersTest, RepairMendsThemWhileTokensChange) {
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    while (!stop) {
      const auto id = db().Issue({.owner = OwnedBy("ada")}, kFast);
      if (id.ok()) db().Revoke(*id).IgnoreError();
      db().Issue({.scopes = {"read"}}, kFast).IgnoreError();
    }
  });
  for (int i = 0; i < 20; ++i) {
    Plant(OfNobodyExpiring(), i - 7);
    EXPECT_THAT(db().Repair(), IsOk());
  }
  stop = true;
  writer.join();
  EXPECT_EQ(Repaired(), 0);
  ExpectCountsLikeScans();
}

}  // namespace
}  // namespace tokendb::testing
