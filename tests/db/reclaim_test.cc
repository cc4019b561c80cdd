// Space of forgotten tokens comes back: Database::Reclaim() and what the
// background does of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/support/database_test.h"
#include "tests/support/raw_database.h"

namespace tokendb::testing {
namespace {

using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kTokens = 2000;
constexpr absl::Duration kRetain = absl::Seconds(60);

class ReclaimTest : public DatabaseTest {
 protected:
  void SetUp() override {
    options().retain_expired = kRetain;
    options().retain_revoked = kRetain;
    options().reclaim.automatic = false;
    DatabaseTest::SetUp();
  }

  // Tokens of which each `every`-th expires after `lifetime`.
  void IssueMany(int every, absl::Duration lifetime) {
    std::vector<Token> tokens;
    for (int i = 0; i < kTokens; ++i) {
      Token& token = tokens.emplace_back();
      token.owner = OwnedBy(absl::StrCat("owner ", i % 10));
      token.scopes = {"read", absl::StrCat("scope ", i % 7)};
      token.digest = DigestOf(absl::StrCat("secret ", issued_++));
      token.description = std::string(200, static_cast<char>('a' + i % 26));
      if (i % every == 0) token.expires_at = Now() + lifetime;
    }
    ASSERT_THAT(db().IssueBatch(tokens, kFast), IsOk());
  }

  ReclaimStats Stats() {
    const auto stats = db().Stats();
    EXPECT_THAT(stats, IsOk());
    return stats->reclaim;
  }

  ReclaimReport Reclaim() {
    const auto report = db().Reclaim();
    EXPECT_THAT(report, IsOk());
    return *report;
  }

  size_t RawEntries(const std::string& family) {
    Close();
    size_t entries = 0;
    {
      RawDatabase raw(path());
      entries = raw.Entries(family).size();
    }
    Reopen();
    return entries;
  }

