// Indexes that are added and dropped while the database is in use.
#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/index/index_set.h"
#include "src/storage/store.h"
#include "tests/support/database_peer.h"
#include "tests/support/database_test.h"
#include "tests/support/raw_database.h"

namespace tokendb::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::array kBoth = {OptionalIndex::kOrganization,
                              OptionalIndex::kKind};

// Without the generation, which comes first.
std::vector<RawDatabase::Entry> WithoutGeneration(
    std::vector<RawDatabase::Entry> entries) {
  for (auto& [key, value] : entries) key.erase(0, 1);
  return entries;
}

std::vector<RawDatabase::Entry> EntriesAt(const std::string& path,
                                          std::string_view prefix) {
  RawDatabase raw(path);
  return raw.Entries("index", prefix);
}

class IndexManagementTest : public DatabaseTest {
 protected:
  void SetUp() override {
    options().reclaim.automatic = false;
    DatabaseTest::SetUp();
  }

  // Tokens of few organizations and kinds, and some of none; the same each
  // time.
  std::vector<Token> SomeTokens(int count) {
    const std::vector<std::string> texts = {
        "", "acme", std::string("\0\xFF", 2), "acmes", "initech"};
    std::vector<Token> tokens;
    for (int i = 0; i < count; ++i) {
      Token& token = tokens.emplace_back();
      token.id = FromNumber(i + 1);
      token.organization = texts[i % texts.size()];
      token.kind = i % 3 == 0 ? "refresh" : i % 3 == 1 ? "access" : "";
      token.created_at = Now();
      if (i % 4 != 0) token.expires_at = Now() + absl::Seconds(i);
      token.scopes = {absl::StrCat("scope ", i % 6)};
    }
    return tokens;
  }
  void IssueSome(int count) {
    ASSERT_THAT(db().IssueBatch(SomeTokens(count), kFast), IsOk());
  }

  // The ids of tokens of an organization, by going through all tokens.
  std::vector<TokenId> ByScan(const std::string& organization) {
    std::vector<TokenId> ids;
    const auto reader = db().Read({.states = StateSet::All()});
    EXPECT_THAT(reader, IsOk());
    while (true) {
      const auto token = (*reader)->Next();
      EXPECT_THAT(token, IsOk());
      if (!token.ok() || !token->has_value()) return ids;
      if ((*token)->organization == organization) ids.push_back((*token)->id);
    }
  }
  std::vector<TokenId> ByQuery(const std::string& organization) {
    return Ids({.states = StateSet::All(), .organization = organization});
  }

  std::string DriverOf(const Query& query) {
    const auto explanation = db().Explain(query);
    EXPECT_THAT(explanation, IsOk());
    return explanation->driver;
  }

  IndexInfo InfoOf(OptionalIndex index) {
    for (const IndexInfo& info : db().Indexes()) {
      if (info.name == OptionalIndexName(index)) return info;
    }
    ADD_FAILURE() << "no such index";
    return {};
  }

  // Stops the building of an index after one step of one token.
  void StopAfterOneToken(OptionalIndex index) {
    std::atomic<bool> stop = false;
    EXPECT_THAT(
        db().AddIndex(index, {.progress = [&](uint64_t) { stop = true; },
                              .stop = &stop,
                              .step_tokens = 1}),
        StatusIs(absl::StatusCode::kCancelled));
    EXPECT_EQ(InfoOf(index).state, IndexState::kWriteOnly);
  }

  void ExpectClean() {
    const auto report = db().Check();
    ASSERT_THAT(report, IsOk());
    EXPECT_EQ(report->problems_found, 0)
        << CheckProblemKindName(report->problems[0].kind) << " "
        << report->problems[0].key << " " << report->problems[0].detail;
  }

  static constexpr OptionalIndex kOrganization = OptionalIndex::kOrganization;
  const Query acme_ = {.states = StateSet::All(), .organization = "acme"};
};

