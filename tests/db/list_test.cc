// Which tokens List(), ListIds() and Count() find, and in what order.
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/database_test.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ListTest : public DatabaseTest {
 protected:
  // Lists `query` in each order and direction, in full and in pages of one,
  // by tokens and by ids, and counts it: all must agree. Returns the numbers
  // of the tokens in ascending order of their ids.
  std::vector<int> Numbers(Query query) {
    std::vector<TokenId> first;
    for (const Order order : {Order::kExpiry, Order::kCreation}) {
      query.order = order;
      std::vector<TokenId> up;
      for (const Direction direction :
           {Direction::kAscending, Direction::kDescending}) {
        query.direction = direction;
        query.limit = 100;
        std::vector<TokenId> ids = Ids(query);
        query.limit = 1;
        EXPECT_EQ(Ids(query), ids);
        query.limit = 100;
        const auto id_page = db().ListIds(query);
        EXPECT_THAT(id_page, IsOk());
        EXPECT_EQ(id_page->ids, ids);
        EXPECT_EQ(CountOf(query), ids.size());
        if (direction == Direction::kDescending) {
          EXPECT_THAT(ids, ElementsAreArray(up.rbegin(), up.rend()));
        }
        up = ids;
      }
      std::sort(up.begin(), up.end());
      if (order == Order::kExpiry) first = up;
      EXPECT_EQ(up, first);
    }
    std::vector<int> numbers;
    for (const TokenId& id : first) {
      numbers.push_back(static_cast<unsigned char>(id.bytes().back()));
    }
    return numbers;
  }

  void IssueNumber(int number, Token token) {
    token.id = FromNumber(number);
    Issue(token);
  }

  static Query Any() { return {.states = StateSet::All()}; }
};

TEST_F(ListTest, AnEmptyDatabaseHasNothing) {
  EXPECT_THAT(Numbers({}), IsEmpty());
  EXPECT_THAT(Numbers(Any()), IsEmpty());
}

