// Touch(): last uses kept apart from the records.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/database_test.h"
#include "tests/support/full_token.h"
#include "tests/support/raw_database.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class TouchTest : public DatabaseTest {
 protected:
  void SetUp() override {
    options().touch.flush_period = absl::InfiniteDuration();
    options().reclaim.automatic = false;
    DatabaseTest::SetUp();
  }

  void TouchNow(const TokenId& id, const std::string& ip = "") {
    ASSERT_THAT(db().Touch(id, Now(), ip), IsOk());
    Flush();
  }
  void Flush() { ASSERT_THAT(db().FlushTouches(), IsOk()); }

  TouchStats Stats() {
    const auto stats = db().Stats();
    EXPECT_THAT(stats, IsOk());
    return stats->touches;
  }

  std::vector<RawDatabase::Entry> RawEntries(const std::string& family) {
    Close();
    std::vector<RawDatabase::Entry> entries;
    {
      RawDatabase raw(path());
      entries = raw.Entries(family);
    }
    Reopen();
    return entries;
  }

  static constexpr UpdateOptions kFastUpdate = {.durability =
                                                    Durability::kBuffered};
};

TEST_F(TouchTest, EveryReadShowsTheLastUseOnceItIsWritten) {
  const TokenId id = Issue({.digest = DigestOf("s"), .owner = OwnedBy("ada")});
  clock().Advance(absl::Hours(1));
  ASSERT_THAT(db().Touch(id, Now(), "192.0.2.7"), IsOk());
  EXPECT_EQ(Stored(id).last_accessed_at, std::nullopt);
  EXPECT_EQ(Stats().pending, 1);
  Flush();
  EXPECT_EQ(Stats().pending, 0);
  EXPECT_EQ(Stats().written, 1);

  Token expected = Stored(id);
  EXPECT_EQ(expected.last_accessed_at, Now());
  EXPECT_EQ(expected.ip_address, "192.0.2.7");
  EXPECT_THAT(db().GetByUuid(id.ToString()), IsOkAndHolds(expected));
  EXPECT_THAT(db().GetByDigest(DigestOf("s")), IsOkAndHolds(expected));
  EXPECT_THAT(db().GetMany({id}), IsOkAndHolds(ElementsAre(expected)));
  for (const Query& query :
       {Query{}, Query{.ids = {id}}, Query{.digest = DigestOf("s")},
        Query{.owners = {"ada"}}, Query{.last_accessed = {.from = Now()}},
        Query{.ip_address = "192.0.2.7"},
        Query{.residual = [&](const Token& token) {
          return token.last_accessed_at == Now();
        }}}) {
    const auto page = db().List(query);
    ASSERT_THAT(page, IsOk());
    EXPECT_THAT(page->tokens, ElementsAre(expected));
    EXPECT_EQ(CountOf(query), 1);
    EXPECT_THAT(db().ListIds(query)->ids, ElementsAre(id));
    const auto reader = db().Read(query);
    ASSERT_THAT(reader, IsOk());
    EXPECT_THAT((*reader)->Next(), IsOkAndHolds(expected));
  }
  EXPECT_EQ(CountOf({.last_accessed = {.before = Now()}}), 0);
  EXPECT_EQ(CountOf({.ip_address = "192.0.2.8"}), 0);
  TokenPatch patch;
  patch.description = "changed";
  const auto updated = db().Update(id, patch, kFastUpdate);
  ASSERT_THAT(updated, IsOk());
  EXPECT_EQ(updated->last_accessed_at, Now());
  EXPECT_EQ(*updated, Stored(id));
}

// A plan that sorts reads records before it knows which ones it shows.
TEST_F(TouchTest, SortedPagesShowTheLastUseToo) {
  for (int i = 1; i <= 5; ++i) {
    const TokenId id = Issue({.owner = OwnedBy("ada"),
                              .description = "CI",
                              .created_at = Now() - absl::Seconds(i)});
    ASSERT_THAT(db().Touch(id, Now()), IsOk());
  }
  Flush();
  // So many in files that the planner knows it.
  const std::vector<Token> others(5000, {.owner = OwnedBy("bob")});
  ASSERT_THAT(db().IssueBatch(others, kFast), IsOk());
  ASSERT_THAT(db().Flush(), IsOk());
  const Query query = {
      .owners = {"ada"}, .text = "ci", .order = Order::kCreation, .limit = 3};
  const auto explained = db().Explain(query);
  ASSERT_THAT(explained, IsOk());
  EXPECT_TRUE(explained->sorts) << explained->ToString();
  const auto page = db().List(query);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->tokens, SizeIs(3));
  for (const Token& token : page->tokens) {
    EXPECT_EQ(token.last_accessed_at, Now());
  }
}

