// What becomes of expired tokens while others change them, delete them or take
// their space back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/support/database_test.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kRetain = absl::Seconds(60);
constexpr Durability kBuffered = Durability::kBuffered;

class CleanupTest : public DatabaseTest {
 protected:
  void SetUp() override {
    options().retain_expired = kRetain;
    options().retain_revoked = absl::Hours(24);
    options().reclaim.automatic = false;
    DatabaseTest::SetUp();
  }

  std::vector<TokenId> IssueExpiring(int count, absl::Time expires_at,
                                     size_t description_bytes = 0) {
    std::vector<Token> tokens(count);
    for (Token& token : tokens) {
      token.owner = OwnedBy(absl::StrCat("owner ", issued_ % 10));
      token.scopes = {"read"};
      token.digest = DigestOf(absl::StrCat("secret ", issued_++));
      token.description = std::string(description_bytes, 'd');
      token.expires_at = expires_at;
    }
    const auto ids = db().IssueBatch(tokens, kFast);
    EXPECT_THAT(ids, IsOk());
    return ids.ok() ? *ids : std::vector<TokenId>();
  }

  // All expired tokens that are still remembered, whatever else they are.
  Query Expired() const {
    return {.expires = {.before = Now() + absl::Milliseconds(1)},
            .states = StateSet::All()};
  }

  uint64_t DeleteExpired(uint64_t most = UINT64_MAX) {
    const auto deleted = db().DeleteAll(
        Expired(), {.max_tokens = most, .durability = kBuffered});
    EXPECT_THAT(deleted, IsOk());
    return deleted.ok() ? *deleted : 0;
  }

  void ReclaimAll() {
    ASSERT_THAT(db().Reclaim(), IsOk());
    ASSERT_THAT(db().Compact(), IsOk());
  }

 private:
  int issued_ = 0;
};

// Scenario 93. The limits lie below, at and above the step of 256 tokens, and
// are no multiples of it.
TEST_F(CleanupTest, DeletesExactlyAsManyAsAskedFor) {
  for (const uint64_t limit : {1, 255, 256, 257, 600, 1000}) {
    const auto live = IssueExpiring(3, Now() + absl::Hours(1));
    IssueExpiring(600, Now() + absl::Milliseconds(1));
    clock().Advance(absl::Milliseconds(1));
    const uint64_t first = DeleteExpired(limit);
    EXPECT_EQ(first, std::min<uint64_t>(limit, 600));
    EXPECT_EQ(DeleteExpired(), 600 - first);
    for (const TokenId& id : live) EXPECT_THAT(db().Delete(id), IsOk());
  }
}

// Scenario 97.
TEST_F(CleanupTest, BeforeMeansStrictlyBefore) {
  const absl::Time cutoff = Now() + absl::Seconds(10);
  const auto before = IssueExpiring(1, cutoff - absl::Milliseconds(1));
  const auto at = IssueExpiring(1, cutoff);
  IssueExpiring(1, cutoff + absl::Milliseconds(1));
  clock().Set(cutoff + absl::Seconds(1));
  EXPECT_THAT(
      Ids({.expires = {.before = cutoff}, .states = TokenState::kExpired}),
      ElementsAre(before.front()));
  EXPECT_THAT(Ids({.expires = {.before = cutoff + absl::Milliseconds(1)},
                   .states = TokenState::kExpired}),
              ElementsAre(before.front(), at.front()));
}

// Scenario 99: a used refresh token is kept for finding out its reuse, as long
// as it was going to be.
TEST_F(CleanupTest, ARevokedTokenIsFoundUntilItsShortenedEnd) {
  const TokenId id = IssueExpiring(1, Now() + absl::Hours(48)).front();
  ASSERT_THAT(db().Revoke(id, {.durability = kBuffered}), IsOk());
  TokenPatch sooner;
  sooner.expires_at = Now() + absl::Hours(1);
  ASSERT_THAT(db().Update(id, sooner), IsOk());
  clock().Advance(absl::Hours(24));
  ReclaimAll();
  EXPECT_EQ(StateBy(*Stored(id).digest), TokenState::kRevoked);
  clock().Advance(absl::Hours(1));
  ReclaimAll();
  EXPECT_THAT(db().Get(id), StatusIs(absl::StatusCode::kNotFound));
}