TEST_F(IndexManagementTest, ANewDatabaseHasNone) {
  std::vector<std::string> lines;
  for (const IndexInfo& info : db().Indexes()) {
    lines.push_back(absl::StrCat(info.name, " ",
                                 std::string(IndexStateName(info.state)), " ",
                                 info.generation));
  }
  EXPECT_THAT(lines, ElementsAre("owner readable 1", "scope readable 1",
                                 "expiry readable 1", "creation readable 1",
                                 "organization disabled 0", "kind disabled 0"));
  EXPECT_THAT(db().DropIndex(kOrganization), IsOk());
}

TEST_F(IndexManagementTest, AnsweringTakesTheIndexAsSoonAsItIsThere) {
  IssueSome(100);
  EXPECT_EQ(DriverOf(acme_), "expiry");
  const std::vector<TokenId> before = ByQuery("acme");
  EXPECT_EQ(before.size(), 20);
  std::vector<uint64_t> progress;
  ASSERT_THAT(
      db().AddIndex(kOrganization,
                    {.progress = [&](uint64_t n) { progress.push_back(n); },
                     .step_tokens = 40}),
      IsOk());
  EXPECT_THAT(progress, ElementsAre(40, 80, 100));
  const IndexInfo info = InfoOf(kOrganization);
  EXPECT_EQ(info.state, IndexState::kReadable);
  EXPECT_EQ(info.generation, 1);
  EXPECT_EQ(info.tokens_built, 100);
  EXPECT_EQ(DriverOf(acme_), "organization");
  EXPECT_EQ(ByQuery("acme"), before);
  EXPECT_THAT(db().AddIndex(kOrganization), IsOk());
  EXPECT_EQ(InfoOf(kOrganization).generation, 1);
}

TEST_F(IndexManagementTest, TheIndexDecidesItsConditionWithoutTheRecord) {
  IssueSome(100);
  const Query refresh = {.states = StateSet::All(), .kind = "refresh"};
  ASSERT_THAT(db().AddIndex(OptionalIndex::kKind), IsOk());
  const auto page = db().ListIds(refresh);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->ids.size(), 34);
  EXPECT_EQ(page->stats.examined, 34);
  EXPECT_EQ(page->stats.fetched, 0);
  EXPECT_EQ(CountOf(refresh), 34);
  const auto explanation = db().Explain(refresh);
  ASSERT_THAT(explanation, IsOk());
  EXPECT_THAT(explanation->ranges, ElementsAre(HasSubstr("kind \"refresh\"")));
  EXPECT_THAT(explanation->on_index, Contains("kind"));
  EXPECT_THAT(explanation->on_record, IsEmpty());
  // Beside it another condition of a record is still asked for.
  Query both = refresh;
  both.organization = "acme";
  const auto explained = db().Explain(both);
  EXPECT_THAT(explained->on_record, ElementsAre("organization"));
  EXPECT_EQ(Ids(both).size(), 7);
}

TEST_F(IndexManagementTest, AnAddedIndexIsLikeOneThatWasThereFromTheBeginning) {
  const std::vector<Token> tokens = SomeTokens(250);
  TempDir dir;
  const std::string other = dir / "other";
  {
    const auto db = Database::Open(other, {.clock = &clock()});
    ASSERT_THAT(db, IsOk());
    for (const OptionalIndex index : kBoth) {
      ASSERT_THAT((*db)->AddIndex(index), IsOk());
    }
    ASSERT_THAT((*db)->IssueBatch(tokens), IsOk());
    ASSERT_THAT((*db)->Revoke(FromNumber(7)), IsOk());
  }
  ASSERT_THAT(db().IssueBatch(tokens), IsOk());
  ASSERT_THAT(db().Revoke(FromNumber(7)), IsOk());
  for (const OptionalIndex index : kBoth) {
    ASSERT_THAT(db().AddIndex(index), IsOk());
    ASSERT_THAT(db().DropIndex(index), IsOk());
    ASSERT_THAT(db().AddIndex(index), IsOk());
    EXPECT_EQ(InfoOf(index).generation, 2);
  }
  Close();
  for (const char kind : {'\5', '\6'}) {
    const auto from_beginning = EntriesAt(other, std::string{'\1', kind});
    EXPECT_EQ(from_beginning.size(), 250);
    EXPECT_EQ(WithoutGeneration(EntriesAt(path(), std::string{'\2', kind})),
              WithoutGeneration(from_beginning));
  }
  Reopen();
}