// Scenarios 62, 137: expiry, version, and the record's bytes stay.
TEST_F(TouchTest, ATouchChangesNothingElse) {
  Token token = FullToken(Now());
  token.last_accessed_at.reset();
  token.ip_address.clear();
  const TokenId id = Issue(token);
  Token before = Stored(id);
  std::vector<std::vector<RawDatabase::Entry>> families;
  for (const char* family : {"token", "digest", "index", "stat"}) {
    families.push_back(RawEntries(family));
  }
  TouchNow(id, "192.0.2.7");
  size_t i = 0;
  for (const char* family : {"token", "digest", "index", "stat"}) {
    EXPECT_EQ(RawEntries(family), families[i++]) << family;
  }
  before.last_accessed_at = Now();
  before.ip_address = "192.0.2.7";
  EXPECT_EQ(Stored(id), before);
  EXPECT_EQ(StateBy(*token.digest), TokenState::kLive);
}

// Scenario 142.
TEST_F(TouchTest, OtherTokensAreLeftAlone) {
  const TokenId one = Issue({.owner = OwnedBy("ada")});
  const TokenId two = Issue({.owner = OwnedBy("ada")});
  const Token before = Stored(two);
  TouchNow(one);
  EXPECT_EQ(Stored(two), before);
  EXPECT_EQ(Stored(one).last_accessed_at, Now());
}

TEST_F(TouchTest, TheLatestUseWinsWithItsAddress) {
  const TokenId id = Issue({});
  clock().Advance(absl::Hours(1));
  const absl::Time noon = Now();
  ASSERT_THAT(db().Touch(id, noon - absl::Minutes(2), "192.0.2.1"), IsOk());
  ASSERT_THAT(db().Touch(id, noon, "192.0.2.2"), IsOk());
  ASSERT_THAT(db().Touch(id, noon - absl::Minutes(1), "192.0.2.3"), IsOk());
  EXPECT_EQ(Stats().pending, 1);
  Flush();
  EXPECT_EQ(Stored(id).last_accessed_at, noon);
  EXPECT_EQ(Stored(id).ip_address, "192.0.2.2");
  // It never goes back, neither behind a row nor behind a record.
  ASSERT_THAT(db().Touch(id, noon - absl::Minutes(1), "192.0.2.4"), IsOk());
  Flush();
  EXPECT_EQ(Stored(id).ip_address, "192.0.2.2");
  EXPECT_EQ(Stats().dropped, 1);
  const TokenId used = Issue({.last_accessed_at = noon});
  ASSERT_THAT(db().Touch(used, noon - absl::Minutes(1)), IsOk());
  Flush();
  EXPECT_EQ(Stored(used).last_accessed_at, noon);
  // A later time in the record, as an import sets it, wins over the row.
  clock().Advance(absl::Hours(1));
  TokenPatch patch;
  patch.last_accessed_at = Now();
  patch.ip_address = "192.0.2.9";
  ASSERT_THAT(db().Update(id, patch, kFastUpdate), IsOk());
  EXPECT_EQ(Stored(id).last_accessed_at, Now());
  EXPECT_EQ(Stored(id).ip_address, "192.0.2.9");
}

TEST_F(TouchTest, AUseInTheFutureIsOneOfNow) {
  const TokenId id = Issue({});
  ASSERT_THAT(db().Touch(id, Now() + absl::Hours(1)), IsOk());
  Flush();
  EXPECT_EQ(Stored(id).last_accessed_at, Now());
}

