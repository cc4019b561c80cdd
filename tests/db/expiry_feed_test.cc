// What has expired, as a feed: ExpiredBetween() and NextExpiry().
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/database_test.h"
#include "tests/support/raw_database.h"

namespace tokendb::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

constexpr absl::Duration kTick = absl::Milliseconds(1);

class ExpiryFeedTest : public DatabaseTest {
 protected:
  void SetUp() override {
    options().reclaim.automatic = false;
    options().touch.flush_period = absl::InfiniteDuration();
    DatabaseTest::SetUp();
    start_ = Now();
  }

  absl::Time At(int seconds) const { return start_ + absl::Seconds(seconds); }

  TokenId IssueUntil(int number, absl::Time end) {
    return Issue({.id = FromNumber(number), .expires_at = end});
  }

  ExpiredPage Expired(absl::Time from, absl::Time before,
                      const ExpiredOptions& options = {}) {
    auto page = db().ExpiredBetween(from, before, options);
    EXPECT_THAT(page, IsOk());
    return page.ok() ? *std::move(page) : ExpiredPage();
  }

  static std::vector<TokenId> IdsOf(const ExpiredPage& page) {
    std::vector<TokenId> ids;
    for (const Token& token : page.tokens) ids.push_back(token.id);
    return ids;
  }

  absl::Time start_;
};

// Scenario 97: before, at, after.
TEST_F(ExpiryFeedTest, ListsExactlyWhatExpiredInTheWindow) {
  IssueUntil(1, At(10) - kTick);
  const TokenId at_begin = IssueUntil(2, At(10));
  const TokenId before_end = IssueUntil(3, At(20) - kTick);
  IssueUntil(4, At(20));
  Issue({});
  clock().Set(At(100));
  const ExpiredPage page = Expired(At(10), At(20));
  EXPECT_THAT(IdsOf(page), ElementsAre(at_begin, before_end));
  EXPECT_EQ(page.continuation, "");
  EXPECT_EQ(page.complete_until, At(20));
  // Finer than what is kept, both ends are rounded the same way.
  EXPECT_THAT(IdsOf(Expired(At(10) - absl::Microseconds(1),
                            At(20) - kTick - absl::Microseconds(1))),
              ElementsAre(at_begin));
  EXPECT_THAT(IdsOf(Expired(absl::InfinitePast(), absl::InfiniteFuture())),
              SizeIs(4));
  EXPECT_THAT(IdsOf(Expired(At(10), At(10))), IsEmpty());
}

TEST_F(ExpiryFeedTest, WhatDidNotEndByExpiryDoesNotCome) {
  const TokenId expired = IssueUntil(1, At(10));
  const TokenId revoked = IssueUntil(2, At(10));
  const TokenId later = IssueUntil(3, At(10));
  Issue({.id = FromNumber(4), .expires_at = At(10), .enabled = false});
  ASSERT_THAT(db().Revoke(revoked), IsOk());
  // It will be revoked only after it has expired.
  ASSERT_THAT(db().Revoke(later, {.at = At(50)}), IsOk());
  clock().Set(At(20));
  EXPECT_THAT(IdsOf(Expired(start_, At(20))), ElementsAre(expired, later));
}

TEST_F(ExpiryFeedTest, OwnersAndScopesNarrowIt) {
  const TokenId one = Issue(
      {.owner = OwnedBy("ada"), .scopes = {"read"}, .expires_at = At(10)});
  const TokenId two = Issue({.owner = OwnedBy("bob"), .expires_at = At(11)});
  clock().Set(At(20));
  EXPECT_THAT(IdsOf(Expired(start_, At(20), {.owners = {"ada"}})),
              ElementsAre(one));
  EXPECT_THAT(IdsOf(Expired(start_, At(20), {.owners = {"ada", "bob"}})),
              ElementsAre(one, two));
  EXPECT_THAT(IdsOf(Expired(start_, At(20), {.scopes = {.all_of = {"read"}}})),
              ElementsAre(one));
}

