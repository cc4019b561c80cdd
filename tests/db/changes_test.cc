// The change feed: what is in it, in which order, and how it is gone on from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/index/change_row.h"
#include "tests/support/database_test.h"
#include "tests/support/feed.h"
#include "tests/support/raw_database.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using Kind = TokenChange::Kind;

constexpr auto kInvalidArgument = absl::StatusCode::kInvalidArgument;
constexpr auto kFailedPrecondition = absl::StatusCode::kFailedPrecondition;

class ChangesTest : public DatabaseTest {
 protected:
  void SetUp() override {
    options().retain_changes = absl::InfiniteDuration();
    options().reclaim.automatic = false;
    DatabaseTest::SetUp();
  }

  TokenChange At(Kind kind, const TokenId& id, uint64_t version) const {
    return {.kind = kind, .id = id, .version = version, .at = Now()};
  }
  TokenChange RevokedFrom(const TokenId& id, uint64_t version,
                          absl::Time time) const {
    TokenChange change = At(Kind::kRevoked, id, version);
    change.revoked_at = time;
    return change;
  }

  std::vector<TokenChange> News() { return follower_.ReadOn(db()); }

  static TokenPatch Describe(const std::string& text) {
    TokenPatch patch;
    patch.description = text;
    return patch;
  }

 private:
  Follower follower_;
};

TEST_F(ChangesTest, ANewFeedIsEmpty) {
  const auto page = db().Changes();
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->changes, IsEmpty());
  EXPECT_TRUE(page->caught_up);
  EXPECT_THAT(db().Changes(page->continuation), IsOk());
}

TEST_F(ChangesTest, EveryChangeHasItsKindAndVersion) {
  const TokenId id = Issue({.owner = OwnedBy("ada")});
  EXPECT_THAT(News(), ElementsAre(At(Kind::kIssued, id, 1)));
  clock().Advance(absl::Seconds(5));
  ASSERT_THAT(db().Update(id, Describe("new")), IsOk());
  EXPECT_THAT(News(), ElementsAre(At(Kind::kUpdated, id, 2)));
  clock().Advance(absl::Seconds(5));
  ASSERT_THAT(db().Revoke(id), IsOk());
  EXPECT_THAT(News(), ElementsAre(RevokedFrom(id, 3, Now())));
  ASSERT_THAT(db().Delete(id), IsOk());
  EXPECT_THAT(News(), ElementsAre(At(Kind::kDeleted, id, 3)));
}

TEST_F(ChangesTest, OnlyAnEarlierRevocationIsOne) {
  const TokenId id = Issue({.owner = OwnedBy("ada")});
  const absl::Time later = Now() + absl::Hours(2);
  ASSERT_THAT(db().Revoke(id, {.at = later}), IsOk());
  ASSERT_THAT(db().Revoke(id, {.at = later + absl::Hours(1)}), IsOk());
  ASSERT_THAT(db().Revoke(id, {.at = later - absl::Hours(1)}), IsOk());
  TokenPatch patch;
  patch.revoked_at = later;
  ASSERT_THAT(db().Update(id, patch), IsOk());
  patch.revoked_at = kClear;
  ASSERT_THAT(db().Update(id, patch), IsOk());
  patch.revoked_at = later;
  ASSERT_THAT(db().Update(id, patch), IsOk());
  EXPECT_THAT(News(),
              ElementsAre(At(Kind::kIssued, id, 1), RevokedFrom(id, 2, later),
                          RevokedFrom(id, 3, later - absl::Hours(1)),
                          At(Kind::kUpdated, id, 4), At(Kind::kUpdated, id, 5),
                          RevokedFrom(id, 6, later)));
}

TEST_F(ChangesTest, ChangesOfManyAreOfEachToken) {
  const auto ids = db().IssueBatch(std::vector<Token>(
      300, Token{.owner = OwnedBy("ada"), .scopes = {"read"}}));
  ASSERT_THAT(ids, IsOk());
  std::vector<TokenChange> issued;
  for (const TokenId& id : *ids) issued.push_back(At(Kind::kIssued, id, 1));
  EXPECT_EQ(News(), issued);
  ASSERT_THAT(db().RevokeAll({.owners = {"ada"}}), IsOkAndHolds(300));
  std::vector<TokenChange> revoked;
  for (const TokenId& id : *ids) revoked.push_back(RevokedFrom(id, 2, Now()));
  EXPECT_THAT(News(), ::testing::UnorderedElementsAreArray(revoked));
  ASSERT_THAT(db().DeleteAll(
                  {.ids = {(*ids)[0], (*ids)[1]}, .states = StateSet::All()}),
              IsOkAndHolds(2));
  EXPECT_THAT(News(), UnorderedElementsAre(At(Kind::kDeleted, (*ids)[0], 2),
                                           At(Kind::kDeleted, (*ids)[1], 2)));
}

