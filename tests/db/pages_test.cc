// Pages, continuations, bounds on work, and Read().
#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/database_test.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PagesTest : public DatabaseTest {
 protected:
  // 60 tokens of 3 owners; every second one has the scope "even"; the last ten
  // never expire.
  void IssueSixty() {
    for (int i = 1; i <= 60; ++i) {
      Token token{.id = FromNumber(i),
                  .owner = OwnedBy(absl::StrCat("owner ", i % 3)),
                  .description = i % 10 == 0 ? "tenth" : "other",
                  .created_at = Now() - absl::Hours(i % 7)};
      if (i % 2 == 0) token.scopes = {"even"};
      if (i <= 50) token.expires_at = Now() + absl::Hours(1 + i % 5);
      Issue(token);
    }
  }

  static std::vector<Query> SomeQueries() {
    return {{},
            {.owners = {"owner 1"}},
            {.owners = {"owner 0", "owner 2"}},
            {.scopes = {.all_of = {"even"}}},
            {.scopes = {.any_of = {"even"}}, .text = "tenth"},
            {.owners = {"owner 1"}, .scopes = {.all_of = {"even"}}},
            {.lifetime = Lifetime::kNeverExpiring},
            {.text = "nowhere"},
            {.ids = {FromNumber(3), FromNumber(50), FromNumber(7)}}};
  }

  template <typename Function>
  void ForEachOrder(Function function) {
    for (Query query : SomeQueries()) {
      for (const Order order : {Order::kExpiry, Order::kCreation}) {
        for (const Direction direction :
             {Direction::kAscending, Direction::kDescending}) {
          query.order = order;
          query.direction = direction;
          function(query);
        }
      }
    }
  }

  std::vector<TokenId> ReadAll(const Query& query) {
    std::vector<TokenId> ids;
    const auto reader = db().Read(query);
    EXPECT_THAT(reader, IsOk());
    while (reader.ok()) {
      const auto token = (*reader)->Next();
      EXPECT_THAT(token, IsOk());
      if (!token.ok() || !token->has_value()) break;
      ids.push_back((*token)->id);
    }
    return ids;
  }

  // The continuation after the first page of `query`.
  std::string FirstContinuation(const Query& query) {
    const auto page = db().List(query);
    EXPECT_THAT(page, IsOk());
    EXPECT_FALSE(page->continuation.empty());
    return page->continuation;
  }
};

TEST_F(PagesTest, PagesOfEverySizeMakeUpTheWhole) {
  IssueSixty();
  ForEachOrder([&](Query query) {
    query.limit = 10000;
    const std::vector<TokenId> whole = Ids(query);
    for (const size_t limit : {1, 2, 7, 59, 60, 61}) {
      query.limit = limit;
      EXPECT_EQ(Ids(query), whole);
    }
  });
}

TEST_F(PagesTest, OnlyTheLastPageHasNoContinuation) {
  IssueSixty();
  Query query{.limit = 30};
  query.continuation = FirstContinuation(query);
  const auto last = db().List(query);
  ASSERT_THAT(last, IsOk());
  EXPECT_THAT(last->tokens, SizeIs(30));
  EXPECT_EQ(last->continuation, "");
}

TEST_F(PagesTest, TheStreamIsThePagesPutTogether) {
  IssueSixty();
  ForEachOrder([&](Query query) {
    query.limit = 7;
    const std::vector<TokenId> whole = Ids(query);
    EXPECT_EQ(ReadAll(query), whole);
    if (whole.size() <= 7) return;
    query.continuation = FirstContinuation(query);
    EXPECT_THAT(ReadAll(query),
                ElementsAreArray(whole.begin() + 7, whole.end()));
  });
}

TEST_F(PagesTest, AStreamStaysAtItsSnapshotAndItsTime) {
  IssueSixty();
  const std::vector<TokenId> before = Ids({});
  const auto reader = db().Read({});
  ASSERT_THAT(reader, IsOk());
  ASSERT_THAT((*reader)->Next(), IsOk());
  ASSERT_THAT(db().DeleteAll({.owners = {"owner 1"}}), IsOk());
  Issue({.id = FromNumber(200)});
  clock().Advance(absl::Hours(24));
  ASSERT_THAT(db().Flush(), IsOk());
  ASSERT_THAT(db().Compact(), IsOk());
  size_t read = 1;
  for (auto token = (*reader)->Next(); token.ok() && token->has_value();
       token = (*reader)->Next()) {
    EXPECT_EQ((*token)->id, before[read]);
    ++read;
  }
  EXPECT_EQ(read, before.size());
  EXPECT_THAT((*reader)->Next(), IsOkAndHolds(std::nullopt));
}

