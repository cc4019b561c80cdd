// Owner queries, orders and pages: section D of the scenarios.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/support/database_test.h"

namespace tokendb::testing {
namespace {

using std::string_literals::operator""s;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class OwnerQueriesTest : public DatabaseTest {};

// Scenario 63.
TEST_F(OwnerQueriesTest, ExactlyTheOwnersTokensAreListed) {
  std::vector<TokenId> first;
  for (int i = 0; i < 6; ++i) {
    first.push_back(Issue({.owner = OwnedBy("sub1"),
                           .organization = i < 2 ? "acme" : "initech"}));
  }
  const TokenId other = Issue({.owner = OwnedBy("sub2")});
  EXPECT_THAT(Ids({.owners = {"sub1"}}),
              ::testing::UnorderedElementsAreArray(first));
  EXPECT_THAT(Ids({.owners = {"sub2"}}), ElementsAre(other));
  EXPECT_THAT(Ids({.owners = {"sub1"}, .organization = "acme"}),
              UnorderedElementsAre(first[0], first[1]));
  EXPECT_THAT(Ids({.owners = {"nobody"}}), IsEmpty());
  EXPECT_EQ(Ids({.owners = {"sub1", "sub2", "sub1"}}).size(), 7);
}

// Scenario 64.
TEST_F(OwnerQueriesTest, StatesSelectTheExpectedSets) {
  for (const char* const owner : {"ada", "bob"}) {
    for (const char* const kind : {"user", "impersonation"}) {
      Issue({.owner = OwnedBy(owner), .kind = kind});
      Issue({.owner = OwnedBy(owner), .expires_at = Now(), .kind = kind});
      Issue({.owner = OwnedBy(owner), .kind = kind, .revoked_at = Now()});
    }
  }
  const StateSet inactive = {TokenState::kExpired, TokenState::kRevoked};
  const StateSet active_or_expired = {TokenState::kLive, TokenState::kExpired};
  EXPECT_EQ(CountOf({}), 4);
  EXPECT_EQ(CountOf({.states = inactive}), 8);
  EXPECT_EQ(CountOf({.states = active_or_expired}), 8);
  EXPECT_EQ(CountOf({.states = StateSet::All()}), 12);
  EXPECT_EQ(CountOf({.owners = {"ada"}, .states = inactive}), 4);
  EXPECT_EQ(CountOf({.owners = {"ada"}, .states = inactive, .kind = "user"}),
            2);
}

// Scenario 65.
TEST_F(OwnerQueriesTest, PagesOfTwoOfFiveAreTwoTwoOne) {
  for (int i = 0; i < 5; ++i) Issue({.owner = OwnedBy("ada")});
  Query query{.owners = {"ada"}, .limit = 2};
  std::vector<size_t> sizes;
  std::set<TokenId> seen;
  do {
    const auto page = db().List(query);
    ASSERT_THAT(page, IsOk());
    sizes.push_back(page->tokens.size());
    for (const Token& token : page->tokens) seen.insert(token.id);
    query.continuation = page->continuation;
  } while (!query.continuation.empty());
  EXPECT_THAT(sizes, ElementsAre(2, 2, 1));
  EXPECT_EQ(seen.size(), 5);
  const auto none = db().List({.owners = {"nobody"}});
  EXPECT_THAT(none->tokens, IsEmpty());
  EXPECT_EQ(none->continuation, "");
}

TEST_F(OwnerQueriesTest, AFullLastPageHasNoContinuation) {
  for (int i = 0; i < 4; ++i) Issue({.owner = OwnedBy("ada")});
  EXPECT_EQ(db().List({.owners = {"ada"}, .limit = 4})->continuation, "");
  EXPECT_NE(db().List({.owners = {"ada"}, .limit = 3})->continuation, "");
  // Also if only the record can tell that what follows does not match.
  Issue({.owner = OwnedBy("ada"), .organization = "acme"});
  EXPECT_EQ(db().List({.owners = {"ada"}, .organization = "acme", .limit = 1})
                ->continuation,
            "");
}

// Scenario 67.
TEST_F(OwnerQueriesTest, PagesNeitherRepeatNorSkipBesideInserts) {
  for (const Order order : {Order::kExpiry, Order::kCreation}) {
    for (const Direction direction :
         {Direction::kAscending, Direction::kDescending}) {
      const std::string owner = absl::StrCat("owner ", static_cast<int>(order),
                                             static_cast<int>(direction));
      const auto issue = [&](int second) {
        return Issue({.owner = OwnedBy(owner),
                      .created_at = Now() - absl::Hours(second),
                      .expires_at = Now() + absl::Hours(second)});
      };
      std::set<TokenId> throughout;
      for (int i = 0; i < 10; ++i) throughout.insert(issue(100 + 10 * i));
      Query query{.owners = {owner},
                  .order = order,
                  .direction = direction,
                  .limit = 3};
      std::vector<TokenId> seen;
      for (int round = 0; round < 20; ++round) {
        const auto page = db().List(query);
        ASSERT_THAT(page, IsOk());
        for (const Token& token : page->tokens) seen.push_back(token.id);
        query.continuation = page->continuation;
        if (query.continuation.empty()) break;
        issue(101 + round);
        issue(199 - round);
      }
      EXPECT_EQ(query.continuation, "");
      const std::set<TokenId> distinct(seen.begin(), seen.end());
      EXPECT_EQ(distinct.size(), seen.size());
      EXPECT_TRUE(std::includes(distinct.begin(), distinct.end(),
                                throughout.begin(), throughout.end()));
    }
  }
}

// Scenario 69.
TEST_F(OwnerQueriesTest, ListingAndDeletingPagesLeavesNothing) {
  std::vector<Token> tokens(5000, Token{.owner = OwnedBy("ada")});
  ASSERT_THAT(db().IssueBatch(tokens, kFast), IsOk());
  for (int round = 0; round < 5; ++round) {
    const auto page = db().ListIds({.owners = {"ada"}, .limit = 1000});
    ASSERT_THAT(page, IsOk());
    EXPECT_EQ(page->ids.size(), 1000);
    EXPECT_THAT(db().DeleteAll({.ids = page->ids}), IsOkAndHolds(1000));
  }
  EXPECT_EQ(CountOf({.owners = {"ada"}}), 0);
}

// Scenario 70.
TEST_F(OwnerQueriesTest, EqualTimesAreOrderedByIdAndDescendingIsTheReverse) {
  std::vector<TokenId> ids;
  for (int i = 0; i < 20; ++i) {
    ids.push_back(Issue({.owner = OwnedBy("ada"),
                         .expires_at = Now() + absl::Hours(1 + i / 10)}));
  }
  std::vector<TokenId> expected = ids;
  std::sort(expected.begin(), expected.begin() + 10);
  std::sort(expected.begin() + 10, expected.end());
  for (const size_t limit : {1, 3, 100}) {
    EXPECT_THAT(Ids({.owners = {"ada"}, .limit = limit}),
                ElementsAreArray(expected));
    std::vector<TokenId> descending = Ids({.owners = {"ada"},
                                           .direction = Direction::kDescending,
                                           .limit = limit});
    std::reverse(descending.begin(), descending.end());
    EXPECT_THAT(descending, ElementsAreArray(expected));
  }
}

// Scenario 71.
TEST_F(OwnerQueriesTest, AContinuationOfAnotherQueryIsRefused) {
  for (int i = 0; i < 5; ++i) Issue({.owner = OwnedBy("ada")});
  const Query query{.owners = {"ada"}, .limit = 2};
  const std::string continuation = db().List(query)->continuation;
  ASSERT_NE(continuation, "");
  const auto with = [&](Query other) {
    other.continuation = continuation;
    return db().List(other);
  };
  const auto refused =
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("another query"));
  EXPECT_THAT(with({.owners = {"bob"}, .limit = 2}), refused);
  EXPECT_THAT(with({.owners = {"ada"}, .order = Order::kCreation}), refused);
  EXPECT_THAT(with({.owners = {"ada"}, .direction = Direction::kDescending}),
              refused);
  EXPECT_THAT(with({.owners = {"ada"}, .states = TokenState::kExpired}),
              refused);
  EXPECT_THAT(with({.owners = {"ada"}, .text = "x"}), refused);
  // The size of pages and the bounds on work may change.
  EXPECT_THAT(with({.owners = {"ada"}, .limit = 1, .max_examined = 10}),
              IsOk());
}

TEST_F(OwnerQueriesTest, ADamagedContinuationIsRefused) {
  for (int i = 0; i < 5; ++i) Issue({.owner = OwnedBy("ada")});
  Query query{.owners = {"ada"}, .limit = 2};
  const std::string continuation = db().List(query)->continuation;
  for (size_t i = 0; i < continuation.size(); ++i) {
    query.continuation = continuation;
    query.continuation[i] = continuation[i] == 'A' ? 'B' : 'A';
    EXPECT_THAT(db().List(query), StatusIs(absl::StatusCode::kInvalidArgument))
        << i;
    query.continuation = continuation.substr(0, i);
    if (i > 0) {
      EXPECT_THAT(db().List(query),
                  StatusIs(absl::StatusCode::kInvalidArgument));
    }
  }
}

TEST_F(OwnerQueriesTest, AContinuationOutlivesReopeningAndAChangeOfPlan) {
  for (int i = 0; i < 9; ++i) {
    Issue({.owner = OwnedBy("ada"), .scopes = {"read"}});
  }
  Query query{.owners = {"ada"}, .scopes = {.all_of = {"read"}}, .limit = 4};
  const auto first = db().List(query);
  ASSERT_THAT(first, IsOk());
  query.continuation = first->continuation;
  const std::string before = db().Explain(query)->driver;
  // Now one condition has many more entries than the other.
  std::vector<Token> many(500, before == "owner"
                                   ? Token{.owner = OwnedBy("ada")}
                                   : Token{.scopes = {"read"}});
  ASSERT_THAT(db().IssueBatch(many, kFast), IsOk());
  ASSERT_THAT(db().Flush(), IsOk());
  Reopen();
  EXPECT_NE(db().Explain(query)->driver, before);
  const std::vector<TokenId> rest = Ids(query);
  std::set<TokenId> all(rest.begin(), rest.end());
  for (const Token& token : first->tokens) all.insert(token.id);
  EXPECT_EQ(rest.size(), 5);
  EXPECT_EQ(all.size(), 9);
}

// Scenario 72.
TEST_F(OwnerQueriesTest, ALimitOutOfRangeIsRefused) {
  const auto refused =
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("limit"));
  EXPECT_THAT(db().List({.limit = 0}), refused);
  EXPECT_THAT(db().ListIds({.limit = 10001}), refused);
  EXPECT_THAT(db().List({.limit = static_cast<size_t>(-1)}), refused);
  EXPECT_THAT(db().List({.limit = 10000}), IsOk());
}