// Scenario 135.
TEST_F(TouchTest, AUseWithinTheResolutionIsNotWritten) {
  options().touch.resolution = absl::Minutes(10);
  Reopen();
  const TokenId id = Issue({});
  TouchNow(id);  // Absent: written.
  const absl::Time first = Now();
  EXPECT_EQ(Stored(id).last_accessed_at, first);
  clock().Advance(absl::Minutes(10) - absl::Milliseconds(1));
  TouchNow(id);
  EXPECT_EQ(Stored(id).last_accessed_at, first);
  EXPECT_EQ(Stats().dropped, 1);
  clock().Advance(absl::Milliseconds(1));
  TouchNow(id);
  EXPECT_EQ(Stored(id).last_accessed_at, Now());
  clock().Advance(absl::Hours(24 * 365));
  TouchNow(id);
  EXPECT_EQ(Stored(id).last_accessed_at, Now());
}

TEST_F(TouchTest, WhatIsNotLiveKeepsWhatItHad) {
  const TokenId unknown = FromNumber(9);
  const TokenId revoked = Issue({});
  const TokenId disabled = Issue({.enabled = false});
  const TokenId later = Issue({.not_before = Now() + absl::Hours(48)});
  const TokenId expiring = Issue({.expires_at = Now() + absl::Hours(2)});
  clock().Advance(absl::Hours(1));
  TouchNow(revoked);
  TouchNow(expiring);
  const absl::Time used = Now();
  ASSERT_THAT(db().Revoke(revoked), IsOk());
  clock().Advance(absl::Hours(1));
  for (const TokenId& id : {unknown, revoked, disabled, later, expiring}) {
    ASSERT_THAT(db().Touch(id, Now()), IsOk());
  }
  Flush();
  EXPECT_EQ(Stats().written, 2);
  EXPECT_EQ(Stats().dropped, 5);
  EXPECT_THAT(db().Get(unknown), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(Stored(disabled).last_accessed_at, std::nullopt);
  EXPECT_EQ(Stored(later).last_accessed_at, std::nullopt);
  EXPECT_EQ(Stored(revoked).last_accessed_at, used);
  EXPECT_EQ(Stored(expiring).last_accessed_at, used);
  EXPECT_EQ(StateOf(Stored(revoked), Now()), TokenState::kRevoked);
  EXPECT_EQ(StateOf(Stored(expiring), Now()), TokenState::kExpired);
  EXPECT_THAT(RawEntries("hot"), SizeIs(2));
}

TEST_F(TouchTest, WhatCannotBeAUseIsRefused) {
  const TokenId id = Issue({});
  const auto invalid = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(db().Touch({}, Now()), invalid);
  EXPECT_THAT(db().Touch(id, absl::InfinitePast()), invalid);
  EXPECT_THAT(db().Touch(id, absl::InfiniteFuture()), invalid);
  EXPECT_THAT(db().Touch(id, Now(), std::string(65, '1')), invalid);
  EXPECT_THAT(db().Touch(id, Now(), std::string(64, '1')), IsOk());
  EXPECT_EQ(Stats().pending, 1);
  for (const TouchOptions& touch :
       {TouchOptions{.flush_period = absl::ZeroDuration()},
        TouchOptions{.resolution = -absl::Milliseconds(1)},
        TouchOptions{.max_pending = 0}}) {
    EXPECT_THAT(Database::Open(path() + "2", {.touch = touch}), invalid);
  }
}

TEST_F(TouchTest, ClosingWritesWhatIsPending) {
  const TokenId id = Issue({});
  clock().Advance(absl::Hours(1));
  ASSERT_THAT(db().Touch(id, Now(), "192.0.2.7"), IsOk());
  Reopen();
  EXPECT_EQ(Stored(id).last_accessed_at, Now());
  ASSERT_THAT(db().Flush(), IsOk());
  Reopen();
  EXPECT_EQ(Stored(id).ip_address, "192.0.2.7");
}

TEST_F(TouchTest, TheBackgroundWritesOncePerPeriod) {
  options().touch.flush_period = absl::Milliseconds(1);
  Reopen();
  const TokenId id = Issue({});
  ASSERT_THAT(db().Touch(id, Now()), IsOk());
  while (!Stored(id).last_accessed_at.has_value()) std::this_thread::yield();
  EXPECT_EQ(Stored(id).last_accessed_at, Now());
}

TEST_F(TouchTest, WhoFindsTooManyPendingWritesThem) {
  options().touch.max_pending = 2;
  Reopen();
  std::vector<TokenId> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(Issue({}));
    ASSERT_THAT(db().Touch(ids.back(), Now()), IsOk());
  }
  EXPECT_EQ(Stats().pending, 1);
  EXPECT_TRUE(Stored(ids[0]).last_accessed_at.has_value());
  EXPECT_TRUE(Stored(ids[1]).last_accessed_at.has_value());
  EXPECT_FALSE(Stored(ids[2]).last_accessed_at.has_value());
}