TEST_F(PagesTest, AStreamReadsMoreThanAnyPage) {
  ASSERT_THAT(db().IssueBatch(std::vector<Token>(12345), kFast), IsOk());
  EXPECT_THAT(ReadAll({.limit = 1, .max_examined = 1}), SizeIs(12345));
  EXPECT_THAT(ReadAll({.order = Order::kCreation}), SizeIs(12345));
}

TEST_F(PagesTest, LimitsOutOfRangeAreRefused) {
  IssueSixty();
  for (const size_t limit : {size_t{0}, size_t{10001}, SIZE_MAX}) {
    EXPECT_THAT(
        db().List({.limit = limit}),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("limit")));
    EXPECT_THAT(db().ListIds({.limit = limit}),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(db().List({.limit = 10000}), IsOk());
  // Counts and streams have no pages.
  EXPECT_EQ(CountOf({.limit = 0}), 60);
  EXPECT_THAT(ReadAll({.limit = 0}), SizeIs(60));
}

// "Errors as List()."
TEST_F(PagesTest, ExplainRefusesWhatListRefuses) {
  IssueSixty();
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(db().Explain({.limit = 0}), refused);
  EXPECT_THAT(db().ExplainAnalyze({.limit = 0}), refused);
  EXPECT_THAT(db().Explain({.continuation = "damaged"}), refused);
  EXPECT_THAT(db().ExplainAnalyze({.continuation = "damaged"}), refused);
}

TEST_F(PagesTest, AContinuationSurvivesWritesCompactionAndReopening) {
  IssueSixty();
  ForEachOrder([&](Query query) {
    query.limit = 10000;
    const std::vector<TokenId> whole = Ids(query);
    if (whole.size() <= 7) return;
    query.limit = 7;
    query.continuation = FirstContinuation(query);
    ASSERT_THAT(db().Compact(), IsOk());
    Reopen();
    query.limit = 5;  // The size of a page may change.
    EXPECT_THAT(Ids(query), ElementsAreArray(whole.begin() + 7, whole.end()));
  });
}

TEST_F(PagesTest, AContinuationHoldsWhenItsTokenIsGone) {
  IssueSixty();
  Query query{.limit = 10};
  const std::vector<TokenId> whole = Ids({});
  query.continuation = FirstContinuation(query);
  ASSERT_THAT(db().Delete(whole[9]), IsOk());
  EXPECT_THAT(Ids(query), ElementsAreArray(whole.begin() + 10, whole.end()));
}

// The same conditions with another plan: owners become cheaper than scopes.
TEST_F(PagesTest, AContinuationSurvivesAChangeOfPlan) {
  IssueSixty();
  Query query{
      .owners = {"owner 1"}, .scopes = {.all_of = {"even"}}, .limit = 3};
  const std::vector<TokenId> whole = Ids(query);
  query.continuation = FirstContinuation(query);
  std::vector<Token> tokens(
      3000, Token{.owner = OwnedBy("other"), .scopes = {"even"}});
  ASSERT_THAT(db().IssueBatch(tokens, kFast), IsOk());
  ASSERT_THAT(db().Flush(), IsOk());
  EXPECT_THAT(Ids(query), ElementsAreArray(whole.begin() + 3, whole.end()));
  tokens.assign(9000, Token{.owner = OwnedBy("owner 1")});
  ASSERT_THAT(db().IssueBatch(tokens, kFast), IsOk());
  ASSERT_THAT(db().Flush(), IsOk());
  EXPECT_THAT(Ids(query), ElementsAreArray(whole.begin() + 3, whole.end()));
}

TEST_F(PagesTest, ADamagedContinuationIsRefused) {
  IssueSixty();
  Query query{.limit = 10};
  const std::string good = FirstContinuation(query);
  const std::string kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::vector<std::string> bad = {"x", good + "A", good + good, "\xFF\xFE"};
  for (size_t i = 0; i < good.size(); ++i) {
    bad.push_back(good.substr(0, i));
    bad.push_back(good);
    // Half the alphabet further: the last character's lowest bits are unused.
    bad.back()[i] = kAlphabet[(kAlphabet.find(good[i]) + 32) % 64];
  }
  const auto refused =
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("continuation"));
  for (const std::string& text : bad) {
    if (text.empty()) continue;
    query.continuation = text;
    EXPECT_THAT(db().List(query), refused) << text;
    EXPECT_THAT(db().ListIds(query), refused);
    EXPECT_THAT(db().Read(query), refused);
  }
}