// Scenario 74.
TEST_F(OwnerQueriesTest, OwnersThatBeginAlikeDoNotMix) {
  const std::vector<std::string> owners = {"a",
                                           "ab",
                                           "a\0b"s,
                                           "a\0"s,
                                           "\0"s,
                                           "\0\xFF"s,
                                           "\xFF"s,
                                           "\xFF\xFF"s,
                                           std::string(255, 'a'),
                                           std::string(4096, 'a')};
  std::vector<TokenId> ids;
  for (const std::string& owner : owners) {
    ids.push_back(Issue({.owner = OwnedBy(owner)}));
    Issue({.owner = OwnedBy(owner), .expires_at = Now()});
  }
  for (size_t i = 0; i < owners.size(); ++i) {
    EXPECT_THAT(Ids({.owners = {owners[i]}}), ElementsAre(ids[i])) << i;
    EXPECT_EQ(CountOf({.owners = {owners[i]}, .states = StateSet::All()}), 2);
  }
}

// Scenarios 76 and 77; the id of a token cannot change.
TEST_F(OwnerQueriesTest, AChangeOfOwnerMovesTheToken) {
  const TokenId id = Issue({.owner = OwnedBy("ada")});
  TokenPatch patch;
  patch.owner = OwnedBy("bob");
  ASSERT_THAT(db().Update(id, patch), IsOk());
  EXPECT_THAT(Ids({.owners = {"ada"}}), IsEmpty());
  EXPECT_THAT(Ids({.owners = {"bob"}}), ElementsAre(id));
  patch.owner = kClear;
  ASSERT_THAT(db().Update(id, patch), IsOk());
  EXPECT_THAT(Ids({.owners = {"bob"}}), IsEmpty());
  EXPECT_THAT(Ids({.without_owner = true}), ElementsAre(id));
}

