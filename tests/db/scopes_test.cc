// The scope index: section E of the scenarios.
#include "tests/support/database_test.h"

namespace tokendb::testing {
namespace {

using std::string_literals::operator""s;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class ScopesTest : public DatabaseTest {
 protected:
  TokenId IssueWith(std::vector<std::string> scopes) {
    return Issue({.scopes = std::move(scopes)});
  }
  std::vector<TokenId> Holding(const std::string& scope) {
    return Ids({.scopes = {.all_of = {scope}}});
  }
};

// Scenario 81.
TEST_F(ScopesTest, ExactlyTheHoldersOfAScopeAreListed) {
  const TokenId a = IssueWith({"a"});
  const TokenId ab = IssueWith({"a", "b"});
  const TokenId b = IssueWith({"b"});
  IssueWith({});
  EXPECT_THAT(Holding("a"), UnorderedElementsAre(a, ab));
  EXPECT_THAT(Holding("nobody's"), IsEmpty());
  EXPECT_THAT(Ids({.scopes = {.any_of = {"a", "b"}}}),
              UnorderedElementsAre(a, ab, b));
  EXPECT_THAT(Ids({.scopes = {.all_of = {"a", "b"}}}), ElementsAre(ab));
  EXPECT_THAT(Ids({.scopes = {.any_of = {"a", "b"}, .none_of = {"b"}}}),
              ElementsAre(a));
  EXPECT_THAT(Ids({.scopes = {.any_of = {"nobody's", "b"}}}),
              UnorderedElementsAre(ab, b));
}

// Scenario 83.
TEST_F(ScopesTest, ARemovedScopeIsNoLongerListed) {
  const TokenId id = IssueWith({"a", "b"});
  TokenPatch patch;
  patch.scopes = std::vector<std::string>{"b"};
  ASSERT_THAT(db().Update(id, patch), IsOk());
  EXPECT_THAT(Holding("a"), IsEmpty());
  EXPECT_THAT(Holding("b"), ElementsAre(id));
}

// Scenario 84.
TEST_F(ScopesTest, OrderAndRepetitionOfScopesDoNotMatter) {
  const TokenId id = IssueWith({"b", "a", "a"});
  EXPECT_THAT(Holding("a"), ElementsAre(id));
  EXPECT_THAT(db().Get(id)->scopes, ElementsAre("a", "b"));
  EXPECT_THAT(Ids({.scopes = {.all_of = {"a", "b", "a"}, .exact = true}}),
              ElementsAre(id));
}

// Scenario 85.
TEST_F(ScopesTest, TokensWithoutScopesHaveAFilterOfTheirOwn) {
  const TokenId none = IssueWith({});
  IssueWith({"a"});
  EXPECT_THAT(Ids({.scopes = {.exact = true}}), ElementsAre(none));
  const auto groups = db().CountBy({}, Grouping::kScope);
  ASSERT_THAT(groups, IsOk());
  ASSERT_EQ(groups->groups.size(), 2);
  EXPECT_EQ(groups->groups[0].key, std::nullopt);
  EXPECT_EQ(groups->groups[0].count, 1);
  EXPECT_EQ(groups->groups[1].key, "a");
}

// Scenario 86.
TEST_F(ScopesTest, ScopesOfAnyBytesMatchExactly) {
  const std::vector<std::string> scopes = {
      "read",     "read:user", "*",   "a/b",   "a+b",
      "\xC3\xA9", "a b",       "\0"s, "\xFF"s, std::string(255, 'x')};
  std::vector<TokenId> ids;
  for (const std::string& scope : scopes) ids.push_back(IssueWith({scope}));
  for (size_t i = 0; i < scopes.size(); ++i) {
    EXPECT_THAT(Holding(scopes[i]), ElementsAre(ids[i])) << i;
  }
  EXPECT_THAT(db().List({.scopes = {.all_of = {""}}}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(db().List({.scopes = {.none_of = {std::string(256, 'x')}}}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

// Scenario 90.
TEST_F(ScopesTest, PatchesLeaveClearOrReplaceScopes) {
  const TokenId id = IssueWith({"a"});
  TokenPatch patch;
  patch.description = "scopes unchanged";
  ASSERT_THAT(db().Update(id, patch), IsOk());
  EXPECT_THAT(Holding("a"), ElementsAre(id));
  patch.scopes = kClear;
  ASSERT_THAT(db().Update(id, patch), IsOk());
  EXPECT_THAT(Holding("a"), IsEmpty());
  EXPECT_THAT(Ids({.scopes = {.exact = true}}), ElementsAre(id));
  patch.scopes = std::vector<std::string>{"b"};
  ASSERT_THAT(db().Update(id, patch), IsOk());
  EXPECT_THAT(Holding("b"), ElementsAre(id));
  EXPECT_THAT(Ids({.scopes = {.exact = true}}), IsEmpty());
}

// Scenario 91.
TEST_F(ScopesTest, OwnerAndScopeIsTheIntersection) {
  std::vector<TokenId> both;
  for (int i = 0; i < 60; ++i) {
    const TokenId id =
        Issue({.owner = OwnedBy(i % 3 == 0 ? "ada" : "bob"),
               .scopes = {i % 4 == 0 ? "read" : "write", "all"}});
    if (i % 12 == 0) both.push_back(id);
  }
  for (const Order order : {Order::kExpiry, Order::kCreation}) {
    EXPECT_THAT(Ids({.owners = {"ada"},
                     .scopes = {.all_of = {"read"}},
                     .order = order,
                     .limit = 2}),
                ::testing::UnorderedElementsAreArray(both));
  }
}

TEST_F(ScopesTest, TheDictionarySurvivesReopening) {
  const TokenId a = IssueWith({"a", "b"});
  Reopen();
  const TokenId c = IssueWith({"c", "a"});
  EXPECT_THAT(Holding("a"), UnorderedElementsAre(a, c));
  EXPECT_EQ(db().Stats()->scopes, 3);
}

// More scopes than index entries repeat.
TEST_F(ScopesTest, TokensOfManyScopesAreFoundByEach) {
  std::vector<std::string> many;
  for (int i = 0; i < 200; ++i) many.push_back("s" + std::to_string(i));
  const TokenId id = IssueWith(many);
  IssueWith({"s7"});
  EXPECT_THAT(Ids({.scopes = {.all_of = {"s7", "s199"}}}), ElementsAre(id));
  EXPECT_THAT(Ids({.scopes = {.all_of = many, .exact = true}}),
              ElementsAre(id));
  EXPECT_EQ(CountOf({.scopes = {.any_of = {"s7"}, .none_of = {"s8"}}}), 1);
  EXPECT_EQ(db().CountBy({}, Grouping::kScope)->groups.size(), 200);
}

}  // namespace
}  // namespace tokendb::testing