TEST_F(PagesTest, AContinuationOfAnotherQueryIsRefused) {
  IssueSixty();
  const Query original{.owners = {"owner 1"}, .limit = 5};
  const std::string continuation = FirstContinuation(original);
  std::vector<Query> others(14, original);
  others[0].owners = {"owner 2"};
  others[1].owners = {"owner 1", "owner 2"};
  others[2].order = Order::kCreation;
  others[3].direction = Direction::kDescending;
  others[4].states = StateSet::All();
  others[5].scopes.all_of = {"even"};
  others[6].expires.from = Now();
  others[7].created.from = Now();
  others[8].text = "o";
  others[9].kind = "k";
  others[10].lifetime = Lifetime::kExpiring;
  others[11].scopes.exact = true;
  others[12].ids = {FromNumber(1)};
  others[13].digest = DigestOf("x");
  for (size_t i = 0; i < others.size(); ++i) {
    others[i].continuation = continuation;
    EXPECT_THAT(db().List(others[i]),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("another query")))
        << i;
  }
}

TEST_F(PagesTest, TheSameSetsInAnotherOrderAreTheSameQuery) {
  IssueSixty();
  Query query{.owners = {"owner 1", "owner 2"}, .limit = 5};
  const std::vector<TokenId> whole = Ids(query);
  query.continuation = FirstContinuation(query);
  query.owners = {"owner 2", "owner 1", "owner 2"};
  EXPECT_THAT(Ids(query), ElementsAreArray(whole.begin() + 5, whole.end()));
}

TEST_F(PagesTest, BoundedPagesAlwaysGetFurtherAndMakeUpTheWhole) {
  IssueSixty();
  ForEachOrder([&](Query query) {
    const std::vector<TokenId> whole = Ids(query);
    for (const uint64_t bound : {1, 2, 13, 1000}) {
      Query bounded = query;
      bounded.max_examined = bound;
      std::vector<TokenId> ids;
      int pages = 0;
      do {
        const auto page = db().List(bounded);
        ASSERT_THAT(page, IsOk());
        // Reading single tokens by id examines no index.
        EXPECT_LE(page->stats.examined, bound);
        EXPECT_NE(page->continuation,
                  bounded.continuation.empty() ? "-" : bounded.continuation);
        for (const Token& token : page->tokens) ids.push_back(token.id);
        bounded.continuation = page->continuation;
        ASSERT_LT(++pages, 200);
      } while (!bounded.continuation.empty());
      EXPECT_EQ(ids, whole);
    }
  });
}

TEST_F(PagesTest, AnEmptyPageMayHaveAContinuation) {
  IssueSixty();
  const auto page = db().List({.text = "nowhere", .max_examined = 5});
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->tokens, IsEmpty());
  EXPECT_NE(page->continuation, "");
  EXPECT_EQ(page->stats.examined, 5);
}

TEST_F(PagesTest, NoTimeAtAllStillGetsToTheEnd) {
  ASSERT_THAT(db().IssueBatch(std::vector<Token>(2000), kFast), IsOk());
  Query query{.limit = 10000, .max_time = absl::Nanoseconds(1)};
  std::set<TokenId> ids;
  int pages = 0;
  do {
    const auto page = db().List(query);
    ASSERT_THAT(page, IsOk());
    for (const Token& token : page->tokens) {
      EXPECT_TRUE(ids.insert(token.id).second);
    }
    query.continuation = page->continuation;
    ASSERT_LE(++pages, 2001);
  } while (!query.continuation.empty());
  EXPECT_THAT(ids, SizeIs(2000));
  EXPECT_GT(pages, 1);
}

TEST_F(PagesTest, ABoundedCountSaysThatItIsIncomplete) {
  IssueSixty();
  auto count = db().Count({.max_examined = 10});
  ASSERT_THAT(count, IsOk());
  EXPECT_FALSE(count->complete);
  EXPECT_LE(count->count, 10);
  count = db().Count({.max_examined = 60});
  ASSERT_THAT(count, IsOk());
  EXPECT_TRUE(count->complete);
  EXPECT_EQ(count->count, 60);
  const auto groups = db().CountBy({.max_examined = 10}, Grouping::kState);
  ASSERT_THAT(groups, IsOk());
  EXPECT_FALSE(groups->complete);
}

}  // namespace
}  // namespace tokendb::testing