// Scenario 78.
TEST_F(OwnerQueriesTest, AnotherChangeLeavesTheOwnersEntry) {
  const TokenId id = Issue({.owner = OwnedBy("ada")});
  TokenPatch patch;
  patch.description = "new";
  ASSERT_THAT(db().Update(id, patch), IsOk());
  EXPECT_THAT(Ids({.owners = {"ada"}}), ElementsAre(id));
}

// Scenario 79.
TEST_F(OwnerQueriesTest, TheNewestTokenWithExactlyTheseScopesIsFound) {
  const auto issue = [&](std::vector<std::string> scopes) {
    clock().Advance(absl::Seconds(1));
    return Issue({.owner = OwnedBy("ada"), .scopes = std::move(scopes)});
  };
  const Query query{.owners = {"ada"},
                    .scopes = {.all_of = {"b", "a"}, .exact = true},
                    .order = Order::kCreation,
                    .direction = Direction::kDescending,
                    .limit = 1};
  issue({"a"});
  issue({"a", "b", "c"});
  EXPECT_THAT(db().ListIds(query)->ids, IsEmpty());
  issue({"a", "b"});
  const TokenId newest = issue({"b", "a"});
  const TokenId revoked = issue({"a", "b"});
  ASSERT_THAT(db().Revoke(revoked), IsOk());
  issue({"c"});
  EXPECT_THAT(db().ListIds(query)->ids, ElementsAre(newest));
}