// Scenario 100.
TEST_F(CleanupTest, AChangedExpiryMovesTheTokenWholly) {
  const absl::Time start = Now();
  const auto extended = IssueExpiring(1, start + absl::Hours(10)).front();
  const auto shortened = IssueExpiring(1, start + absl::Hours(12)).front();
  ASSERT_THAT(db().Flush(), IsOk());
  TokenPatch later;
  later.expires_at = start + absl::Hours(12);
  ASSERT_THAT(db().Update(extended, later), IsOk());
  TokenPatch sooner;
  sooner.expires_at = start + absl::Hours(10);
  ASSERT_THAT(db().Update(shortened, sooner), IsOk());

  EXPECT_THAT(Ids({.expires = {.before = start + absl::Hours(11)}}),
              ElementsAre(shortened));
  EXPECT_THAT(Ids({.expires = {.from = start}}),
              ElementsAre(shortened, extended));
  clock().Set(start + absl::Hours(11));
  ReclaimAll();
  EXPECT_THAT(Ids({.states = StateSet::All()}), ElementsAre(extended));
  EXPECT_EQ(StateBy(*Stored(extended).digest), TokenState::kLive);
}

// Scenario 102.
TEST_F(CleanupTest, EachTokensOwnExpiryCounts) {
  std::vector<TokenId> ids;
  for (const int seconds : {1, 10, 100, 1000}) {
    ids.push_back(IssueExpiring(1, Now() + absl::Seconds(seconds)).front());
  }
  for (size_t gone = 1; gone <= ids.size(); ++gone) {
    clock().Set(*Stored(ids[gone - 1]).expires_at + kRetain);
    ReclaimAll();
    for (size_t i = 0; i < ids.size(); ++i) {
      EXPECT_EQ(db().Get(ids[i]).ok(), i >= gone) << i << " at " << gone;
    }
  }
}

// Scenario 104: looking for what has expired costs what has expired, and what
// has been forgotten costs nothing, however many others there are.
TEST_F(CleanupTest, TheCostDoesNotDependOnTheOthers) {
  options().retain_revoked = kRetain;
  Reopen();
  const auto examined_beside = [&](int others) {
    IssueExpiring(others, Now() + absl::Hours(100));
    IssueExpiring(200, Now() + absl::Seconds(1));
    clock().Advance(absl::Seconds(1));
    const auto page =
        db().List({.expires = {.before = Now() + absl::Milliseconds(1)},
                   .states = TokenState::kExpired,
                   .limit = 1000});
    EXPECT_THAT(page, IsOk());
    EXPECT_THAT(page->tokens, SizeIs(200));
    clock().Advance(kRetain);  // Forgotten now, but still on disk.
    const auto after =
        db().List({.expires = {.before = Now() + absl::Milliseconds(1)},
                   .states = StateSet::All(),
                   .limit = 1000});
    EXPECT_THAT(after, IsOk());
    EXPECT_EQ(after->stats.examined, 0);
    return page->stats.examined;
  };
  const uint64_t few = examined_beside(10);
  EXPECT_EQ(few, examined_beside(5000));
}