TEST_F(IndexManagementTest, QueriesAreRightWhileItIsBuilt) {
  IssueSome(120);
  const std::vector<TokenId> expected = ByQuery("acme");
  int steps = 0;
  ASSERT_THAT(
      db().AddIndex(kOrganization, {.progress =
                                        [&](uint64_t) {
                                          ++steps;
                                          EXPECT_EQ(DriverOf(acme_), "expiry");
                                          EXPECT_EQ(ByQuery("acme"), expected);
                                          ExpectClean();
                                        },
                                    .step_tokens = 10}),
      IsOk());
  EXPECT_EQ(steps, 13);  // The last one finds nothing.
  EXPECT_EQ(DriverOf(acme_), "organization");
  EXPECT_EQ(ByQuery("acme"), expected);
}

TEST_F(IndexManagementTest, ChangesBetweenTheStepsAreInIt) {
  IssueSome(60);
  TokenPatch to_acme;
  to_acme.organization = "acme";
  TokenPatch to_none;
  to_none.organization = "";
  int step = 0;
  ASSERT_THAT(
      db().AddIndex(
          kOrganization,
          {.progress =
               [&](uint64_t) {
                 ++step;
                 // Behind and before what was built; and a new token each.
                 EXPECT_THAT(db().Update(FromNumber(step), to_acme), IsOk());
                 EXPECT_THAT(db().Update(FromNumber(61 - step), to_none),
                             IsOk());
                 if (step % 3 == 0) {
                   EXPECT_THAT(db().Delete(FromNumber(20 + step)), IsOk());
                 }
                 Issue({.id = FromNumber(100 + step), .organization = "acme"});
               },
           .step_tokens = 7}),
      IsOk());
  EXPECT_GT(step, 8);
  EXPECT_EQ(DriverOf(acme_), "organization");
  for (const char* organization : {"acme", "initech"}) {
    EXPECT_EQ(ByQuery(organization), ByScan(organization));
  }
  ExpectClean();
}

TEST_F(IndexManagementTest, ItIsCompleteThoughThreadsChangeTokensMeanwhile) {
  IssueSome(200);
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::vector<std::string> names = {"acme", "initech", "", "acmes"};
      const UpdateOptions fast = {.durability = Durability::kBuffered};
      for (int i = 0; !stop; ++i) {
        const TokenId id = FromNumber(1 + (i * 7 + t * 31) % 250);
        TokenPatch patch;
        patch.organization = names[(i + t) % names.size()];
        patch.expires_at = Now() + absl::Seconds(i % 50);
        db().Update(id, patch, fast).IgnoreError();
        if (i % 5 == 0) db().Delete(id).IgnoreError();
        if (i % 3 == 0) {
          db().Issue({.id = id, .organization = names[i % names.size()]}, kFast)
              .IgnoreError();
        }
        if (i % 11 == 0) {
          db().Revoke(id, {.durability = Durability::kBuffered}).IgnoreError();
        }
        // By whatever index there is: never an error.
        EXPECT_THAT(db().ListIds(acme_), IsOk());
      }
    });
  }
  for (int round = 0; round < 12; ++round) {
    EXPECT_THAT(db().AddIndex(kOrganization, {.step_tokens = 5}), IsOk());
    EXPECT_THAT(db().AddIndex(OptionalIndex::kKind, {.step_tokens = 64}),
                IsOk());
    ExpectClean();
    if (round % 3 == 0) {
      EXPECT_THAT(db().Reclaim(), IsOk());
    }
    if (round == 11) break;
    EXPECT_THAT(db().DropIndex(kOrganization), IsOk());
    EXPECT_THAT(db().DropIndex(OptionalIndex::kKind), IsOk());
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(DriverOf(acme_), "organization");
  for (const char* organization : {"acme", "initech", "acmes"}) {
    EXPECT_EQ(ByQuery(organization), ByScan(organization));
  }
}

