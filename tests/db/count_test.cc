// CountBy(), Explain(), ExplainAnalyze() and Stats().
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/database_test.h"

namespace tokendb::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

class CountTest : public DatabaseTest {
 protected:
  using Groups = std::vector<std::pair<std::optional<std::string>, uint64_t>>;

  Groups GroupsOf(const Query& query, Grouping grouping) {
    const auto counted = db().CountBy(query, grouping);
    EXPECT_THAT(counted, IsOk());
    Groups groups;
    if (!counted.ok()) return groups;
    EXPECT_TRUE(counted->complete);
    for (const Group& group : counted->groups) {
      groups.emplace_back(group.key, group.count);
    }
    return groups;
  }

  // 3,000 of "common", 30 of "rare"; all hold "all", 3 hold "special".
  void IssueSkewed() {
    std::vector<Token> tokens;
    for (int i = 0; i < 3030; ++i) {
      Token token{.owner = OwnedBy(i % 101 == 0 ? "rare" : "common"),
                  .scopes = {"all"},
                  .expires_at = Now() + absl::Hours(1 + i % 1000)};
      if (i % 1010 == 0) token.scopes.emplace_back("special");
      tokens.push_back(token);
    }
    ASSERT_THAT(db().IssueBatch(tokens, kFast), IsOk());
    ASSERT_THAT(db().Flush(), IsOk());
  }
};

TEST_F(CountTest, NothingHasNoGroups) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(GroupsOf({}, static_cast<Grouping>(i)), IsEmpty());
  }
}

TEST_F(CountTest, ByOwnerWithTheAbsentOneFirst) {
  Issue({.owner = OwnedBy("bob")});
  Issue({.owner = OwnedBy("ada"), .scopes = {"read"}});
  Issue({.owner = OwnedBy("ada")});
  Issue({});
  Issue({.owner = OwnedBy(std::string("a\0b", 3)), .enabled = false});
  EXPECT_THAT(
      GroupsOf({}, Grouping::kOwner),
      ElementsAre(Pair(std::nullopt, 1), Pair("ada", 2), Pair("bob", 1)));
  EXPECT_THAT(GroupsOf({.owners = {"ada"}}, Grouping::kOwner),
              ElementsAre(Pair("ada", 2)));
  EXPECT_THAT(GroupsOf({.scopes = {.all_of = {"read"}}}, Grouping::kOwner),
              ElementsAre(Pair("ada", 1)));
  EXPECT_THAT(GroupsOf({.without_owner = true}, Grouping::kOwner),
              ElementsAre(Pair(std::nullopt, 1)));
  EXPECT_THAT(GroupsOf({.states = TokenState::kDisabled}, Grouping::kOwner),
              ElementsAre(Pair(std::string("a\0b", 3), 1)));
}

TEST_F(CountTest, ByScopeOnceForEachHeld) {
  Issue({.scopes = {"b", "a"}});
  Issue({.scopes = {"a"}});
  Issue({});
  EXPECT_THAT(GroupsOf({}, Grouping::kScope),
              ElementsAre(Pair(std::nullopt, 1), Pair("a", 2), Pair("b", 1)));
  EXPECT_THAT(GroupsOf({.scopes = {.all_of = {"b"}}}, Grouping::kScope),
              ElementsAre(Pair("a", 1), Pair("b", 1)));
}

TEST_F(CountTest, ByScopeAlsoOfTokensWithMany) {
  std::vector<std::string> scopes;
  for (int i = 0; i < 100; ++i) scopes.push_back(absl::StrCat("s", i));
  Issue({.scopes = scopes});
  Issue({.scopes = {"s1"}});
  const Groups groups = GroupsOf({}, Grouping::kScope);
  EXPECT_EQ(groups.size(), 100);
  EXPECT_THAT(groups, Contains(Pair("s1", 2)));
  EXPECT_THAT(groups, Contains(Pair("s99", 1)));
}

TEST_F(CountTest, ByState) {
  Issue({});
  Issue({.expires_at = Now()});
  Issue({.expires_at = Now(), .enabled = false});
  Issue({.revoked_at = Now()});
  Issue({.not_before = Now() + absl::Hours(1)});
  EXPECT_THAT(
      GroupsOf({.states = StateSet::All()}, Grouping::kState),
      ElementsAre(Pair("disabled", 1), Pair("expired", 1), Pair("live", 1),
                  Pair("not_yet_valid", 1), Pair("revoked", 1)));
  EXPECT_THAT(GroupsOf({}, Grouping::kState), ElementsAre(Pair("live", 1)));
}