TEST_F(TouchTest, MoreThanAGroupIsWritten) {
  std::vector<Token> tokens(700);
  const auto ids = db().IssueBatch(tokens, kFast);
  ASSERT_THAT(ids, IsOk());
  for (const TokenId& id : *ids) ASSERT_THAT(db().Touch(id, Now()), IsOk());
  Flush();
  EXPECT_EQ(Stats().written, 700);
  EXPECT_EQ(CountOf({.last_accessed = {.from = Now()}}), 700);
}

TEST_F(TouchTest, TheLastUseFollowsEveryChangeOfTheToken) {
  const TokenId id =
      Issue({.owner = OwnedBy("ada"), .expires_at = Now() + absl::Hours(10)});
  clock().Advance(absl::Hours(1));
  TouchNow(id, "192.0.2.7");
  const absl::Time used = Now();
  const auto expect_kept = [&] {
    EXPECT_EQ(Stored(id).last_accessed_at, used);
    EXPECT_EQ(Stored(id).ip_address, "192.0.2.7");
    EXPECT_EQ(db().Check()->problems_found, 0);
  };
  TokenPatch patch;
  patch.expires_at = Now() + absl::Hours(20);
  ASSERT_THAT(db().Update(id, patch, kFastUpdate), IsOk());
  expect_kept();
  patch.expires_at = kClear;
  ASSERT_THAT(db().Update(id, patch, kFastUpdate), IsOk());
  expect_kept();
  ASSERT_THAT(db().Revoke(id, {.at = Now() + absl::Hours(1)}), IsOk());
  expect_kept();
  patch = {};
  patch.revoked_at = kClear;
  ASSERT_THAT(db().Update(id, patch, kFastUpdate), IsOk());
  expect_kept();
  ASSERT_THAT(db().RevokeAll({.last_accessed = {.from = used}}),
              IsOkAndHolds(1));
  expect_kept();
  ASSERT_THAT(db().Compact(), IsOk());
  Reopen();
  expect_kept();
}

TEST_F(TouchTest, ADeletedTokenTakesItsLastUseAlong) {
  const TokenId one = Issue({.id = FromNumber(1), .owner = OwnedBy("ada")});
  const TokenId two = Issue({.id = FromNumber(2), .owner = OwnedBy("ada")});
  TouchNow(one);
  TouchNow(two);
  ASSERT_THAT(db().Touch(one, Now()), IsOk());
  ASSERT_THAT(db().Delete(one), IsOk());
  ASSERT_THAT(db().DeleteAll({.owners = {"ada"}}), IsOkAndHolds(1));
  Flush();
  EXPECT_THAT(RawEntries("hot"), IsEmpty());
  Issue({.id = one});
  EXPECT_EQ(Stored(one).last_accessed_at, std::nullopt);
}

TEST_F(TouchTest, ForgottenTokensLeaveNoLastUse) {
  options().retain_expired = absl::Minutes(1);
  options().retain_revoked = absl::Hours(5);
  Reopen();
  const TokenId id = FromNumber(1);
  const Token token = {.id = id, .expires_at = Now() + absl::Hours(2)};
  Issue(token);
  const TokenId revoked = Issue({.expires_at = Now() + absl::Hours(2)});
  clock().Advance(absl::Hours(1));
  TouchNow(id);
  TouchNow(revoked);
  ASSERT_THAT(db().Revoke(revoked), IsOk());
  clock().Advance(absl::Hours(1) + absl::Minutes(1));
  ASSERT_THAT(db().Touch(id, Now()), IsOk());
  Flush();
  EXPECT_EQ(Stats().dropped, 1);
  // Its row is still there, but is not that of the id's new token.
  Issue({.id = id, .expires_at = Now() + absl::Hours(2)});
  EXPECT_EQ(Stored(id).last_accessed_at, std::nullopt);
  TokenPatch patch;
  patch.expires_at = Now() + absl::Hours(3);
  ASSERT_THAT(db().Update(id, patch, kFastUpdate), IsOk());
  EXPECT_EQ(Stored(id).last_accessed_at, std::nullopt);
  EXPECT_THAT(RawEntries("hot"), SizeIs(2));
  ASSERT_THAT(db().Compact(), IsOk());
  EXPECT_THAT(RawEntries("hot"), SizeIs(1));
  EXPECT_TRUE(Stored(revoked).last_accessed_at.has_value());
  clock().Advance(absl::Hours(5));
  ASSERT_THAT(db().Compact(), IsOk());
  EXPECT_THAT(RawEntries("hot"), IsEmpty());
}

