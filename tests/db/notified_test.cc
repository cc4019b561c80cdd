// ExpiringSoon() and MarkNotified(): each end is told of once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/database_test.h"

namespace tokendb::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kDay = absl::Hours(24);

class NotifiedTest : public DatabaseTest {
 protected:
  void SetUp() override {
    options().touch.flush_period = absl::InfiniteDuration();
    DatabaseTest::SetUp();
  }

  TokenId IssueFor(int number, absl::Duration lifetime) {
    return Issue({.id = FromNumber(number), .expires_at = Now() + lifetime});
  }

  std::vector<TokenId> Soon(absl::Duration within, const Query& query = {}) {
    const auto page = db().ExpiringSoon(within, query);
    EXPECT_THAT(page, IsOk());
    std::vector<TokenId> ids;
    if (!page.ok()) return ids;
    for (const Token& token : page->tokens) ids.push_back(token.id);
    return ids;
  }

  void ExpectMarked(const std::vector<TokenId>& ids, absl::Duration within,
                    uint64_t count) {
    EXPECT_THAT(db().MarkNotified(ids, within, kFast), IsOkAndHolds(count));
  }
};

TEST_F(NotifiedTest, EachEndIsToldOfOnceForEachWindow) {
  const TokenId later = IssueFor(1, 6 * kDay);
  const TokenId soon = IssueFor(2, 2 * kDay);
  IssueFor(3, 7 * kDay);
  Issue({});
  const TokenId revoked = IssueFor(4, kDay);
  ASSERT_THAT(db().Revoke(revoked), IsOk());
  const Token before = Stored(soon);
  EXPECT_THAT(Soon(7 * kDay), ElementsAre(soon, later));
  ExpectMarked({soon, soon}, 7 * kDay, 1);
  EXPECT_EQ(Stored(soon), before);
  EXPECT_THAT(Soon(7 * kDay), ElementsAre(later));
  EXPECT_THAT(Soon(30 * kDay), ElementsAre(later, FromNumber(3)));
  ExpectMarked({soon}, 7 * kDay, 0);
  // One for a week does not stand for one for a day.
  clock().Advance(kDay + absl::Hours(1));
  EXPECT_THAT(Soon(kDay), ElementsAre(soon));
  ExpectMarked({soon}, kDay, 1);
  EXPECT_THAT(Soon(kDay), IsEmpty());
  ExpectMarked({soon}, 7 * kDay, 0);
  // An extended token is told of anew.
  TokenPatch patch;
  patch.expires_at = Now() + absl::Hours(5);
  ASSERT_THAT(db().Update(soon, patch), IsOk());
  EXPECT_THAT(Soon(kDay), ElementsAre(soon));
  ExpectMarked({soon}, kDay, 1);
  ASSERT_THAT(db().Compact(), IsOk());
  Reopen();
  EXPECT_THAT(Soon(kDay), IsEmpty());
  EXPECT_THAT(Soon(7 * kDay), ElementsAre(later, FromNumber(3)));
}

// Scenario 111: what expired today and nobody was told of.
TEST_F(NotifiedTest, WhatExpiredTodayAndWasNotNotifiedIsListed) {
  IssueFor(1, absl::Hours(1));  // Yesterday, when it is asked.
  const TokenId today = IssueFor(2, 25 * absl::Hours(1));
  const TokenId told = IssueFor(3, 25 * absl::Hours(1));
  const TokenId revoked = IssueFor(4, 25 * absl::Hours(1));
  ASSERT_THAT(db().Revoke(revoked), IsOk());
  const absl::Time midnight = Now() + kDay;
  clock().Set(midnight + absl::Hours(3));
  ExpectMarked({told}, absl::ZeroDuration(), 1);
  const Query query = {.expires = {.from = midnight},
                       .not_notified_within = absl::ZeroDuration(),
                       .states = TokenState::kExpired};
  EXPECT_THAT(Ids(query), ElementsAre(today));
  EXPECT_EQ(CountOf(query), 1);
  Query of_ids = query;
  of_ids.ids = {told, today};
  EXPECT_THAT(Ids(of_ids), ElementsAre(today));
}

