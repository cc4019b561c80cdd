// `Query::unused_since`: tokens that nobody uses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/database_test.h"

namespace tokendb::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr absl::Duration kDay = absl::Hours(24);
constexpr absl::Duration kTick = absl::Milliseconds(1);

class UnusedTest : public DatabaseTest {
 protected:
  void SetUp() override {
    options().touch.flush_period = absl::InfiniteDuration();
    DatabaseTest::SetUp();
  }

  TokenId IssueAgo(absl::Duration age) {
    return Issue({.created_at = Now() - age});
  }
  void TouchAgo(const TokenId& id, absl::Duration ago) {
    ASSERT_THAT(db().Touch(id, Now() - ago), IsOk());
  }
  void Flush() { ASSERT_THAT(db().FlushTouches(), IsOk()); }
};

// Scenario 141.
TEST_F(UnusedTest, FindsWhatWasNotUsedSinceButNothingNew) {
  IssueAgo(10 * kDay);
  const TokenId unused_old = IssueAgo(100 * kDay);
  const TokenId used_old = IssueAgo(200 * kDay);
  const TokenId used_recently = IssueAgo(200 * kDay);
  const TokenId imported = Issue({.created_at = Now() - 200 * kDay,
                                  .last_accessed_at = Now() - 95 * kDay});
  Issue(
      {.created_at = Now() - 200 * kDay, .last_accessed_at = Now() - 5 * kDay});
  TouchAgo(used_old, 91 * kDay);
  TouchAgo(used_recently, 89 * kDay);
  Flush();
  const Query query = {.unused_since = Now() - 90 * kDay};
  for (const Order order : {Order::kExpiry, Order::kCreation}) {
    Query pages = query;
    pages.order = order;
    pages.limit = 1;
    EXPECT_THAT(Ids(pages),
                UnorderedElementsAre(unused_old, used_old, imported));
  }
  EXPECT_EQ(CountOf(query), 3);
  EXPECT_THAT(db().ListIds(query)->ids,
              UnorderedElementsAre(unused_old, used_old, imported));
  Query of_ids = query;
  of_ids.ids = {used_old, used_recently};
  EXPECT_THAT(Ids(of_ids), ElementsAre(used_old));
}

TEST_F(UnusedTest, TheBoundaryIsExact) {
  const absl::Time since = Now() - 90 * kDay;
  const TokenId created_before = Issue({.created_at = since - kTick});
  const TokenId created_then = Issue({.created_at = since});
  const TokenId used_before = IssueAgo(100 * kDay);
  const TokenId used_then = IssueAgo(100 * kDay);
  ASSERT_THAT(db().Touch(used_before, since - kTick), IsOk());
  ASSERT_THAT(db().Touch(used_then, since), IsOk());
  Flush();
  EXPECT_THAT(Ids({.unused_since = since}),
              UnorderedElementsAre(created_before, used_before));
  EXPECT_THAT(Ids({.unused_since = since + kTick}),
              UnorderedElementsAre(created_before, created_then, used_before,
                                   used_then));
  // Between two stored times, as for all ranges.
  EXPECT_EQ(CountOf({.unused_since = since + absl::Microseconds(1)}), 4);
}

TEST_F(UnusedTest, AnEntryThatIsTooNewSparesTheRecord) {
  for (int i = 0; i < 50; ++i) IssueAgo(kDay);
  const TokenId old = IssueAgo(100 * kDay);
  const auto page =
      db().List({.scopes = {.exact = true}, .unused_since = Now() - 90 * kDay});
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->tokens, ElementsAre(HasId(old)));
  EXPECT_EQ(page->stats.fetched, 1);
}

TEST_F(UnusedTest, IsPartOfTheQuery) {
  IssueAgo(100 * kDay);
  IssueAgo(100 * kDay);
  Query query = {.unused_since = Now(), .limit = 1};
  const auto page = db().List(query);
  ASSERT_THAT(page, IsOk());
  query.continuation = page->continuation;
  EXPECT_THAT(db().List(query), IsOk());
  query.unused_since = Now() - kTick;
  EXPECT_THAT(db().List(query), StatusIs(absl::StatusCode::kInvalidArgument));
  query.unused_since.reset();
  EXPECT_THAT(db().List(query), StatusIs(absl::StatusCode::kInvalidArgument));
  const auto explained = db().Explain({.unused_since = Now()});
  ASSERT_THAT(explained, IsOk());
  EXPECT_THAT(explained->on_record, Contains("unused_since"));
}

// Scenario 112, as far as it applies: the end of inactive tokens is a call, and
// without a time nothing ends.
TEST_F(UnusedTest, InactiveTokensAreRevokedByOneCall) {
  const TokenId idle = IssueAgo(100 * kDay);
  const TokenId used = IssueAgo(100 * kDay);
  const TokenId fresh = IssueAgo(kDay);
  // Only noted: it must be found anyway.
  TouchAgo(used, kDay);
  EXPECT_THAT(db().RevokeAll({.unused_since = Now() - 90 * kDay}),
              IsOkAndHolds(1));
  EXPECT_EQ(StateOf(Stored(idle), Now()), TokenState::kRevoked);
  EXPECT_EQ(StateOf(Stored(used), Now()), TokenState::kLive);
  EXPECT_EQ(StateOf(Stored(fresh), Now()), TokenState::kLive);
  // Its record has not taken over what the row says.
  EXPECT_EQ(Stored(used).version, 1);
  EXPECT_THAT(db().RevokeAll({}), StatusIs(absl::StatusCode::kInvalidArgument));

  clock().Advance(89 * kDay - kTick);
  TouchAgo(fresh, absl::ZeroDuration());
  const Query unused = {.unused_since = Now() - 90 * kDay};
  EXPECT_THAT(db().DeleteAll(unused), IsOkAndHolds(0));
  clock().Advance(2 * kTick);
  EXPECT_THAT(db().DeleteAll({.unused_since = Now() - 90 * kDay}),
              IsOkAndHolds(1));
  EXPECT_THAT(db().Get(used), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(db().Get(fresh), IsOk());
}

}  // namespace
}  // namespace tokendb::testing