TEST_F(ChangesTest, LosingADigestIsAnUpdate) {
  const TokenId old =
      Issue({.digest = DigestOf("s"), .expires_at = Now() + absl::Seconds(1)});
  const TokenId other =
      Issue({.digest = DigestOf("t"), .expires_at = Now() + absl::Seconds(1)});
  News();
  clock().Advance(absl::Seconds(1));
  const TokenId heir = Issue({.digest = DigestOf("s")});
  EXPECT_THAT(News(), ElementsAre(At(Kind::kUpdated, old, 2),
                                  At(Kind::kIssued, heir, 1)));
  TokenPatch patch;
  patch.digest = DigestOf("t");
  ASSERT_THAT(db().Update(heir, patch), IsOk());
  EXPECT_THAT(News(), ElementsAre(At(Kind::kUpdated, other, 2),
                                  At(Kind::kUpdated, heir, 2)));
}

TEST_F(ChangesTest, WhatChangesNothingIsNoChange) {
  const TokenId id = Issue({.digest = DigestOf("s"), .description = "old"});
  ASSERT_THAT(db().Revoke(id), IsOk());
  News();
  EXPECT_THAT(db().Update(id, Describe("old")), IsOk());
  EXPECT_THAT(db().Update(id, TokenPatch()), IsOk());
  EXPECT_THAT(db().Revoke(id), IsOk());
  EXPECT_THAT(db().RevokeAll({.ids = {id}}), IsOkAndHolds(0));
  const Precondition wrong = {.if_version = 7};
  EXPECT_THAT(db().Update(id, Describe("new"), {.precondition = wrong}),
              StatusIs(kFailedPrecondition));
  EXPECT_THAT(db().Delete(id, {.precondition = wrong}),
              StatusIs(kFailedPrecondition));
  EXPECT_THAT(db().Issue({.id = id}), Not(IsOk()));
  EXPECT_THAT(db().IssueBatch({Token(), Token{.digest = DigestOf("s")}}),
              Not(IsOk()));
  EXPECT_THAT(News(), IsEmpty());
}

TEST_F(ChangesTest, PagesFollowOneAnother) {
  std::vector<TokenChange> expected;
  for (int i = 0; i < 10; ++i) {
    expected.push_back(At(Kind::kIssued, Issue(Token()), 1));
  }
  for (const size_t limit : {1, 3, 5, 10, 11, 10000}) {
    EXPECT_EQ(Follower().ReadOn(db(), limit), expected) << limit;
  }
  const auto page = db().Changes({}, 10);
  ASSERT_THAT(page, IsOk());
  EXPECT_TRUE(page->caught_up);
  EXPECT_FALSE(db().Changes({}, 9)->caught_up);
  EXPECT_THAT(db().Changes({}, 0), StatusIs(kInvalidArgument));
  EXPECT_THAT(db().Changes({}, 10001), StatusIs(kInvalidArgument));
}

TEST_F(ChangesTest, AFollowerGoesOnAcrossReopening) {
  Follower follower;
  std::vector<TokenChange> expected;
  std::vector<TokenChange> actual;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 5; ++i) {
      expected.push_back(At(Kind::kIssued, Issue(Token()), 1));
    }
    const auto page = db().Changes(follower.continuation(), 3);
    ASSERT_THAT(page, IsOk());
    actual.insert(actual.end(), page->changes.begin(), page->changes.end());
    follower = Follower(page->continuation);
    Reopen();
  }
  for (const TokenChange& change : follower.ReadOn(db(), 4)) {
    actual.push_back(change);
  }
  EXPECT_EQ(actual, expected);
  EXPECT_EQ(Follower().ReadOn(db()), expected);
}

TEST_F(ChangesTest, FromNowIsBehindAllChanges) {
  Follower before(*db().ChangesFromNow());
  const TokenId first = Issue(Token());
  Follower between(*db().ChangesFromNow());
  const TokenId second = Issue(Token());
  EXPECT_THAT(before.ReadOn(db()), ElementsAre(At(Kind::kIssued, first, 1),
                                               At(Kind::kIssued, second, 1)));
  EXPECT_THAT(between.ReadOn(db()), ElementsAre(At(Kind::kIssued, second, 1)));
  EXPECT_THAT(Follower(*db().ChangesFromNow()).ReadOn(db()), IsEmpty());
}

TEST_F(ChangesTest, ADamagedContinuationIsRefused) {
  Issue(Token());
  const std::string good = *db().ChangesFromNow();
  EXPECT_THAT(db().Changes(good), IsOk());
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    EXPECT_THAT(db().Changes(bad), StatusIs(kInvalidArgument)) << bad;
  }
  for (const std::string& bad : {good + "A", good + "=", std::string("A"),
                                 good.substr(1), good + std::string(1, '\0')}) {
    EXPECT_THAT(db().Changes(bad), StatusIs(kInvalidArgument)) << bad;
  }
}