// Scenarios 105, 106.
TEST_F(CleanupTest, TwoCleanersAtOnceCountEachTokenOnce) {
  constexpr int kTokens = 3000;
  const auto ids = IssueExpiring(kTokens, Now() + absl::Seconds(1));
  clock().Advance(absl::Seconds(1));
  std::atomic<uint64_t> deleted = 0;
  std::atomic<uint64_t> deleted_by_hand = 0;
  std::vector<std::thread> threads;
  threads.reserve(3);
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] { deleted += DeleteExpired(); });
  }
  // Changes the tokens under the cleaners' hands.
  threads.emplace_back([&] {
    for (size_t i = 0; i < ids.size(); i += 50) {
      const absl::Status status =
          db().Delete(ids[i], {.durability = kBuffered});
      if (status.ok()) ++deleted_by_hand;
      EXPECT_TRUE(status.ok() || absl::IsNotFound(status)) << status;
    }
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(deleted + deleted_by_hand, kTokens);
  EXPECT_THAT(Ids(Expired()), IsEmpty());
}

// Scenario 107.
TEST_F(CleanupTest, ATokenThatIsExtendedMeanwhileSurvives) {
  constexpr int kTokens = 2000;
  const auto ids = IssueExpiring(kTokens, Now() + absl::Seconds(1));
  clock().Advance(absl::Seconds(1));
  std::vector<TokenId> extended;
  std::thread renewing([&] {
    TokenPatch later;
    later.expires_at = Now() + absl::Hours(1);
    for (size_t i = 0; i < ids.size(); i += 3) {
      const auto token = db().Update(ids[i], later, {.durability = kBuffered});
      if (token.ok()) extended.push_back(ids[i]);
      EXPECT_TRUE(token.ok() || absl::IsNotFound(token.status()))
          << token.status();
    }
  });
  const uint64_t deleted = DeleteExpired();
  renewing.join();
  EXPECT_EQ(deleted + extended.size(), kTokens);
  for (const TokenId& id : extended) {
    EXPECT_EQ(StateBy(*Stored(id).digest), TokenState::kLive);
  }
}

// The same, against compactions that drop what is forgotten: extending is
// decided before or after the moment of forgetting, never in between.
TEST_F(CleanupTest, ATokenThatIsExtendedIsNotCompactedAway) {
  const auto ids = IssueExpiring(500, Now() + absl::Seconds(1));
  ASSERT_THAT(db().Flush(), IsOk());
  clock().Advance(absl::Seconds(1) + kRetain - absl::Milliseconds(1));
  std::atomic<bool> stop = false;
  std::thread compacting([&] {
    while (!stop) ReclaimAll();
  });
  std::vector<TokenId> extended;
  TokenPatch later;
  later.expires_at = Now() + absl::Hours(1);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (i == ids.size() / 2) clock().Advance(absl::Milliseconds(1));
    const auto token = db().Update(ids[i], later, {.durability = kBuffered});
    if (token.ok()) extended.push_back(ids[i]);
    EXPECT_EQ(token.ok(), i < ids.size() / 2) << token.status();
  }
  stop = true;
  compacting.join();
  ReclaimAll();
  EXPECT_THAT(extended, SizeIs(ids.size() / 2));
  for (const TokenId& id : extended) EXPECT_THAT(db().Get(id), IsOk());
  EXPECT_EQ(CountOf({.states = StateSet::All()}), extended.size());
}

// Scenario 118: what expires all at once is gone at once, and its space comes
// back no faster than it may.
TEST_F(CleanupTest, ManyTokensOfOneExpiryAreReclaimedAtTheSpeedAllowed) {
  constexpr uint64_t kBytesPerSecond = uint64_t{1} << 20;
  IssueExpiring(20000, Now() + absl::Hours(1), 500);
  ASSERT_THAT(db().Flush(), IsOk());
  options().reclaim = {.automatic = true,
                       .period = absl::Milliseconds(10),
                       .bytes_per_second = kBytesPerSecond};
  const auto start = std::chrono::steady_clock::now();
  Reopen();
  clock().Advance(absl::Hours(1));
  EXPECT_EQ(CountOf({}), 0);
  clock().Advance(kRetain + absl::Seconds(1));
  EXPECT_EQ(CountOf({.states = StateSet::All()}), 0);
  // Index files are dropped unread; others are rewritten one after another.
  ReclaimStats stats;
  uint64_t largest_step = 0;
  uint64_t seen = 0;
  do {
    absl::SleepFor(absl::Milliseconds(1));
    const auto now = db().Stats();
    ASSERT_THAT(now, IsOk());
    stats = now->reclaim;
    ASSERT_THAT(stats.last_error, IsOk());
    largest_step = std::max(largest_step, stats.total.bytes_rewritten - seen);
    seen = stats.total.bytes_rewritten;
    EXPECT_EQ(CountOf({}), 0);
  } while (stats.forgotten_bytes > 0);
  const std::chrono::duration<double> taken =
      std::chrono::steady_clock::now() - start;
  // A round's last file is waited for in the next one.
  EXPECT_LE(static_cast<double>(stats.total.bytes_rewritten - largest_step),
            kBytesPerSecond * taken.count());
}

}  // namespace
}  // namespace tokendb::testing