 private:
  int issued_ = 0;
};

TEST_F(ReclaimTest, NothingIsTakenBackBeforeItIsForgotten) {
  IssueMany(1, absl::Hours(1));
  clock().Advance(absl::Hours(1) + kRetain - absl::Milliseconds(1));
  Reclaim();
  EXPECT_EQ(CountOf({.states = TokenState::kExpired}), kTokens);
  EXPECT_EQ(RawEntries("token"), kTokens);
}

TEST_F(ReclaimTest, AnIdleDatabaseGetsItsSpaceBack) {
  IssueMany(1, absl::Hours(1));
  // Files tell the times of their entries to the second.
  clock().Advance(absl::Hours(1) + kRetain + absl::Seconds(1));
  EXPECT_GT(Reclaim().bytes_reclaimed, 0);
  EXPECT_EQ(Stats().forgotten_bytes, 0);
  EXPECT_EQ(Stats().files_waiting, 0);
  for (const char* family : {"token", "digest", "index"}) {
    EXPECT_EQ(RawEntries(family), 0) << family;
  }
}

TEST_F(ReclaimTest, TheOthersStay) {
  IssueMany(2, absl::Hours(1));
  clock().Advance(absl::Hours(2));
  EXPECT_GT(Reclaim().bytes_reclaimed, 0);
  EXPECT_EQ(CountOf({}), kTokens / 2);
  EXPECT_EQ(RawEntries("token"), kTokens / 2);
  EXPECT_EQ(RawEntries("digest"), kTokens / 2);
}

TEST_F(ReclaimTest, FilesInWhichLittleIsForgottenAreLeftAlone) {
  IssueMany(50, absl::Hours(1));
  ASSERT_THAT(db().Compact(), IsOk());
  clock().Advance(absl::Hours(2));
  EXPECT_EQ(Reclaim().files_rewritten, 0);
  EXPECT_EQ(RawEntries("token"), kTokens);
}

// Design: at most 30% as many bytes as others have, after a round.
TEST_F(ReclaimTest, NoMoreThanThirtyPercentStay) {
  for (const int every : {2, 3, 4, 5, 6, 8}) {
    IssueMany(every, absl::Hours(1));
    ASSERT_THAT(db().Flush(), IsOk());
  }
  ASSERT_THAT(db().Compact(), IsOk());
  clock().Advance(absl::Hours(2));
  const ReclaimStats before = Stats();
  ASSERT_GT(before.forgotten_bytes, 0);
  Reclaim();
  const ReclaimStats after = Stats();
  EXPECT_LE(after.forgotten_bytes, 3 * after.live_bytes / 10);
}

TEST_F(ReclaimTest, AReaderKeepsWhatItStillReads) {
  IssueMany(1, absl::Hours(1));
  auto reader = db().Read({});
  ASSERT_THAT(reader, IsOk());
  clock().Advance(absl::Hours(3));
  Reclaim();
  ASSERT_THAT(db().Compact(), IsOk());
  int read = 0;
  while (true) {
    const auto token = (*reader)->Next();
    ASSERT_THAT(token, IsOk());
    if (!token->has_value()) break;
    ++read;
  }
  EXPECT_EQ(read, kTokens);
  reader->reset();
  Reclaim();
  EXPECT_EQ(RawEntries("token"), 0);
}

TEST_F(ReclaimTest, LeavesNoTombstonesInTheIndex) {
  IssueMany(2, absl::Hours(1));
  ASSERT_THAT(db().Flush(), IsOk());
  IssueMany(2, absl::Hours(2));
  ASSERT_THAT(db().Flush(), IsOk());
  clock().Advance(absl::Hours(3));
  Reclaim();
  Close();
  EXPECT_EQ(RawDatabase(path()).Deletions("index"), 0u);
  Reopen();
}

// The traps of files dropped unread: entries of live tokens in their range.
TEST_F(ReclaimTest, DroppedFilesTakeNothingElseWithThem) {
  for (int round = 0; round < 6; ++round) {
    IssueMany(round % 2 + 1, absl::Hours(round + 1));
    ASSERT_THAT(db().Flush(), IsOk());
    if (round % 2 == 0) {
      ASSERT_THAT(db().Compact(), IsOk());
    }
    clock().Advance(absl::Minutes(50));
    const uint64_t live = CountOf({});
    Reclaim();
    EXPECT_EQ(CountOf({}), live);
    EXPECT_EQ(CountOf({.scopes = {.all_of = {"read"}}}), live);
    EXPECT_THAT(Ids({.scopes = {.all_of = {"read"}}, .limit = 10000}),
                SizeIs(live));
    const auto report = db().Check();
    ASSERT_THAT(report, IsOk());
    EXPECT_EQ(report->problems_found, 0);
  }
}

TEST_F(ReclaimTest, TheBackgroundDoesTheSame) {
  options().reclaim = {.automatic = true, .period = absl::Milliseconds(1)};
  Reopen();
  IssueMany(1, absl::Hours(1));
  clock().Advance(absl::Hours(2));
  // Until it has: the test's time limit is the bound.
  while (Stats().total.files_rewritten == 0 || Stats().forgotten_bytes > 0) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  EXPECT_THAT(Stats().last_error, IsOk());
  db().PauseReclaim();
  EXPECT_TRUE(Stats().paused);
  db().ResumeReclaim();
  EXPECT_FALSE(Stats().paused);
}

TEST_F(ReclaimTest, PausedItDoesNothingByItself) {
  options().reclaim = {.automatic = true, .period = absl::Milliseconds(1)};
  Reopen();
  db().PauseReclaim();
  const uint64_t rounds = Stats().rounds;
  IssueMany(1, absl::Hours(1));
  ASSERT_THAT(db().Flush(), IsOk());
  clock().Advance(absl::Hours(2));
  // A round that had begun before the pause may end after it.
  EXPECT_LE(Stats().rounds, rounds + 1);
  const ReclaimStats before = Stats();
  EXPECT_GT(before.forgotten_bytes, 0);
  Reclaim();
  EXPECT_EQ(Stats().forgotten_bytes, 0);
}

}  // namespace
}  // namespace tokendb::testing