TEST_F(IndexManagementTest, OneThatWasStoppedGoesOnWhereItWas) {
  IssueSome(50);
  StopAfterOneToken(kOrganization);
  EXPECT_EQ(InfoOf(kOrganization).tokens_built, 1);
  EXPECT_EQ(DriverOf(acme_), "expiry");
  ExpectClean();
  Issue({.organization = "acme"});
  std::vector<uint64_t> progress;
  ASSERT_THAT(
      db().AddIndex(kOrganization,
                    {.progress = [&](uint64_t n) { progress.push_back(n); },
                     .step_tokens = 30}),
      IsOk());
  EXPECT_THAT(progress, ElementsAre(31, 51));
  EXPECT_EQ(InfoOf(kOrganization).generation, 1);
  EXPECT_EQ(ByQuery("acme"), ByScan("acme"));
}

TEST_F(IndexManagementTest, AHalfBuiltOneIsMaintainedAfterReopening) {
  IssueSome(50);
  StopAfterOneToken(kOrganization);
  Reopen();
  EXPECT_EQ(InfoOf(kOrganization).state, IndexState::kWriteOnly);
  EXPECT_EQ(InfoOf(kOrganization).tokens_built, 1);
  TokenPatch patch;
  patch.organization = "moved";
  ASSERT_THAT(db().Update(FromNumber(1), patch), IsOk());
  ASSERT_THAT(db().Delete(FromNumber(2)), IsOk());
  ExpectClean();
  ASSERT_THAT(db().AddIndex(kOrganization), IsOk());
  Reopen();
  EXPECT_EQ(DriverOf(acme_), "organization");
  EXPECT_EQ(ByQuery("acme"), ByScan("acme"));
  EXPECT_THAT(ByQuery("moved"), ElementsAre(FromNumber(1)));
}