TEST_F(ChangesTest, AnotherDatabasesContinuationIsRefused) {
  OpenOptions other_options = options();
  const auto other = Database::Open(path() + "2", other_options);
  ASSERT_THAT(other, IsOk());
  EXPECT_THAT(db().Changes(*(*other)->ChangesFromNow()),
              StatusIs(kInvalidArgument, HasSubstr("another database")));
}

// The copy goes on with other changes; their numbers must not be taken for
// those that the follower has seen. The same holds after a loss of power, when
// unsynced changes are gone.
TEST_F(ChangesTest, AnOlderCopyDoesNotPassForTheDatabase) {
  Issue(Token());
  Follower old_follower;
  old_follower.ReadOn(db());
  Close();
  std::filesystem::copy(path(), path() + ".copy",
                        std::filesystem::copy_options::recursive);
  Reopen();
  Follower follower = old_follower;
  Issue(Token());
  follower.ReadOn(db());
  Close();
  std::filesystem::remove_all(path());
  std::filesystem::rename(path() + ".copy", path());
  Reopen();
  const auto refused = StatusIs(kFailedPrecondition, HasSubstr("older copy"));
  EXPECT_THAT(db().Changes(follower.continuation()), refused);
  const TokenId id = Issue(Token());
  EXPECT_THAT(db().Changes(follower.continuation()), refused);
  Reopen();
  EXPECT_THAT(db().Changes(follower.continuation()), refused);
  EXPECT_THAT(old_follower.ReadOn(db()), ElementsAre(At(Kind::kIssued, id, 1)));
}

TEST_F(ChangesTest, ChangesOfThreadsAreInOrderAndAllThere) {
  constexpr int kThreads = 8;
  constexpr int kChanges = 300;
  std::atomic<int> running = kThreads;
  std::vector<std::thread> writers;
  for (int thread = 0; thread < kThreads; ++thread) {
    writers.emplace_back([&, thread] {
      const TokenId own = FromNumber(1 + thread);
      const TokenId shared = FromNumber(100);
      if (thread == 0) {
        EXPECT_THAT(db().Issue({.id = shared}, kFast), IsOk());
      }
      EXPECT_THAT(db().Issue({.id = own}, kFast), IsOk());
      for (int i = 0; i < kChanges; ++i) {
        const TokenPatch patch = Describe(absl::StrCat(thread, " ", i));
        EXPECT_THAT(
            db().Update(own, patch, {.durability = Durability::kBuffered}),
            IsOk());
        // Another thread may not have issued it yet.
        db().Update(shared, patch, {.durability = Durability::kBuffered})
            .IgnoreError();
      }
      --running;
    });
  }
  Follower follower;
  std::map<TokenId, uint64_t> versions;
  absl::Time last = absl::InfinitePast();
  const auto follow = [&](size_t limit) {
    for (const TokenChange& change : follower.ReadOn(db(), limit)) {
      EXPECT_EQ(change.version, ++versions[change.id]);
      EXPECT_EQ(change.kind,
                change.version == 1 ? Kind::kIssued : Kind::kUpdated);
      EXPECT_GE(change.at, last);
      last = change.at;
    }
  };
  while (running > 0) {
    follow(7);
    clock().Advance(absl::Milliseconds(1));
  }
  for (std::thread& writer : writers) writer.join();
  follow(1000);
  EXPECT_THAT(versions, SizeIs(kThreads + 1));
  for (const auto& [id, version] : versions) {
    EXPECT_EQ(version, Stored(id).version);
  }
}

TEST_F(ChangesTest, CheckFindsDamagedRowsAndNumbersNeverGiven) {
  ExpectDamage();
  Issue(Token());
  Issue(Token());
  Close();
  {
    RawDatabase raw(path());
    auto [key, row] = raw.Entries("change").front();
    row.back() = static_cast<char>(row.back() ^ 1);
    raw.Put("change", key, row);
    constexpr uint64_t kNeverGiven = uint64_t{1} << 40;
    raw.Put("change", ChangeKey(kNeverGiven),
            ChangeRow(kNeverGiven, At(Kind::kIssued, FromNumber(1), 1)));
  }
  Reopen();
  EXPECT_THAT(db().Changes(), StatusIs(absl::StatusCode::kDataLoss));
  const auto report = db().Check();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->problems_found, 2);
  for (const CheckProblem& problem : report->problems) {
    EXPECT_EQ(problem.kind, CheckProblem::Kind::kWrongEntry);
    EXPECT_EQ(problem.family, "change");
  }
  EXPECT_THAT(report->problems[0].detail, HasSubstr("checksum"));
  EXPECT_THAT(report->problems[1].detail, HasSubstr("above the reserved"));
}

}  // namespace
}  // namespace tokendb::testing