TEST_F(CountTest, ByHourAndDayOfExpiryInUtc) {
  // The clock stands at 2026-01-01 00:00.
  Issue({.expires_at = Now() + absl::Minutes(59)});
  Issue({.expires_at = Now() + absl::Hours(1)});
  Issue({.expires_at = Now() + absl::Hours(24) - absl::Milliseconds(1)});
  Issue({.expires_at = Now() + absl::Hours(24)});
  Issue({.expires_at = absl::UnixEpoch() - absl::Milliseconds(1)});
  Issue({});
  EXPECT_THAT(GroupsOf({}, Grouping::kExpiryHour),
              ElementsAre(Pair("2026-01-01T00", 1), Pair("2026-01-01T01", 1),
                          Pair("2026-01-01T23", 1), Pair("2026-01-02T00", 1),
                          Pair("never", 1)));
  EXPECT_THAT(GroupsOf({.states = StateSet::All()}, Grouping::kExpiryDay),
              ElementsAre(Pair("1969-12-31", 1), Pair("2026-01-01", 3),
                          Pair("2026-01-02", 1), Pair("never", 1)));
}

TEST_F(CountTest, GroupsAgreeUnderConditionsOfRecords) {
  Issue({.owner = OwnedBy("ada"), .description = "CI", .scopes = {"a"}});
  Issue({.owner = OwnedBy("ada"), .description = "no", .scopes = {"a"}});
  for (int i = 0; i < 3; ++i) {
    const Groups groups = GroupsOf({.text = "ci"}, static_cast<Grouping>(i));
    EXPECT_THAT(groups, ElementsAre(Pair(::testing::_, 1)));
  }
}

TEST_F(CountTest, TheRarestConditionDrives) {
  IssueSkewed();
  const auto driver = [&](const Query& query) {
    const auto explanation = db().Explain(query);
    EXPECT_THAT(explanation, IsOk());
    return explanation.ok() ? explanation->driver : "";
  };
  EXPECT_EQ(driver({}), "expiry");
  EXPECT_EQ(driver({.order = Order::kCreation}), "creation");
  EXPECT_EQ(driver({.owners = {"rare"}, .scopes = {.all_of = {"all"}}}),
            "owner");
  EXPECT_EQ(driver({.owners = {"common"}, .scopes = {.all_of = {"special"}}}),
            "scope all of");
  EXPECT_EQ(
      driver({.owners = {"common"}, .scopes = {.all_of = {"all", "special"}}}),
      "scope all of");
  EXPECT_EQ(driver({.scopes = {.any_of = {"special"}}}), "scope any of");
  EXPECT_EQ(driver({.ids = {FromNumber(1)}, .owners = {"rare"}}), "ids");
  EXPECT_EQ(driver({.digest = DigestOf("x")}), "digest");
}

TEST_F(CountTest, AnExplanationSaysWhereEachConditionIsTested) {
  IssueSkewed();
  const auto explanation =
      db().Explain({.owners = {"common"},
                    .scopes = {.all_of = {"special"}},
                    .expires = {.before = Now() + absl::Hours(2000)},
                    .text = "x"});
  ASSERT_THAT(explanation, IsOk());
  EXPECT_THAT(explanation->ranges, ElementsAre(HasSubstr("special")));
  EXPECT_THAT(explanation->on_index, Contains("expires"));
  EXPECT_THAT(explanation->on_index, Contains("states"));
  EXPECT_THAT(explanation->on_record, Contains("text"));
  EXPECT_THAT(explanation->on_record, Contains("owners"));
  EXPECT_THAT(explanation->on_index, Not(Contains("text")));
  EXPECT_EQ(explanation->order, "expiry, ascending");
  EXPECT_FALSE(explanation->sorts);
  EXPECT_TRUE(explanation->fetches_records);
  EXPECT_FALSE(explanation->actual.has_value());
  ASSERT_GE(explanation->candidates.size(), 2);
  EXPECT_EQ(explanation->candidates[0].driver, explanation->driver);
  EXPECT_TRUE(std::is_sorted(
      explanation->candidates.begin(), explanation->candidates.end(),
      [](const auto& a, const auto& b) { return a.cost < b.cost; }));
  const std::string text = explanation->ToString();
  EXPECT_THAT(text, HasSubstr("driver: scope all of"));
  EXPECT_THAT(text, HasSubstr("special"));
  EXPECT_THAT(text, Not(HasSubstr("actual")));
}

