// The change feed: switching it on and off, how far it goes back, and what
// becomes of its space.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "src/db/change_log.h"
#include "tests/support/database_peer.h"
#include "tests/support/database_test.h"
#include "tests/support/feed.h"
#include "tests/support/raw_database.h"

namespace tokendb::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto kOutOfRange = absl::StatusCode::kOutOfRange;
constexpr auto kFailedPrecondition = absl::StatusCode::kFailedPrecondition;
constexpr absl::Duration kRetain = absl::Hours(1);
constexpr absl::Duration kTick = absl::Milliseconds(1);

class ChangesRetentionTest : public DatabaseTest {
 protected:
  void SetUp() override {
    options().retain_changes = kRetain;
    options().reclaim.automatic = false;
    DatabaseTest::SetUp();
  }

  void ReopenWith(std::optional<absl::Duration> retain) {
    options().retain_changes = retain;
    Reopen();
  }

  void IssueMany(int count) {
    ASSERT_THAT(db().IssueBatch(std::vector<Token>(count), kFast), IsOk());
  }

  size_t RawRows() {
    Close();
    size_t rows = 0;
    {
      RawDatabase raw(path());
      rows = raw.Entries("change").size();
      EXPECT_EQ(raw.Deletions("change"), 0);
    }
    Reopen();
    return rows;
  }

  ChangeLog& log() { return DatabasePeer::ChangesOf(db()); }
};

TEST_F(ChangesRetentionTest, ByDefaultThereIsNoFeed) {
  Close();
  const std::string other = path() + "2";
  auto db = Database::Open(other, {.clock = &clock()});
  ASSERT_THAT(db, IsOk());
  ASSERT_THAT((*db)->Issue(Token()), IsOk());
  EXPECT_THAT((*db)->Changes(), StatusIs(kFailedPrecondition));
  EXPECT_THAT((*db)->ChangesFromNow(), StatusIs(kFailedPrecondition));
  EXPECT_EQ((*db)->Stats()->retain_changes, absl::ZeroDuration());
  ASSERT_THAT((*db)->Reclaim(), IsOk());
  db->reset();
  RawDatabase raw(other);
  EXPECT_THAT(raw.Entries("change"), IsEmpty());
  EXPECT_THAT(raw.Entries("meta", "changes"), IsEmpty());
}