// A token with a shorter end than before stays dead, and so does its row.
TEST_F(TouchTest, AnOlderRowDoesNotComeBackFromADeeperLevel) {
  options().retain_expired = absl::Minutes(1);
  Reopen();
  const TokenId id = Issue({.id = FromNumber(1)});
  TouchNow(id);
  ASSERT_THAT(db().Compact(), IsOk());
  TokenPatch patch;
  patch.expires_at = Now() + absl::Hours(1);
  ASSERT_THAT(db().Update(id, patch, kFastUpdate), IsOk());
  ASSERT_THAT(db().Flush(), IsOk());
  clock().Advance(absl::Hours(2));
  ASSERT_THAT(db().Compact(), IsOk());
  EXPECT_THAT(RawEntries("hot"), IsEmpty());
  Issue({.id = id});
  EXPECT_EQ(Stored(id).last_accessed_at, std::nullopt);
}

TEST_F(TouchTest, AReaderKeepsTheLastUseOfItsMoment) {
  const TokenId id = Issue({});
  TouchNow(id);
  const absl::Time first = Now();
  const auto reader = db().Read({});
  ASSERT_THAT(reader, IsOk());
  clock().Advance(absl::Hours(1));
  TouchNow(id);
  const auto token = (*reader)->Next();
  ASSERT_THAT(token, IsOk());
  EXPECT_EQ((*token)->last_accessed_at, first);
  EXPECT_EQ(Stored(id).last_accessed_at, Now());
}

TEST_F(TouchTest, DamageIsReportedAndMendedByTheNextUse) {
  const TokenId id = Issue({.id = FromNumber(1), .digest = DigestOf("s")});
  const TokenId other = Issue({.id = FromNumber(2)});
  TouchNow(id);
  ExpectDamage();
  Close();
  std::string row;
  {
    RawDatabase raw(path());
    const std::string key(id.bytes());
    row = raw.Get("hot", key);
    std::string damaged = row;
    damaged.back() ^= 1;
    raw.Put("hot", key, damaged);
    raw.Put("hot", std::string(FromNumber(7).bytes()), row);
    raw.Put("hot", "no id", row);
  }
  Reopen();
  const auto lost = StatusIs(absl::StatusCode::kDataLoss);
  EXPECT_THAT(db().Get(id), lost);
  EXPECT_THAT(db().GetMany({id}), lost);
  EXPECT_THAT(db().List({}), lost);
  EXPECT_THAT(db().Get(other), IsOk());
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kLive);
  auto report = db().Check();
  ASSERT_THAT(report, IsOk());
  // Of the row under another id the checksum is wrong.
  EXPECT_EQ(report->problems_found, 3);
  for (const CheckProblem& problem : report->problems) {
    EXPECT_EQ(problem.family, "hot");
  }
  // It does not keep the token from being changed, and the next use mends it.
  TokenPatch patch;
  patch.expires_at = Now() + absl::Hours(5);
  ASSERT_THAT(db().Update(id, patch, kFastUpdate), IsOk());
  clock().Advance(absl::Hours(1));
  TouchNow(id);
  EXPECT_EQ(Stored(id).last_accessed_at, Now());
  ASSERT_THAT(db().Revoke(id), IsOk());
  EXPECT_EQ(db().Check()->problems_found, 2);
}