TEST_F(ExpiryFeedTest, WindowsOneAfterTheOtherMissAndRepeatNothing) {
  std::vector<TokenId> expected;
  for (int i = 1; i <= 60; ++i) {
    expected.push_back(
        IssueUntil(i, start_ + absl::Milliseconds(100 * (i / 3))));
  }
  std::vector<TokenId> found;
  absl::Time from = start_;
  // A window for each step of the clock, sometimes right at an expiry.
  for (int step = 0; step < 30; ++step) {
    ExpiredOptions options = {.limit = 2};
    ExpiredPage page;
    do {
      page = Expired(from, absl::InfiniteFuture(), options);
      for (const TokenId& id : IdsOf(page)) found.push_back(id);
      options.continuation = page.continuation;
      // The clock goes on between pages too.
      clock().Advance(absl::Milliseconds(3));
    } while (!page.continuation.empty());
    EXPECT_GE(page.complete_until, from);
    from = page.complete_until;
    clock().Advance(absl::Milliseconds(step % 2 == 0 ? 97 : 100));
    if (step % 10 == 9) Reopen();
  }
  EXPECT_EQ(found, expected);
  // The same position in windows without anything.
  EXPECT_EQ(Expired(from, At(1000)).complete_until, Now() + kTick);
  EXPECT_EQ(Expired(At(500), At(1000)).complete_until, At(500));
}

TEST_F(ExpiryFeedTest, PagesGoOnAfterRestartsAndWrites) {
  for (int i = 1; i <= 9; ++i) IssueUntil(i, At(10 + i / 4));
  clock().Set(At(50));
  ExpiredOptions options = {.limit = 4};
  std::vector<TokenId> found;
  for (int page_number = 0; page_number < 3; ++page_number) {
    const ExpiredPage page = Expired(start_, At(40), options);
    for (const TokenId& id : IdsOf(page)) found.push_back(id);
    options.continuation = page.continuation;
    EXPECT_EQ(page.continuation.empty(), page_number == 2);
    EXPECT_EQ(page.complete_until, At(40));
    Issue({.expires_at = At(60)});
    ASSERT_THAT(db().Compact(), IsOk());
    Reopen();
  }
  std::vector<TokenId> expected;
  for (int i = 1; i <= 9; ++i) expected.push_back(FromNumber(i));
  EXPECT_EQ(found, expected);
  // Of another window, and damaged.
  options.continuation = Expired(start_, At(40), {.limit = 4}).continuation;
  const auto invalid = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(db().ExpiredBetween(start_, At(41), options), invalid);
  options.continuation.pop_back();
  EXPECT_THAT(db().ExpiredBetween(start_, At(40), options), invalid);
  EXPECT_THAT(db().ExpiredBetween(At(2), At(1)), invalid);
  EXPECT_THAT(db().ExpiredBetween(start_, At(1), {.limit = 0}), invalid);
  EXPECT_THAT(db().ExpiredBetween(start_, At(1), {.owners = {""}}), invalid);
}