TEST_F(NotifiedTest, MarkAndLastUseLeaveEachOtherAlone) {
  const TokenId id = IssueFor(1, kDay);
  ExpectMarked({id}, kDay, 1);
  clock().Advance(absl::Hours(1));
  ASSERT_THAT(db().Touch(id, Now(), "192.0.2.7"), IsOk());
  ASSERT_THAT(db().FlushTouches(), IsOk());
  EXPECT_THAT(Soon(kDay), IsEmpty());
  ExpectMarked({id}, absl::Hours(1), 1);
  EXPECT_EQ(Stored(id).ip_address, "192.0.2.7");
  EXPECT_EQ(Stored(id).last_accessed_at, Now());
}

TEST_F(NotifiedTest, WhatHasNoEndCannotBeMarked) {
  const TokenId never = Issue({.id = FromNumber(1)});
  ExpectMarked({never, FromNumber(9)}, kDay, 0);
  ExpectMarked({}, kDay, 0);
  const auto invalid = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(db().MarkNotified({TokenId()}, kDay), invalid);
  EXPECT_THAT(db().MarkNotified({never}, -kDay), invalid);
  EXPECT_THAT(db().ExpiringSoon(-kDay), invalid);
  EXPECT_THAT(db().List({.not_notified_within = -kDay}), invalid);
  // Of an infinite window all that has an end is part.
  const TokenId some = IssueFor(2, 10000 * kDay);
  EXPECT_THAT(Soon(absl::InfiniteDuration()), ElementsAre(some));
  ExpectMarked({some}, absl::InfiniteDuration(), 1);
  EXPECT_THAT(Soon(absl::InfiniteDuration()), IsEmpty());
  EXPECT_THAT(Soon(absl::ZeroDuration()), IsEmpty());
}

TEST_F(NotifiedTest, TheWindowEndsBeforeItsLastInstant) {
  const TokenId id = IssueFor(1, kDay);
  EXPECT_THAT(Soon(kDay), IsEmpty());
  EXPECT_THAT(Soon(kDay + absl::Milliseconds(1)), ElementsAre(id));
  clock().Advance(absl::Milliseconds(1));
  EXPECT_THAT(Soon(kDay), ElementsAre(id));
  clock().Advance(kDay - absl::Milliseconds(1));
  EXPECT_THAT(Soon(kDay), IsEmpty());
}

TEST_F(NotifiedTest, PagesGoOnWhileTheClockDoes) {
  std::vector<TokenId> expected;
  for (int i = 1; i <= 20; ++i) {
    expected.push_back(IssueFor(i, absl::Hours(10 + i)));
  }
  // The two that come into the window while it is read.
  expected.push_back(IssueFor(21, kDay * 2 + absl::Minutes(1)));
  std::vector<TokenId> found;
  Query query = {.limit = 6};
  do {
    const auto page = db().ExpiringSoon(2 * kDay, query);
    ASSERT_THAT(page, IsOk());
    for (const Token& token : page->tokens) found.push_back(token.id);
    query.continuation = page->continuation;
    clock().Advance(absl::Minutes(1));
  } while (!query.continuation.empty());
  EXPECT_EQ(found, expected);
  const auto explained =
      db().Explain({.expires_within = kDay, .not_notified_within = kDay});
  ASSERT_THAT(explained, IsOk());
  EXPECT_THAT(explained->on_index, Contains("expires_within"));
  EXPECT_THAT(explained->on_record, Contains("not_notified_within"));
}

TEST_F(NotifiedTest, OneOfManyServicesGetsEachToken) {
  std::vector<Token> tokens(600);
  for (Token& token : tokens) token.expires_at = Now() + kDay;
  const auto ids = db().IssueBatch(tokens, kFast);
  ASSERT_THAT(ids, IsOk());
  std::atomic<uint64_t> marked = 0;
  std::vector<std::thread> services;
  for (int i = 0; i < 4; ++i) {
    services.emplace_back([&] {
      const auto count = db().MarkNotified(*ids, kDay, kFast);
      EXPECT_THAT(count, IsOk());
      marked += *count;
    });
  }
  for (std::thread& service : services) service.join();
  EXPECT_EQ(marked, 600);
  EXPECT_THAT(Soon(2 * kDay), IsEmpty());
}

}  // namespace
}  // namespace tokendb::testing