TEST_F(IndexManagementTest, AnUnreadableRecordKeepsItFromBeingUsed) {
  ExpectDamage();
  IssueSome(10);
  Close();
  std::string record;
  const std::string key(FromNumber(5).bytes());
  {
    RawDatabase raw(path());
    record = raw.Get("token", key);
    raw.Put("token", key, "damaged");
  }
  Reopen();
  EXPECT_THAT(db().AddIndex(kOrganization),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(InfoOf(kOrganization).state, IndexState::kWriteOnly);
  Close();
  RawDatabase(path()).Put("token", key, record);
  Reopen();
  EXPECT_THAT(db().AddIndex(kOrganization), IsOk());
  ExpectClean();
}

TEST_F(IndexManagementTest, OldEntriesDoNotAppearInTheNextGeneration) {
  IssueSome(50);
  ASSERT_THAT(db().AddIndex(kOrganization), IsOk());
  ASSERT_THAT(db().DropIndex(kOrganization), IsOk());
  EXPECT_EQ(DriverOf(acme_), "expiry");
  TokenPatch patch;
  patch.organization = "moved";
  for (const TokenId& id : ByQuery("acme")) {
    ASSERT_THAT(db().Update(id, patch), IsOk());
  }
  ExpectClean();  // Old entries that no record has any more are no problem.
  ASSERT_THAT(db().AddIndex(kOrganization), IsOk());
  EXPECT_EQ(InfoOf(kOrganization).generation, 2);
  EXPECT_THAT(ByQuery("acme"), IsEmpty());
  EXPECT_EQ(ByQuery("moved"), ByScan("moved"));
  Close();
  EXPECT_THAT(EntriesAt(path(), "\1\5"), Not(IsEmpty()));
  Reopen();
  EXPECT_THAT(ByQuery("acme"), IsEmpty());
}

TEST_F(IndexManagementTest, ReclaimTakesDroppedEntriesBackWithoutTombstones) {
  IssueSome(250);
  ASSERT_THAT(db().AddIndex(kOrganization), IsOk());
  ASSERT_THAT(db().AddIndex(OptionalIndex::kKind), IsOk());
  ASSERT_THAT(db().Flush(), IsOk());
  ASSERT_THAT(db().DropIndex(kOrganization), IsOk());
  Reopen();  // What is to be dropped is known again.
  ASSERT_THAT(db().Reclaim(), IsOk());
  Close();
  {
    RawDatabase raw(path());
    EXPECT_THAT(raw.Entries("index", "\1\5"), IsEmpty());
    EXPECT_EQ(raw.Entries("index", "\1\6").size(), 250);
    EXPECT_EQ(raw.Entries("index", "\1\1").size(), 250);
    EXPECT_EQ(raw.Deletions("index"), 0);
    EXPECT_THAT(raw.Entries("meta", "index-dropped/"), IsEmpty());
  }
  Reopen();
  EXPECT_EQ(ByQuery("acme"), ByScan("acme"));
}

TEST_F(IndexManagementTest, CompactTakesThemToo) {
  IssueSome(250);
  ASSERT_THAT(db().AddIndex(kOrganization), IsOk());
  ASSERT_THAT(db().DropIndex(kOrganization), IsOk());
  ASSERT_THAT(db().Compact(), IsOk());
  Close();
  EXPECT_THAT(EntriesAt(path(), "\1\5"), IsEmpty());
  Reopen();
}

TEST_F(IndexManagementTest, AReaderGoesOnReadingAnIndexThatIsDropped) {
  for (int i = 0; i < 500; ++i) Issue({.organization = "acme"});
  ASSERT_THAT(db().AddIndex(kOrganization), IsOk());
  ASSERT_EQ(DriverOf(acme_), "organization");
  auto reader = db().Read(acme_);
  ASSERT_THAT(reader, IsOk());
  ASSERT_THAT((*reader)->Next(), IsOk());
  ASSERT_THAT(db().DropIndex(kOrganization), IsOk());
  ASSERT_THAT(db().DeleteAll(acme_), IsOkAndHolds(500));
  ASSERT_THAT(db().Reclaim(), IsOk());
  ASSERT_THAT(db().Compact(), IsOk());
  int read = 1;
  while (true) {
    const auto token = (*reader)->Next();
    ASSERT_THAT(token, IsOk());
    if (!token->has_value()) break;
    ++read;
  }
  EXPECT_EQ(read, 500);
  reader->reset();
  ASSERT_THAT(db().Reclaim(), IsOk());
  Close();
  EXPECT_THAT(EntriesAt(path(), "\1\5"), IsEmpty());
  Reopen();
}

// Between taking its snapshot and opening its cursors a call holds nothing that
// the storage knows of.
TEST_F(IndexManagementTest, WhatACallMayYetReadIsKeptFromCompactions) {
  IssueSome(100);
  ASSERT_THAT(db().AddIndex(kOrganization), IsOk());
  Store& store = DatabasePeer::StoreOf(db());
  const auto entries = [&](const Snapshot& snapshot) {
    Cursor cursor =
        store.NewCursor(&snapshot, Family::kIndex, {"\1\5", "\1\6"});
    int count = 0;
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) ++count;
    EXPECT_THAT(cursor.status(), IsOk());
    return count;
  };
  {
    const IndexedSnapshot taken = TakeIndexedSnapshot(
        store, DatabasePeer::IndexesOf(db()), FloorToMillis(Now()));
    ASSERT_THAT(db().DropIndex(kOrganization), IsOk());
    ASSERT_THAT(db().Reclaim(), IsOk());
    ASSERT_THAT(db().Compact(), IsOk());
    EXPECT_TRUE(taken.indexes->IsReadable(kOrganization));
    EXPECT_EQ(entries(taken.snapshot), 100);
  }
  ASSERT_THAT(db().Reclaim(), IsOk());
  EXPECT_EQ(entries(store.TakeSnapshot(FloorToMillis(Now()))), 0);
}

TEST_F(IndexManagementTest, PagesGoOnAcrossAddingAndDropping) {
  IssueSome(250);
  const std::vector<TokenId> expected = ByQuery("acme");
  ASSERT_EQ(expected.size(), 50);
  for (const Direction direction :
       {Direction::kAscending, Direction::kDescending}) {
    Query query = acme_;
    query.limit = 7;
    query.direction = direction;
    std::vector<TokenId> ids;
    for (int page_number = 0;; ++page_number) {
      ASSERT_THAT(page_number % 2 == 0 ? db().AddIndex(kOrganization)
                                       : db().DropIndex(kOrganization),
                  IsOk());
      EXPECT_EQ(DriverOf(query),
                page_number % 2 == 0 ? "organization" : "expiry");
      const auto page = db().List(query);
      ASSERT_THAT(page, IsOk());
      for (const Token& token : page->tokens) ids.push_back(token.id);
      query.continuation = page->continuation;
      if (query.continuation.empty()) break;
    }
    EXPECT_EQ(ids,
              direction == Direction::kAscending
                  ? expected
                  : std::vector<TokenId>(expected.rbegin(), expected.rend()));
  }
}