TEST_F(CountTest, ASortIsAnnounced) {
  IssueSkewed();
  const auto explanation =
      db().Explain({.owners = {"rare"}, .order = Order::kCreation, .limit = 5});
  ASSERT_THAT(explanation, IsOk());
  EXPECT_EQ(explanation->driver, "owner");
  EXPECT_TRUE(explanation->sorts);
  EXPECT_EQ(explanation->order, "creation, ascending");
  // Bounded work is never spent on a sort that could not be finished.
  const auto bounded = db().Explain(
      {.owners = {"rare"}, .order = Order::kCreation, .max_examined = 10});
  ASSERT_THAT(bounded, IsOk());
  EXPECT_FALSE(bounded->sorts);
}

TEST_F(CountTest, AnalysisCountsWhatWasDone) {
  IssueSkewed();
  const auto analyzed = db().ExplainAnalyze({.owners = {"rare"}, .limit = 10});
  ASSERT_THAT(analyzed, IsOk());
  ASSERT_TRUE(analyzed->actual.has_value());
  EXPECT_EQ(analyzed->actual->matched, 10);
  EXPECT_EQ(analyzed->actual->fetched, 10);
  EXPECT_EQ(analyzed->actual->seeks, 1);
  // One more tells whether there is another page.
  EXPECT_GE(analyzed->actual->examined, 10);
  EXPECT_LE(analyzed->actual->examined, 11);
  EXPECT_THAT(analyzed->ToString(), HasSubstr("actual: "));
}

TEST_F(CountTest, IdsAndCountsFetchNoRecordThatTheIndexCoversFor) {
  IssueSkewed();
  const Query covered{.owners = {"rare"},
                      .scopes = {.all_of = {"all"}, .none_of = {"special"}},
                      .created = {.before = Now() + absl::Hours(1)}};
  const auto ids = db().ListIds(covered);
  ASSERT_THAT(ids, IsOk());
  EXPECT_EQ(ids->stats.fetched, 0);
  EXPECT_EQ(ids->ids.size(), 27);
  const auto count = db().Count(covered);
  ASSERT_THAT(count, IsOk());
  EXPECT_EQ(count->stats.fetched, 0);
  EXPECT_EQ(count->count, 27);
  const auto groups = db().CountBy({}, Grouping::kOwner);
  ASSERT_THAT(groups, IsOk());
  EXPECT_EQ(groups->stats.fetched, 0);
}

TEST_F(CountTest, ExpiredEntriesAreNotExamined) {
  IssueSkewed();
  clock().Advance(absl::Hours(990));
  const auto count = db().Count({.owners = {"rare", "common"}});
  ASSERT_THAT(count, IsOk());
  EXPECT_EQ(count->stats.examined, count->count);
  EXPECT_LT(count->count, 40);
  EXPECT_GT(count->count, 0);
}

TEST_F(CountTest, StatsNameTheFamiliesAndCountTheScopes) {
  IssueSkewed();
  const auto stats = db().Stats();
  ASSERT_THAT(stats, IsOk());
  EXPECT_EQ(stats->scopes, 2);
  EXPECT_EQ(stats->format_version, 1);
  EXPECT_EQ(stats->clock, Now());
  EXPECT_THAT(stats->engine, HasSubstr("RocksDB"));
  std::map<std::string, DatabaseStats::Family> families;
  for (const auto& family : stats->families) families[family.name] = family;
  for (const char* name :
       {"meta", "token", "digest", "index", "hot", "stat", "change"}) {
    EXPECT_EQ(families.count(name), 1) << name;
  }
  EXPECT_EQ(families["token"].estimated_entries, 3030);
  EXPECT_EQ(families["digest"].estimated_entries, 0);
  EXPECT_GT(families["token"].file_bytes, 3030 * 20);
  EXPECT_GT(families["index"].file_bytes, 0);
}

}  // namespace
}  // namespace tokendb::testing