TEST_F(ChangesRetentionTest, ThePeriodIsKeptWithTheDatabase) {
  ReopenWith(std::nullopt);
  EXPECT_EQ(db().Stats()->retain_changes, kRetain);
  ReopenWith(absl::InfiniteDuration());
  ReopenWith(std::nullopt);
  EXPECT_EQ(db().Stats()->retain_changes, absl::InfiniteDuration());
  EXPECT_THAT(
      Database::Open(path() + "2", {.retain_changes = -absl::Seconds(1)}),
      StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ChangesRetentionTest, SwitchedOnAgainTheFeedBeginsAnew) {
  const std::string unread = Follower().continuation();
  IssueMany(3);
  Follower caught_up;
  EXPECT_THAT(caught_up.ReadOn(db()), SizeIs(3));
  const std::string before = caught_up.continuation();
  ReopenWith(absl::ZeroDuration());
  EXPECT_THAT(db().Changes(before), StatusIs(kFailedPrecondition));
  IssueMany(2);
  ReopenWith(kRetain);
  EXPECT_THAT(db().Changes(before), StatusIs(kOutOfRange));
  EXPECT_THAT(Follower().ReadOn(db()), IsEmpty());
  IssueMany(1);
  EXPECT_THAT(db().Changes(before), StatusIs(kOutOfRange));
  EXPECT_THAT(Follower(unread).ReadOn(db()), SizeIs(1));
  ASSERT_THAT(db().Compact(), IsOk());
  EXPECT_EQ(RawRows(), 1);
}

// A position of an empty feed is one from before, too.
TEST_F(ChangesRetentionTest, APositionWithoutChangesEndsWithItsFeed) {
  const std::string start = *db().ChangesFromNow();
  ReopenWith(absl::ZeroDuration());
  ReopenWith(kRetain);
  EXPECT_THAT(db().Changes(start), StatusIs(kOutOfRange));
}

TEST_F(ChangesRetentionTest, ChangesGoWhenTheirPeriodHasPassed) {
  Follower start(*db().ChangesFromNow());
  IssueMany(3);
  clock().Advance(absl::Minutes(1));
  IssueMany(2);
  const absl::Time second = Now();
  clock().Advance(kRetain - absl::Minutes(1) - kTick);
  ASSERT_THAT(db().Reclaim(), IsOk());
  EXPECT_THAT(Follower().ReadOn(db()), SizeIs(5));
  clock().Advance(kTick);
  const std::string from_start = start.continuation();
  // Until then nothing has to go.
  EXPECT_THAT(Follower(from_start).ReadOn(db()), SizeIs(5));
  ASSERT_THAT(db().Reclaim(), IsOk());
  EXPECT_THAT(Follower().ReadOn(db()), SizeIs(2));
  EXPECT_THAT(db().Changes(from_start),
              StatusIs(kOutOfRange, HasSubstr(absl::FormatTime(
                                        second, absl::UTCTimeZone()))));
  clock().Advance(kRetain);
  ASSERT_THAT(db().Compact(), IsOk());
  EXPECT_THAT(Follower().ReadOn(db()), IsEmpty());
  EXPECT_THAT(db().Changes(from_start), StatusIs(kOutOfRange));
  EXPECT_EQ(RawRows(), 0);
}

TEST_F(ChangesRetentionTest, AFollowerInTheMiddleOfWhatGoesIsTold) {
  IssueMany(10);
  clock().Advance(absl::Minutes(1));
  IssueMany(10);
  const std::string behind_9 = db().Changes({}, 9)->continuation;
  const std::string behind_10 = db().Changes({}, 10)->continuation;
  clock().Advance(kRetain - absl::Minutes(1));
  ASSERT_THAT(db().Reclaim(), IsOk());
  EXPECT_THAT(db().Changes(behind_9), StatusIs(kOutOfRange));
  EXPECT_THAT(Follower(behind_10).ReadOn(db()), SizeIs(10));
  Reopen();
  EXPECT_THAT(db().Changes(behind_9), StatusIs(kOutOfRange));
  EXPECT_THAT(Follower(behind_10).ReadOn(db()), SizeIs(10));
}

TEST_F(ChangesRetentionTest, AnIdleFollowerThatHasReadAllStaysInTheFeed) {
  IssueMany(3);
  Follower follower;
  EXPECT_THAT(follower.ReadOn(db()), SizeIs(3));
  for (int round = 0; round < 4; ++round) {
    clock().Advance(kRetain * 10);
    ASSERT_THAT(db().Reclaim(), IsOk());
    ASSERT_THAT(db().Compact(), IsOk());
    if (round == 2) Reopen();
    EXPECT_THAT(follower.ReadOn(db()), IsEmpty());
    EXPECT_THAT(Follower().ReadOn(db()), IsEmpty());
  }
  EXPECT_EQ(RawRows(), 0);
  IssueMany(2);
  EXPECT_THAT(follower.ReadOn(db()), SizeIs(2));
}

TEST_F(ChangesRetentionTest, AClockSetBackBringsNothingBackAndLosesNothing) {
  IssueMany(3);
  clock().Advance(kRetain);
  ASSERT_THAT(db().Reclaim(), IsOk());
  IssueMany(2);
  clock().Advance(-absl::Hours(24));
  Reopen();
  IssueMany(1);
  EXPECT_THAT(Follower().ReadOn(db()), SizeIs(3));
  ASSERT_THAT(db().Reclaim(), IsOk());
  EXPECT_THAT(Follower().ReadOn(db()), SizeIs(3));
}

TEST_F(ChangesRetentionTest, SpaceOfALongFeedComesBackWithoutTombstones) {
  for (int round = 0; round < 20; ++round) {
    IssueMany(500);
    ASSERT_THAT(db().Flush(), IsOk());
    clock().Advance(absl::Minutes(10));
    ASSERT_THAT(db().Reclaim(), IsOk());
  }
  // Those of the last hour, the last of which was issued ten minutes ago.
  EXPECT_THAT(Follower().ReadOn(db()), SizeIs(5 * 500));
  EXPECT_EQ(RawRows(), 5 * 500);
  clock().Advance(kRetain);
  const auto report = db().Reclaim();
  ASSERT_THAT(report, IsOk());
  EXPECT_GT(report->bytes_reclaimed, 0);
  EXPECT_EQ(RawRows(), 0);
}

// A batch across the end of a reserved block.
TEST_F(ChangesRetentionTest, NumbersGoOnBehindTheReservedBlock) {
  Follower follower;
  IssueMany(10);
  auto skipped = log().Take(65500);
  ASSERT_THAT(skipped, IsOk());
  skipped->Committed();
  IssueMany(100);
  EXPECT_THAT(follower.ReadOn(db(), 7), SizeIs(110));
  Reopen();
  IssueMany(1);
  EXPECT_THAT(follower.ReadOn(db()), SizeIs(1));
}

// What a slow writer holds is neither read over nor dropped under.
TEST_F(ChangesRetentionTest, TheFeedEndsBeforeAnUncommittedChange) {
  IssueMany(2);
  {
    auto numbers = log().Take(3);
    ASSERT_THAT(numbers, IsOk());
    IssueMany(4);
    EXPECT_THAT(Follower().ReadOn(db()), SizeIs(2));
    clock().Advance(kRetain);
    ASSERT_THAT(db().Reclaim(), IsOk());
    EXPECT_LT(log().floor(), numbers->first());
    numbers->Committed();
  }
  EXPECT_THAT(Follower().ReadOn(db()), SizeIs(4));
  ASSERT_THAT(db().Reclaim(), IsOk());
  EXPECT_THAT(Follower().ReadOn(db()), IsEmpty());
}

// It may be in the log all the same, and be there after reopening.
TEST_F(ChangesRetentionTest, BehindAFailedCommitTheFeedGoesOnAfterReopening) {
  IssueMany(2);
  { ASSERT_THAT(log().Take(1), IsOk()); }
  IssueMany(1);
  const auto page = db().Changes();
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->changes, SizeIs(2));
  EXPECT_FALSE(page->caught_up);
  EXPECT_THAT(db().Changes(page->continuation),
              StatusIs(absl::StatusCode::kInternal));
  Reopen();
  EXPECT_THAT(Follower(page->continuation).ReadOn(db()), SizeIs(1));
}

TEST_F(ChangesRetentionTest, ADatabaseFromBeforeTheFeedGetsIt) {
  const TokenId id = Issue(Token());
  Close();
  {
    RawDatabase raw(path());
    raw.DropFamily("change");
    for (const auto& [key, value] : raw.Entries("meta", "changes/")) {
      raw.Delete("meta", key);
    }
  }
  ReopenWith(std::nullopt);
  EXPECT_THAT(db().Get(id), IsOk());
  EXPECT_THAT(db().Changes(), StatusIs(kFailedPrecondition));
  ReopenWith(kRetain);
  IssueMany(1);
  EXPECT_THAT(Follower().ReadOn(db()), SizeIs(1));
}

TEST_F(ChangesRetentionTest, ADatabaseThatLacksAnotherFamilyIsNotMended) {
  Close();
  { RawDatabase(path()).DropFamily("hot"); }
  EXPECT_THAT(Database::Open(path(), options()),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace tokendb::testing