TEST_F(IndexManagementTest, GenerationsRunOut) {
  for (int i = 0; i < 255; ++i) {
    ASSERT_THAT(db().AddIndex(kOrganization), IsOk());
    ASSERT_THAT(db().DropIndex(kOrganization), IsOk());
  }
  EXPECT_THAT(db().AddIndex(kOrganization),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(db().AddIndex(OptionalIndex::kKind), IsOk());
  Reopen();
  EXPECT_THAT(db().AddIndex(kOrganization),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(InfoOf(kOrganization).generation, 255);
}

TEST_F(IndexManagementTest, OneCallAtATimeChangesAnIndex) {
  IssueSome(3);
  const auto refused = StatusIs(absl::StatusCode::kFailedPrecondition);
  ASSERT_THAT(
      db().AddIndex(kOrganization,
                    {.progress =
                         [&](uint64_t) {
                           EXPECT_THAT(db().AddIndex(kOrganization), refused);
                           EXPECT_THAT(db().DropIndex(kOrganization), refused);
                           EXPECT_THAT(db().AddIndex(OptionalIndex::kKind),
                                       IsOk());
                         }}),
      IsOk());
  EXPECT_THAT(db().AddIndex(kOrganization, {.step_tokens = 0}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(db().AddIndex(kOrganization, {.step_tokens = 257}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(IndexManagementTest, CheckComparesThemBothWays) {
  ExpectDamage();
  IssueSome(10);
  ASSERT_THAT(db().AddIndex(kOrganization), IsOk());
  StopAfterOneToken(OptionalIndex::kKind);
  Close();
  std::vector<std::string> bad;
  {
    RawDatabase raw(path());
    const auto organization = raw.Entries("index", "\1\5");
    raw.Delete("index", organization[0].first);           // Missing.
    raw.Put("index", organization[1].first, "\1 wrong");  // Wrong.
    std::string stray = organization[2].first;
    stray[2] = 'X';
    raw.Put("index", stray, organization[2].second);
    const auto kind = raw.Entries("index", "\1\6");
    ASSERT_EQ(kind.size(), 1);
    raw.Put("index", kind[0].first, organization[2].second + "x");  // Wrong.
    stray = kind[0].first;
    stray[2] = 'X';
    raw.Put("index", stray, kind[0].second);
    // Generations and indexes that there never were.
    stray = organization[2].first;
    stray[0] = '\2';
    raw.Put("index", stray, organization[2].second);
    stray[1] = '\7';
    raw.Put("index", stray, organization[2].second);
  }
  Reopen();
  const auto report = db().Check();
  ASSERT_THAT(report, IsOk());
  int missing = 0;
  int wrong = 0;
  int strays = 0;
  for (const CheckProblem& problem : report->problems) {
    missing += problem.kind == CheckProblem::Kind::kMissingEntry ? 1 : 0;
    wrong += problem.kind == CheckProblem::Kind::kWrongEntry ? 1 : 0;
    strays += problem.kind == CheckProblem::Kind::kStrayEntry ? 1 : 0;
  }
  EXPECT_EQ(missing, 1);
  EXPECT_EQ(wrong, 2);
  EXPECT_EQ(strays, 4);
  EXPECT_EQ(report->problems_found, 7);
}

TEST_F(IndexManagementTest, AMalformedCatalogIsDataLoss) {
  ASSERT_THAT(db().AddIndex(kOrganization), IsOk());
  Close();
  RawDatabase(path()).Put("meta", "index/\5", "short");
  EXPECT_THAT(Database::Open(path(), {.clock = &clock()}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("organization")));
}

}  // namespace
}  // namespace tokendb::testing