TEST_F(ExpiryFeedTest, WhatMayBeForgottenIsAnErrorAndNeverAGap) {
  options().retain_expired = absl::Minutes(1);
  options().retain_revoked = absl::Minutes(5);
  Reopen();
  for (int i = 1; i <= 6; ++i) IssueUntil(i, At(10 * i));
  clock().Set(At(10) + absl::Minutes(1) - kTick);
  EXPECT_THAT(IdsOf(Expired(At(10), At(60))), SizeIs(5));
  clock().Advance(kTick);
  // From now on the first one is forgotten.
  EXPECT_THAT(db().ExpiredBetween(At(10), At(60)),
              StatusIs(absl::StatusCode::kOutOfRange,
                       HasSubstr(absl::StrCat(
                           "earliest time still remembered is ",
                           absl::FormatTime(absl::RFC3339_full, At(10) + kTick,
                                            absl::UTCTimeZone())))));
  EXPECT_THAT(IdsOf(Expired(At(10) + kTick, At(60))), SizeIs(4));
  // A page that was read in time can be continued as long as its rest is
  // remembered.
  ExpiredOptions options = {.limit = 2};
  options.continuation =
      Expired(At(20), At(60), options).continuation;  // After the third one.
  clock().Set(At(30) + absl::Minutes(1) - kTick);
  EXPECT_THAT(db().ExpiredBetween(At(20), At(60)),
              StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(IdsOf(Expired(At(20), At(60), options)),
              ElementsAre(FromNumber(4), FromNumber(5)));
  clock().Advance(kTick);
  EXPECT_THAT(db().ExpiredBetween(At(20), At(60), options),
              StatusIs(absl::StatusCode::kOutOfRange));
  // An empty window misses nothing.
  EXPECT_THAT(db().ExpiredBetween(At(20), At(20)), IsOk());
}

TEST_F(ExpiryFeedTest, AShorterRetentionOfRevokedTokensCountsToo) {
  options().retain_expired = absl::Hours(1);
  options().retain_revoked = absl::Minutes(1);
  Reopen();
  const TokenId id = IssueUntil(1, At(10));
  ASSERT_THAT(db().Revoke(id, {.at = At(1000)}), IsOk());
  clock().Set(At(60));
  EXPECT_THAT(IdsOf(Expired(At(10), At(20))), ElementsAre(id));
  clock().Set(At(70));
  EXPECT_THAT(db().ExpiredBetween(At(10), At(20)),
              StatusIs(absl::StatusCode::kOutOfRange));
}

// Scenario 109: nothing ends before the time it says, and something then.
TEST_F(ExpiryFeedTest, TellsWhenTheNextTokenExpires) {
  EXPECT_THAT(db().NextExpiry(), IsOkAndHolds(Eq(std::nullopt)));
  Issue({});
  EXPECT_THAT(db().NextExpiry(), IsOkAndHolds(Eq(std::nullopt)));
  for (const int seconds : {2, 5, 9}) Issue({.expires_at = At(seconds)});
  std::vector<absl::Time> wakes;
  while (true) {
    const auto next = db().NextExpiry();
    ASSERT_THAT(next, IsOk());
    if (!next->has_value()) break;
    const uint64_t live = CountOf({});
    clock().Set(**next - kTick);
    EXPECT_EQ(CountOf({}), live);
    clock().Set(**next);
    EXPECT_EQ(CountOf({}), live - 1);
    wakes.push_back(**next);
  }
  EXPECT_THAT(wakes, ElementsAre(At(2), At(5), At(9)));
}

// Scenario 113: of one family the longest-lived member goes last, and then
// nothing is left.
TEST_F(ExpiryFeedTest, AGroupShrinksAsItsMembersExpire) {
  options().retain_expired = absl::ZeroDuration();
  options().retain_revoked = absl::ZeroDuration();
  Reopen();
  Issue({.owner = OwnedBy("grant"), .expires_at = At(1)});
  const TokenId longer =
      Issue({.owner = OwnedBy("grant"), .expires_at = At(2)});
  ASSERT_THAT(db().Touch(longer, Now()), IsOk());
  ASSERT_THAT(db().FlushTouches(), IsOk());
  clock().Set(At(1) + kTick);
  EXPECT_THAT(Ids({.owners = {"grant"}}), ElementsAre(longer));
  clock().Set(At(3));
  EXPECT_THAT(Ids({.owners = {"grant"}}), IsEmpty());
  ASSERT_THAT(db().Compact(), IsOk());
  Close();
  RawDatabase raw(path());
  for (const char* family : {"token", "digest", "index", "hot"}) {
    EXPECT_THAT(raw.Entries(family), IsEmpty()) << family;
  }
}

// Scenario 114: the second way to find a token ends with it.
TEST_F(ExpiryFeedTest, ADigestEndsWithItsToken) {
  options().retain_expired = absl::ZeroDuration();
  options().retain_revoked = absl::ZeroDuration();
  Reopen();
  Issue({.digest = DigestOf("s"), .expires_at = At(1)});
  clock().Set(At(1));
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kUnknown);
  EXPECT_THAT(db().GetByDigest(DigestOf("s")),
              StatusIs(absl::StatusCode::kNotFound));
  ASSERT_THAT(db().Compact(), IsOk());
  Close();
  RawDatabase raw(path());
  EXPECT_THAT(raw.Entries("digest"), IsEmpty());
}

}  // namespace
}  // namespace tokendb::testing