TEST_F(ListTest, OnlyLiveTokensByDefault) {
  IssueNumber(1, {});
  IssueNumber(2, {.expires_at = Now()});
  IssueNumber(3, {.revoked_at = Now()});
  IssueNumber(4, {.enabled = false});
  IssueNumber(5, {.not_before = Now() + absl::Milliseconds(1)});
  EXPECT_THAT(Numbers({}), ElementsAre(1));
  EXPECT_THAT(Numbers({.states = TokenState::kExpired}), ElementsAre(2));
  EXPECT_THAT(Numbers({.states = TokenState::kRevoked}), ElementsAre(3));
  EXPECT_THAT(Numbers({.states = TokenState::kDisabled}), ElementsAre(4));
  EXPECT_THAT(Numbers({.states = TokenState::kNotYetValid}), ElementsAre(5));
  EXPECT_THAT(Numbers({.states = {TokenState::kExpired, TokenState::kLive}}),
              ElementsAre(1, 2));
  EXPECT_THAT(Numbers(Any()), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(Numbers({.states = StateSet({})}), IsEmpty());
  EXPECT_THAT(Numbers({.states = TokenState::kUnknown}), IsEmpty());
}

TEST_F(ListTest, ById) {
  for (int i = 1; i <= 5; ++i) IssueNumber(i, {});
  Query query{
      .ids = {FromNumber(4), FromNumber(2), FromNumber(9), FromNumber(4)}};
  EXPECT_THAT(Numbers(query), ElementsAre(2, 4));
  IssueNumber(6, {.owner = OwnedBy("ada")});
  query.ids.push_back(FromNumber(6));
  query.owners = {"ada"};
  EXPECT_THAT(Numbers(query), ElementsAre(6));
}

TEST_F(ListTest, ByDigest) {
  IssueNumber(1, {.digest = DigestOf("a"), .kind = "access"});
  IssueNumber(2, {.digest = DigestOf("b")});
  EXPECT_THAT(Numbers({.digest = DigestOf("a")}), ElementsAre(1));
  EXPECT_THAT(Numbers({.digest = DigestOf("c")}), IsEmpty());
  EXPECT_THAT(Numbers({.digest = DigestOf("b"), .kind = "access"}), IsEmpty());
  EXPECT_THAT(Numbers({.ids = {FromNumber(2)}, .digest = DigestOf("a")}),
              IsEmpty());
}

TEST_F(ListTest, ByOwner) {
  IssueNumber(1, {.owner = OwnedBy("ada")});
  IssueNumber(2, {.owner = OwnedBy("bob")});
  IssueNumber(3, {.owner = OwnedBy("ada")});
  IssueNumber(4, {});
  EXPECT_THAT(Numbers({.owners = {"ada"}}), ElementsAre(1, 3));
  EXPECT_THAT(Numbers({.owners = {"bob", "ada", "bob"}}), ElementsAre(1, 2, 3));
  EXPECT_THAT(Numbers({.owners = {"eve"}}), IsEmpty());
  EXPECT_THAT(Numbers({.without_owner = true}), ElementsAre(4));
}

TEST_F(ListTest, ByScope) {
  IssueNumber(1, {.scopes = {"a"}});
  IssueNumber(2, {.scopes = {"a", "b"}});
  IssueNumber(3, {.scopes = {"b", "c"}});
  IssueNumber(4, {});
  const auto by = [this](ScopeCondition scopes) {
    return Numbers({.scopes = std::move(scopes)});
  };
  EXPECT_THAT(by({.all_of = {"a"}}), ElementsAre(1, 2));
  EXPECT_THAT(by({.all_of = {"b", "a", "b"}}), ElementsAre(2));
  EXPECT_THAT(by({.all_of = {"a", "never"}}), IsEmpty());
  EXPECT_THAT(by({.any_of = {"a", "c", "never"}}), ElementsAre(1, 2, 3));
  EXPECT_THAT(by({.any_of = {"never"}}), IsEmpty());
  EXPECT_THAT(by({.none_of = {"a"}}), ElementsAre(3, 4));
  EXPECT_THAT(by({.none_of = {"never"}}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(by({.all_of = {"b"}, .none_of = {"c"}}), ElementsAre(2));
  EXPECT_THAT(by({.all_of = {"a"}, .exact = true}), ElementsAre(1));
  EXPECT_THAT(by({.all_of = {"a", "b", "a"}, .exact = true}), ElementsAre(2));
  EXPECT_THAT(by({.exact = true}), ElementsAre(4));
  EXPECT_THAT(by({.any_of = {"a"}, .exact = true}), IsEmpty());
  EXPECT_THAT(by({.all_of = {"a"}, .any_of = {"b"}, .none_of = {"c"}}),
              ElementsAre(2));
}

TEST_F(ListTest, TokensOfManyScopesAreFoundByEachOfThem) {
  std::vector<std::string> scopes;
  for (int i = 0; i < 1000; ++i) scopes.push_back(absl::StrCat("s", i));
  IssueNumber(1, {.scopes = scopes});
  IssueNumber(2, {.scopes = {"s7", "s999"}});
  EXPECT_THAT(Numbers({.scopes = {.all_of = {"s0"}}}), ElementsAre(1));
  EXPECT_THAT(Numbers({.scopes = {.all_of = {"s7", "s999"}}}),
              ElementsAre(1, 2));
  EXPECT_THAT(Numbers({.scopes = {.all_of = {"s7"}, .none_of = {"s500"}}}),
              ElementsAre(2));
  EXPECT_THAT(Numbers({.scopes = {.all_of = scopes, .exact = true}}),
              ElementsAre(1));
}

TEST_F(ListTest, ByExpiry) {
  const absl::Time end = Now() + absl::Hours(1);
  IssueNumber(1, {.expires_at = end - absl::Milliseconds(1)});
  IssueNumber(2, {.expires_at = end});
  IssueNumber(3, {.expires_at = end + absl::Milliseconds(1)});
  IssueNumber(4, {});
  const auto in = [this](TimeRange range) {
    return Numbers({.expires = range});
  };
  EXPECT_THAT(in({.from = end}), ElementsAre(2, 3));
  EXPECT_THAT(in({.before = end}), ElementsAre(1));
  EXPECT_THAT(in({.from = end, .before = end + absl::Milliseconds(1)}),
              ElementsAre(2));
  EXPECT_THAT(in({.from = end, .before = end}), IsEmpty());
  // Bounds between milliseconds.
  EXPECT_THAT(in({.from = end + absl::Microseconds(1)}), ElementsAre(3));
  EXPECT_THAT(in({.before = end + absl::Microseconds(1)}), ElementsAre(1, 2));
  EXPECT_THAT(
      in({.from = absl::InfinitePast(), .before = absl::InfiniteFuture()}),
      ElementsAre(1, 2, 3));
  EXPECT_THAT(Numbers({.lifetime = Lifetime::kExpiring}), ElementsAre(1, 2, 3));
  EXPECT_THAT(Numbers({.lifetime = Lifetime::kNeverExpiring}), ElementsAre(4));
  EXPECT_THAT(
      Numbers({.expires = {.from = end}, .lifetime = Lifetime::kNeverExpiring}),
      IsEmpty());
}

TEST_F(ListTest, ByCreation) {
  for (int i = 1; i <= 4; ++i) {
    IssueNumber(i, {.created_at = Now() - absl::Hours(i)});
  }
  EXPECT_THAT(Numbers({.created = {.from = Now() - absl::Hours(2)}}),
              ElementsAre(1, 2));
  EXPECT_THAT(Numbers({.created = {.before = Now() - absl::Hours(2)}}),
              ElementsAre(3, 4));
  EXPECT_THAT(Numbers({.created = {.from = Now() - absl::Hours(3),
                                   .before = Now() - absl::Hours(1)}}),
              ElementsAre(2, 3));
}

TEST_F(ListTest, ByLastUse) {
  IssueNumber(1, {.last_accessed_at = Now() - absl::Hours(2)});
  IssueNumber(2, {.last_accessed_at = Now() - absl::Hours(1)});
  IssueNumber(3, {});
  EXPECT_THAT(Numbers({.last_accessed = {.from = Now() - absl::Hours(1)}}),
              ElementsAre(2));
  EXPECT_THAT(Numbers({.last_accessed = {.before = Now()}}), ElementsAre(1, 2));
}

TEST_F(ListTest, ByText) {
  IssueNumber(1, {.description = "Deploy to production"});
  IssueNumber(2, {.description = "deploy to STAGING"});
  IssueNumber(3, {.description = "\xC3\x84rger"});
  EXPECT_THAT(Numbers({.text = "DEPLOY"}), ElementsAre(1, 2));
  EXPECT_THAT(Numbers({.text = "to production"}), ElementsAre(1));
  EXPECT_THAT(Numbers({.text = "\xC3\x84"}), ElementsAre(3));
  EXPECT_THAT(Numbers({.text = "\xC3\xA4"}), IsEmpty());
}

TEST_F(ListTest, ByEqualFields) {
  IssueNumber(1, {.ip_address = "192.0.2.1", .organization = "acme"});
  IssueNumber(2, {.ip_address = "192.0.2.10", .kind = "access"});
  IssueNumber(3, {.organization = "acme2", .kind = "access"});
  EXPECT_THAT(Numbers({.organization = "acme"}), ElementsAre(1));
  EXPECT_THAT(Numbers({.kind = "access"}), ElementsAre(2, 3));
  EXPECT_THAT(Numbers({.ip_address = "192.0.2.1"}), ElementsAre(1));
  EXPECT_THAT(Numbers({.kind = "acc"}), IsEmpty());
}

TEST_F(ListTest, TheResidualSeesOnlyWhatMeetsAllElse) {
  IssueNumber(1, {.owner = OwnedBy("ada"), .name = "x"});
  IssueNumber(2, {.owner = OwnedBy("ada"), .name = "y"});
  IssueNumber(3, {.owner = OwnedBy("bob"), .name = "x"});
  Query query{.owners = {"ada"}};
  query.residual = [](const Token& token) {
    EXPECT_EQ(token.owner->id, "ada");
    return token.name == "x";
  };
  EXPECT_THAT(Numbers(query), ElementsAre(1));
}

TEST_F(ListTest, ConditionsOfAllKindsTogether) {
  for (int i = 1; i <= 64; ++i) {
    IssueNumber(i, {.owner = OwnedBy((i & 1) != 0 ? "ada" : "bob"),
                    .description = (i & 2) != 0 ? "CI" : "local",
                    .scopes = {(i & 4) != 0 ? "read" : "write", "all"},
                    .created_at = Now() - absl::Hours((i & 8) != 0 ? 1 : 9),
                    .expires_at = Now() + absl::Hours((i & 16) != 0 ? 1 : 9),
                    .kind = (i & 32) != 0 ? "access" : "refresh"});
  }
  EXPECT_THAT(Numbers({.owners = {"ada", "eve"},
                       .scopes = {.all_of = {"all"}, .none_of = {"write"}},
                       .expires = {.before = Now() + absl::Hours(2)},
                       .created = {.from = Now() - absl::Hours(2)},
                       .text = "ci",
                       .kind = "access"}),
              ElementsAre(63));
  EXPECT_THAT(Numbers({.owners = {"bob"},
                       .scopes = {.any_of = {"write"}},
                       .expires = {.from = Now() + absl::Hours(2)},
                       .created = {.before = Now() - absl::Hours(2)}}),
              ElementsAre(2, 32, 34, 64));
}

TEST_F(ListTest, ByExpiryNeverExpiringTokensComeLastAndTiesGoById) {
  const absl::Time end = Now() + absl::Hours(1);
  IssueNumber(4, {.expires_at = end});
  IssueNumber(1, {});
  IssueNumber(3, {.expires_at = end});
  IssueNumber(2, {});
  IssueNumber(5, {.expires_at = end - absl::Milliseconds(1)});
  const std::vector<TokenId> expected = {FromNumber(5), FromNumber(3),
                                         FromNumber(4), FromNumber(1),
                                         FromNumber(2)};
  EXPECT_EQ(Ids({}), expected);
  EXPECT_THAT(Ids({.direction = Direction::kDescending}),
              ElementsAreArray(expected.rbegin(), expected.rend()));
}

TEST_F(ListTest, ByCreationTiesGoByIdWhateverTheOwner) {
  IssueNumber(3, {.owner = OwnedBy("ada"), .created_at = Now()});
  IssueNumber(1, {.owner = OwnedBy("bob"), .created_at = Now()});
  IssueNumber(2, {.owner = OwnedBy("ada"),
                  .created_at = Now() - absl::Milliseconds(1)});
  const std::vector<TokenId> expected = {FromNumber(2), FromNumber(1),
                                         FromNumber(3)};
  Query query{.owners = {"ada", "bob"}, .order = Order::kCreation};
  EXPECT_EQ(Ids(query), expected);
  query.direction = Direction::kDescending;
  EXPECT_THAT(Ids(query), ElementsAreArray(expected.rbegin(), expected.rend()));
}

TEST_F(ListTest, TimesBefore1970AreInOrder) {
  const absl::Time epoch = absl::UnixEpoch();
  const absl::Time year_1 =
      absl::FromCivil(absl::CivilDay(1, 1, 1), absl::UTCTimeZone());
  IssueNumber(1, {.created_at = epoch});
  IssueNumber(2, {.created_at = epoch - absl::Milliseconds(1)});
  IssueNumber(3, {.created_at = year_1});
  IssueNumber(4, {.created_at = epoch + absl::Milliseconds(1)});
  EXPECT_THAT(
      Ids({.order = Order::kCreation}),
      ElementsAre(FromNumber(3), FromNumber(2), FromNumber(1), FromNumber(4)));
  EXPECT_THAT(Numbers({.created = {.before = epoch}}), ElementsAre(2, 3));
}

TEST_F(ListTest, InvalidQueriesAreRefusedByEveryCall) {
  const absl::Time now = Now();
  const std::vector<std::function<void(Query&)>> invalid = {
      [](Query& q) {
        q.owners = {"ada", ""};
      },
      [](Query& q) {
        q.owners = {"ada"};
        q.without_owner = true;
      },
      [](Query& q) { q.owners.assign(1001, "ada"); },
      [](Query& q) { q.ids = {TokenId()}; },
      [](Query& q) { q.ids.assign(10001, FromNumber(1)); },
      [](Query& q) { q.scopes.all_of = {""}; },
      [](Query& q) { q.scopes.any_of = {std::string(256, 's')}; },
      [](Query& q) { q.scopes.none_of.assign(1001, "s"); },
      [&](Query& q) {
        q.expires = {now, now - absl::Milliseconds(1)};
      },
      [&](Query& q) {
        q.created = {now, now - absl::Milliseconds(1)};
      },
      [&](Query& q) {
        q.last_accessed = {now, now - absl::Milliseconds(1)};
      },
      [](Query& q) { q.max_examined = 0; },
  };
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument);
  for (size_t i = 0; i < invalid.size(); ++i) {
    SCOPED_TRACE(i);
    Query query;
    invalid[i](query);
    EXPECT_THAT(db().List(query), refused);
    EXPECT_THAT(db().ListIds(query), refused);
    EXPECT_THAT(db().Count(query), refused);
    EXPECT_THAT(db().CountBy(query, Grouping::kOwner), refused);
    EXPECT_THAT(db().Read(query), refused);
    EXPECT_THAT(db().Explain(query), refused);
    EXPECT_THAT(db().ExplainAnalyze(query), refused);
  }
}

}  // namespace
}  // namespace tokendb::testing