TEST_F(OwnerQueriesTest, BoundsOnWorkGivePartialPagesThatGetOn) {
  for (int i = 0; i < 50; ++i) {
    Issue({.owner = OwnedBy("ada"), .organization = i % 10 == 0 ? "acme" : ""});
  }
  Query query{.owners = {"ada"},
              .organization = "acme",
              .limit = 10,
              .max_examined = 7};
  size_t pages = 0;
  size_t found = 0;
  do {
    const auto page = db().List(query);
    ASSERT_THAT(page, IsOk());
    EXPECT_LE(page->stats.examined, 7);
    found += page->tokens.size();
    query.continuation = page->continuation;
    ++pages;
  } while (!query.continuation.empty());
  EXPECT_EQ(found, 5);
  EXPECT_EQ(pages, 8);
  const auto count = db().Count({.owners = {"ada"}, .max_examined = 7});
  EXPECT_EQ(count->count, 7);
  EXPECT_FALSE(count->complete);
  EXPECT_THAT(db().List({.max_examined = 0}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(OwnerQueriesTest, AnInvertedRangeIsRefusedAndAnEmptyOneIsEmpty) {
  Issue({.expires_at = Now() + absl::Hours(1)});
  const absl::Time at = Now() + absl::Hours(1);
  EXPECT_THAT(
      db().List({.expires = {.from = at, .before = at - absl::Seconds(1)}}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expires")));
  EXPECT_THAT(Ids({.expires = {.from = at, .before = at}}), IsEmpty());
  EXPECT_EQ(Ids({.expires = {.from = at, .before = at + absl::Milliseconds(1)}})
                .size(),
            1);
}

TEST_F(OwnerQueriesTest, UnusedTokensMatchNoRangeOfLastUse) {
  Issue({.owner = OwnedBy("ada")});
  const TokenId used =
      Issue({.owner = OwnedBy("ada"), .last_accessed_at = Now()});
  EXPECT_THAT(Ids({.last_accessed = {.before = Now() + absl::Milliseconds(1)}}),
              ElementsAre(used));
  EXPECT_THAT(Ids({.last_accessed = {.before = Now()}}), IsEmpty());
}

TEST_F(OwnerQueriesTest, ExplainNamesTheDriverAndAnalyzeCounts) {
  for (int i = 0; i < 40; ++i) {
    Issue({.owner = OwnedBy(i < 3 ? "rare" : "frequent"), .scopes = {"all"}});
  }
  const Query query{.owners = {"rare"}, .scopes = {.all_of = {"all"}}};
  const auto plan = db().Explain(query);
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(plan->driver, "owner");
  EXPECT_EQ(plan->actual, std::nullopt);
  EXPECT_THAT(plan->ToString(), HasSubstr("range: owner \"rare\""));
  const auto run = db().ExplainAnalyze(query);
  ASSERT_THAT(run, IsOk());
  EXPECT_EQ(run->actual->examined, 3);
  EXPECT_EQ(run->actual->fetched, 3);
  EXPECT_EQ(run->actual->matched, 3);
  EXPECT_EQ(run->actual->seeks, 1);
}

TEST_F(OwnerQueriesTest, ListingIdsReadsNoRecord) {
  for (int i = 0; i < 10; ++i) {
    Issue({.owner = OwnedBy("ada"), .scopes = {"read"}});
  }
  EXPECT_EQ(db().ListIds({.owners = {"ada"}})->stats.fetched, 0);
  EXPECT_EQ(db().Count({.scopes = {.all_of = {"read"}}})->stats.fetched, 0);
  EXPECT_EQ(db().List({.owners = {"ada"}, .limit = 5})->stats.fetched, 5);
}

}  // namespace
}  // namespace tokendb::testing