TEST_F(TouchTest, RowsOfNoRecordAndWithAnotherExpiryAreFound) {
  const TokenId id = Issue({.id = FromNumber(1)});
  const TokenId other = Issue({.id = FromNumber(2)});
  TouchNow(id);
  TouchNow(other);
  ExpectDamage();
  Close();
  {
    RawDatabase raw(path());
    raw.Delete("token", std::string(id.bytes()));
  }
  Reopen();
  const auto count = [&](CheckProblem::Kind kind) {
    int found = 0;
    const auto report = db().Check();
    EXPECT_THAT(report, IsOk());
    for (const CheckProblem& problem : report->problems) {
      found += problem.family == "hot" && problem.kind == kind ? 1 : 0;
    }
    return found;
  };
  EXPECT_EQ(count(CheckProblem::Kind::kStrayEntry), 1);
  EXPECT_EQ(count(CheckProblem::Kind::kWrongEntry), 0);
  TokenPatch patch;
  patch.expires_at = Now() + absl::Hours(5);
  std::string old_row;
  Close();
  {
    RawDatabase raw(path());
    old_row = raw.Get("hot", std::string(other.bytes()));
  }
  Reopen();
  ASSERT_THAT(db().Update(other, patch, kFastUpdate), IsOk());
  Close();
  {
    RawDatabase raw(path());
    raw.Put("hot", std::string(other.bytes()), old_row);
  }
  Reopen();
  EXPECT_EQ(count(CheckProblem::Kind::kWrongEntry), 1);
}

// Scenario 139: a touch neither revives a token nor writes its record.
TEST_F(TouchTest, ARevocationHoldsWhateverTouchesRaceWithIt) {
  for (int round = 0; round < 30; ++round) {
    const Digest digest = DigestOf(absl::StrCat(round));
    const TokenId id = Issue({.digest = digest,
                              .owner = OwnedBy("ada"),
                              .expires_at = Now() + absl::Hours(1)});
    std::atomic<bool> done = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        while (!done) {
          EXPECT_THAT(db().Touch(id, Now(), "192.0.2.7"), IsOk());
          EXPECT_THAT(db().FlushTouches(), IsOk());
        }
      });
    }
    threads.emplace_back([&] {
      while (!done) clock().Advance(absl::Milliseconds(1));
    });
    const auto revoked = db().Revoke(id, {.durability = Durability::kBuffered});
    EXPECT_THAT(revoked, IsOk());
    // What the touches still do changes nothing any more.
    const Token token = Stored(id);
    EXPECT_EQ(StateBy(digest), TokenState::kRevoked);
    std::this_thread::yield();
    done = true;
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(token.revoked_at, revoked->revoked_at);
    EXPECT_EQ(token.version, 2);
    EXPECT_EQ(Stored(id), token);
    EXPECT_EQ(StateBy(digest), TokenState::kRevoked);
  }
  EXPECT_EQ(CountOf({.owners = {"ada"}}), 0);
}

TEST_F(TouchTest, ThreadsLoseNoUseAndNoChange) {
  constexpr int kTokens = 20;
  constexpr int kRounds = 300;
  for (int i = 1; i <= kTokens; ++i) Issue({.id = FromNumber(i)});
  const absl::Time start = Now();
  clock().Advance(absl::Hours(1));
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&, thread] {
      for (int round = 0; round < kRounds; ++round) {
        const TokenId id = FromNumber(1 + round % kTokens);
        const absl::Time at = start + absl::Seconds(round * 3 + thread);
        EXPECT_THAT(db().Touch(id, at, absl::StrCat(round * 3 + thread)),
                    IsOk());
        if (round % 7 == 0) {
          EXPECT_THAT(db().FlushTouches(), IsOk());
        }
        if (round % 5 != thread) continue;
        TokenPatch patch;
        patch.expires_at = start + absl::Hours(1000 + round);
        EXPECT_THAT(db().Update(id, patch, kFastUpdate), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Flush();
  for (int i = 1; i <= kTokens; ++i) {
    // The last round of each token, in the third thread.
    const int last = (kRounds - kTokens + i - 1) * 3 + 2;
    const Token token = Stored(FromNumber(i));
    EXPECT_EQ(token.last_accessed_at, start + absl::Seconds(last));
    EXPECT_EQ(token.ip_address, absl::StrCat(last));
  }
}

}  // namespace
}  // namespace tokendb::testing
