#include "tokendb/bulk_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/storage/store.h"
#include "tests/support/database_peer.h"
#include "tests/support/database_test.h"
#include "tests/support/full_token.h"
#include "tests/support/raw_database.h"

namespace tokendb::testing {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr size_t kTinyMemory = 1;  // The least there is: 64 KiB.

class BulkLoadTest : public DatabaseTest {
 protected:
  void SetUp() override {}

  std::unique_ptr<BulkLoader> OpenLoader(const BulkLoadOptions& load = {}) {
    auto loader = BulkLoader::Open(path(), options(), load);
    EXPECT_THAT(loader, IsOk());
    return loader.ok() ? *std::move(loader) : nullptr;
  }

  // Loads tokens, which are labelled by their positions.
  absl::StatusOr<BulkLoadReport> Load(const std::vector<Token>& tokens,
                                      const BulkLoadOptions& load = {}) {
    const std::unique_ptr<BulkLoader> loader = OpenLoader(load);
    for (size_t i = 0; i < tokens.size(); ++i) {
      const absl::Status added = loader->Add(tokens[i], i);
      if (!added.ok()) return added;
    }
    return loader->Finish();
  }

  // Tokens of every kind, in random order.
  std::vector<Token> ManyTokens(size_t count) {
    using std::string_literals::operator""s;
    const std::vector<std::string> owners = {
        "a", "a\0"s, "a\0\xFF"s, "\xFF"s, "\xFF\xFF"s, std::string(255, 'o')};
    std::mt19937_64 random(7);
    std::vector<Token> tokens(count);
    for (size_t i = 0; i < count; ++i) {
      Token& token = tokens[i];
      std::array<char, TokenId::kSize> id;
      for (char& byte : id) byte = static_cast<char>(random());
      token.id = TokenId(id);
      if (i % 3 != 0) token.digest = DigestOf(absl::StrCat(i));
      if (i % 7 != 0) token.owner = OwnedBy(owners[random() % owners.size()]);
      for (uint64_t scope = random() % 5; scope > 0; --scope) {
        token.scopes.push_back(absl::StrCat("scope ", random() % 9));
      }
      token.created_at = Now() - absl::Minutes(random() % 90000);
      if (i % 4 != 0) {
        token.expires_at =
            Now() + absl::Seconds(random() % 500000) - absl::Seconds(100000);
      }
      if (i % 11 == 0) token.not_before = Now() + absl::Hours(random() % 50);
      if (i % 13 == 0) token.revoked_at = Now() + absl::Hours(random() % 50);
      if (i % 17 == 0) token.enabled = false;
      token.description = std::string(random() % 300, 'd');
    }
    if (count > 0) tokens[count / 2] = FullToken(Now());
    return tokens;
  }

  static std::vector<std::pair<std::string, RawDatabase::Entry>> AllRows(
      const std::string& path) {
    RawDatabase raw(path);
    std::vector<std::pair<std::string, RawDatabase::Entry>> rows;
    for (const char* family :
         {"meta", "token", "digest", "index", "hot", "stat"}) {
      for (RawDatabase::Entry& entry : raw.Entries(family)) {
        if (entry.first != "clock") rows.emplace_back(family, std::move(entry));
      }
    }
    return rows;
  }

  std::string BulkDirectory() const { return path() + "/bulk"; }

  // Opens the database, which must have no token.
  void ExpectNothingLoaded() {
    Reopen();
    EXPECT_FALSE(std::filesystem::exists(BulkDirectory()));
    EXPECT_THAT(Ids({.states = StateSet::All()}), IsEmpty());
    const auto report = db().Check();
    ASSERT_THAT(report, IsOk());
    EXPECT_EQ(report->records + report->entries, 0);
  }
};

TEST_F(BulkLoadTest, EqualsTokensIssuedOneByOne) {
  const std::vector<Token> tokens = ManyTokens(2500);
  TempDir dir;
  for (const size_t memory : {kTinyMemory, size_t{1} << 30}) {
    const std::string bulk = dir / absl::StrCat("bulk", memory);
    {
      auto loader = BulkLoader::Open(bulk, options(), {.memory_bytes = memory});
      ASSERT_THAT(loader, IsOk());
      for (const Token& token : tokens) {
        ASSERT_THAT((*loader)->Add(token), IsOk());
      }
      const auto report = (*loader)->Finish();
      ASSERT_THAT(report, IsOk());
      EXPECT_EQ(report->tokens, tokens.size());
      EXPECT_EQ(report->forgotten, 0);
    }
    const std::string single = dir / absl::StrCat("single", memory);
    {
      auto database = Database::Open(single, options());
      ASSERT_THAT(database, IsOk());
      for (const Token& token : tokens) {
        ASSERT_THAT((*database)->Issue(token, kFast), IsOk());
      }
    }
    const auto rows = AllRows(bulk);
    EXPECT_GT(rows.size(), 7 * tokens.size());
    EXPECT_EQ(rows, AllRows(single));
  }
}

TEST_F(BulkLoadTest, WhatIsLoadedIsADatabaseLikeAnyOther) {
  std::vector<Token> tokens = ManyTokens(600);
  const auto report = Load(tokens, {.memory_bytes = kTinyMemory});
  ASSERT_THAT(report, IsOk());
  EXPECT_GT(report->files, 0);
  EXPECT_GT(report->bytes, 0);
  Reopen();
  EXPECT_FALSE(std::filesystem::exists(BulkDirectory()));
  uint64_t live = 0;
  for (const Token& token : tokens) {
    EXPECT_EQ(Stored(token.id).owner, token.owner);
    live += StateOf(token, Now()) == TokenState::kLive ? 1 : 0;
  }
  EXPECT_EQ(CountOf({}), live);
  // Once from the counter, once one by one.
  EXPECT_EQ(CountOf({.owners = {"a"}}),
            CountOf({.owners = {"a"},
                     .created = {.from = Now() - absl::Hours(90000)}}));
  EXPECT_EQ(StateBy(*FullToken(Now()).digest), TokenState::kLive);
  EXPECT_THAT(db().Issue(tokens.front()),
              StatusIs(absl::StatusCode::kAlreadyExists));
  ASSERT_THAT(db().Delete(tokens.front().id), IsOk());
  EXPECT_THAT(db().Issue(tokens.front()), IsOk());
}

TEST_F(BulkLoadTest, NoTokensAreALoadToo) {
  const auto report = Load({});
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->tokens + report->entries + report->files, 0);
  ExpectNothingLoaded();
  Issue({});
}

TEST_F(BulkLoadTest, DefaultsAreThoseOfIssue) {
  ASSERT_THAT(Load({{.owner = OwnedBy("u"), .scopes = {"b", "a", "b"}}}),
              IsOk());
  Reopen();
  const std::vector<TokenId> ids = Ids({.owners = {"u"}});
  ASSERT_THAT(ids, SizeIs(1));
  EXPECT_FALSE(ids.front().IsNil());
  EXPECT_EQ(Stored(ids.front()).created_at, Now());
  EXPECT_EQ(Stored(ids.front()).version, 1);
  EXPECT_THAT(Stored(ids.front()).scopes, ElementsAre("a", "b"));
}

TEST_F(BulkLoadTest, AnIdThatCameTwiceIsNamed) {
  std::vector<Token> tokens = ManyTokens(700);
  tokens.push_back({.id = tokens[31].id});
  for (const size_t memory : {kTinyMemory, size_t{1} << 30}) {
    EXPECT_THAT(
        Load(tokens, {.memory_bytes = memory}),
        StatusIs(absl::StatusCode::kAlreadyExists,
                 AllOf(HasSubstr(tokens[31].id.ToString()),
                       HasSubstr("came twice: token 31 and token 700"))));
    ExpectNothingLoaded();
    Close();
  }
}

TEST_F(BulkLoadTest, ADigestThatCameTwiceIsNamed) {
  std::vector<Token> tokens = ManyTokens(700);
  tokens.push_back({.digest = tokens[31].digest});
  const std::string hex = tokens[31].digest->ToString();
  const BulkLoadOptions load = {
      .memory_bytes = kTinyMemory,
      .label_text = [](uint64_t label) { return absl::StrCat("f:", label); }};
  EXPECT_THAT(Load(tokens, load),
              StatusIs(absl::StatusCode::kAlreadyExists,
                       AllOf(HasSubstr(hex.substr(0, 8)), Not(HasSubstr(hex)),
                             HasSubstr("came twice: f:31 and f:700"))));
  ExpectNothingLoaded();
}

TEST_F(BulkLoadTest, ADatabaseWithATokenIsRefused) {
  Reopen();
  const TokenId id = Issue({.expires_at = Now() - absl::Hours(1)});
  Close();
  EXPECT_THAT(BulkLoader::Open(path(), options()).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("holds tokens")));
  Reopen();
  EXPECT_THAT(Stored(id), HasId(id));
}

TEST_F(BulkLoadTest, ADatabaseThatHadTokensTakesALoad) {
  std::vector<Token> tokens = ManyTokens(300);
  Reopen();
  for (const Token& token : tokens) Issue(token);
  ASSERT_THAT(db().Flush(), IsOk());
  for (const Token& token : tokens) {
    ASSERT_THAT(db().Delete(token.id, {.durability = Durability::kBuffered}),
                IsOk());
  }
  Close();
  ASSERT_THAT(Load(tokens), IsOk());
  Reopen();
  EXPECT_THAT(Ids({.states = StateSet::All()}), SizeIs(tokens.size()));
  ASSERT_THAT(db().Compact(), IsOk());
  EXPECT_THAT(Ids({.states = StateSet::All()}), SizeIs(tokens.size()));
}

TEST_F(BulkLoadTest, OptionalIndexesAreWrittenToo) {
  std::vector<Token> tokens = ManyTokens(300);
  for (size_t i = 0; i < tokens.size(); i += 2) {
    tokens[i].organization = absl::StrCat("organization ", i % 3);
  }
  Reopen();
  // Their generations differ.
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(db().AddIndex(OptionalIndex::kOrganization), IsOk());
    ASSERT_THAT(db().DropIndex(OptionalIndex::kOrganization), IsOk());
  }
  ASSERT_THAT(db().AddIndex(OptionalIndex::kOrganization), IsOk());
  ASSERT_THAT(db().AddIndex(OptionalIndex::kKind), IsOk());
  Close();
  const auto report = Load(tokens, {.memory_bytes = kTinyMemory});
  ASSERT_THAT(report, IsOk());
  Reopen();
  const auto checked = db().Check();
  ASSERT_THAT(checked, IsOk());
  EXPECT_EQ(checked->problems_found, 0);
  const Query query = {.states = StateSet::All(),
                       .organization = "organization 1"};
  const auto plan = db().Explain(query);
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ(plan->driver, "organization");
  EXPECT_THAT(Ids(query), SizeIs(50));
  ASSERT_THAT(db().Compact(), IsOk());
  EXPECT_THAT(Ids(query), SizeIs(50));
}

TEST_F(BulkLoadTest, FollowersOfTheFeedMustReadWhatWasLoaded) {
  options().retain_changes = absl::InfiniteDuration();
  Reopen();
  const TokenId id = Issue({});
  const auto before = db().ChangesFromNow();
  ASSERT_THAT(before, IsOk());
  ASSERT_THAT(db().Delete(id), IsOk());
  Close();
  ASSERT_THAT(Load(ManyTokens(10)), IsOk());
  Reopen();
  EXPECT_THAT(db().Changes(*before), StatusIs(absl::StatusCode::kOutOfRange));
  const auto anew = db().ChangesFromNow();
  ASSERT_THAT(anew, IsOk());
  Issue({});
  const auto page = db().Changes(*anew);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(page->changes, SizeIs(1));
}

TEST_F(BulkLoadTest, NobodyElseHasTheDatabaseOpenMeanwhile) {
  const std::unique_ptr<BulkLoader> loader = OpenLoader();
  EXPECT_THAT(Database::Open(path(), options()).status(),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(BulkLoader::Open(path(), options()).status(),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(BulkLoadTest, ADatabaseIsMadeOnlyIfAsked) {
  options().create_mode = CreateMode::kOpenExisting;
  EXPECT_THAT(BulkLoader::Open(path(), options()).status(),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(BulkLoadTest, ForgottenTokensAreLeftOut) {
  options().retain_expired = absl::Hours(1);
  options().retain_revoked = absl::Hours(10);
  const absl::Time revoked = Now() - absl::Hours(30);
  const auto report =
      Load({{.id = FromNumber(1), .expires_at = Now() - absl::Hours(1)},
            {.id = FromNumber(1),  // The id is free.
             .expires_at = Now() - absl::Hours(1) + absl::Milliseconds(1)},
            {.id = FromNumber(2),
             .expires_at = Now() - absl::Hours(2),
             .revoked_at = revoked},
            {.id = FromNumber(3),
             .expires_at = Now() - absl::Hours(10),
             .revoked_at = revoked},
            {.id = FromNumber(4), .revoked_at = revoked}});
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->tokens, 3);
  EXPECT_EQ(report->forgotten, 2);
  Reopen();
  EXPECT_THAT(Ids({.states = StateSet::All()}),
              ElementsAre(FromNumber(2), FromNumber(1), FromNumber(4)));
}

TEST_F(BulkLoadTest, ABadTokenIsRefusedAndLeavesNothing) {
  const std::unique_ptr<BulkLoader> loader = OpenLoader();
  EXPECT_THAT(loader->Add({.owner = OwnedBy("")}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  // Valid in each field, but too large as a record.
  const Token large = {.id = FromNumber(1),
                       .metadata = std::string(Limits::kRecordBytes, 'm')};
  ASSERT_THAT(Validate(large), IsOk());
  EXPECT_THAT(loader->Add(large), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(loader->Add({.id = FromNumber(2)}), IsOk());
  const auto report = loader->Finish();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->tokens, 1);
}

TEST_F(BulkLoadTest, AnAbandonedLoadLeavesNothing) {
  {
    const std::unique_ptr<BulkLoader> loader =
        OpenLoader({.memory_bytes = kTinyMemory});
    for (const Token& token : ManyTokens(500)) {
      ASSERT_THAT(loader->Add(token), IsOk());
    }
    struct stat status;
    ASSERT_EQ(stat(BulkDirectory().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700);
    size_t files = 0;
    for (const auto& file :
         std::filesystem::directory_iterator(BulkDirectory())) {
      ASSERT_EQ(stat(file.path().c_str(), &status), 0);
      EXPECT_EQ(status.st_mode & 0777, 0600);
      ++files;
    }
    EXPECT_GT(files, 1);
  }
  ExpectNothingLoaded();
}

TEST_F(BulkLoadTest, LeftoversOfAKilledLoadAreRemoved) {
  const auto leave = [&] {
    std::filesystem::create_directories(BulkDirectory() + "/more");
    std::ofstream(BulkDirectory() + "/0.run") << "half of a r";
    std::ofstream(BulkDirectory() + "/0-0.sst") << "half of a t";
  };
  Reopen();
  Close();
  leave();
  ASSERT_THAT(Load(ManyTokens(300), {.memory_bytes = kTinyMemory}), IsOk());
  leave();
  Reopen();
  EXPECT_FALSE(std::filesystem::exists(BulkDirectory()));
  EXPECT_THAT(Ids({.states = StateSet::All()}), SizeIs(300));
}

TEST_F(BulkLoadTest, AnotherProcessesLoadIsLeftAlone) {
  const std::unique_ptr<BulkLoader> loader =
      OpenLoader({.memory_bytes = kTinyMemory});
  const std::vector<Token> tokens = ManyTokens(500);
  for (const Token& token : tokens) ASSERT_THAT(loader->Add(token), IsOk());
  EXPECT_THAT(Database::Open(path(), options()).status(),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(loader->Finish(), IsOk());
}

TEST_F(BulkLoadTest, StopsWhenAsked) {
  const std::vector<Token> tokens = ManyTokens(500);
  std::atomic<bool> stop = false;
  {
    const std::unique_ptr<BulkLoader> loader = OpenLoader({.stop = &stop});
    ASSERT_THAT(loader->Add(tokens[0]), IsOk());
    stop = true;
    EXPECT_THAT(loader->Add(tokens[1]), StatusIs(absl::StatusCode::kCancelled));
    EXPECT_THAT(loader->Finish(), StatusIs(absl::StatusCode::kCancelled));
  }
  ExpectNothingLoaded();
  Close();
  stop = false;
  {
    const std::unique_ptr<BulkLoader> loader = OpenLoader({.stop = &stop});
    for (const Token& token : tokens) ASSERT_THAT(loader->Add(token), IsOk());
    stop = true;
    EXPECT_THAT(loader->Finish(), StatusIs(absl::StatusCode::kCancelled));
  }
  ExpectNothingLoaded();
}

TEST_F(BulkLoadTest, ProgressTellsThePhases) {
  using Phase = BulkLoadProgress::Phase;
  std::vector<BulkLoadProgress> seen;
  const auto report = Load(ManyTokens(5000),
                           {.progress = [&](const BulkLoadProgress& progress) {
                             seen.push_back(progress);
                           }});
  ASSERT_THAT(report, IsOk());
  ASSERT_GE(seen.size(), 3);
  EXPECT_EQ(seen.front().phase, Phase::kReading);
  EXPECT_EQ(seen.front().tokens, 4096);
  EXPECT_EQ(seen.back().phase, Phase::kPublishing);
  EXPECT_EQ(seen.back().tokens, 5000);
  EXPECT_EQ(seen.back().built_entries, report->entries);
  EXPECT_EQ(seen[seen.size() - 2].phase, Phase::kBuilding);
}

TEST_F(BulkLoadTest, ALoadEndsOnce) {
  const std::unique_ptr<BulkLoader> loader = OpenLoader();
  ASSERT_THAT(loader->Finish(), IsOk());
  EXPECT_THAT(loader->Finish(),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(loader->Add({}), StatusIs(absl::StatusCode::kFailedPrecondition));
}

// A file that was added to an empty RocksDB database has the sequence number
// 0; with a snapshot of that time, a compaction drops all it holds.
TEST_F(BulkLoadTest, ACompactionBesideASnapshotKeepsAll) {
  ASSERT_THAT(Load(ManyTokens(2000)), IsOk());
  Reopen();
  EXPECT_GT(DatabasePeer::StoreOf(db()).LastSequence(), 0);
  const auto reader = db().Read({.states = StateSet::All()});
  ASSERT_THAT(reader, IsOk());
  ASSERT_THAT(db().Compact(), IsOk());
  EXPECT_THAT(Ids({.states = StateSet::All()}), SizeIs(2000));
  size_t read = 0;
  while (true) {
    const auto token = (*reader)->Next();
    ASSERT_THAT(token, IsOk());
    if (!token->has_value()) break;
    ++read;
  }
  EXPECT_EQ(read, 2000);
}

TEST_F(BulkLoadTest, FilesLieInTheLastLevelAndKnowWhatExpires) {
  options().retain_expired = absl::Hours(1);
  options().reclaim.automatic = false;
  std::vector<Token> tokens(3000);
  for (size_t i = 0; i < tokens.size(); ++i) {
    tokens[i].owner = OwnedBy(absl::StrCat(i % 100));
    tokens[i].digest = DigestOf(absl::StrCat(i));
    if (i % 2 == 0) tokens[i].expires_at = Now() + absl::Hours(1);
  }
  ASSERT_THAT(Load(tokens), IsOk());
  Reopen();
  Store& store = DatabasePeer::StoreOf(db());
  for (const Family family :
       {Family::kToken, Family::kDigest, Family::kIndex, Family::kStat}) {
    const auto files = store.Files(family, {});
    ASSERT_THAT(files, IsOk());
    EXPECT_THAT(*files, Not(IsEmpty()));
    for (const Store::File& file : *files) EXPECT_EQ(file.level, 6);
  }
  clock().Advance(absl::Hours(5));
  const auto before = db().Stats();
  ASSERT_THAT(before, IsOk());
  EXPECT_GT(before->reclaim.forgotten_bytes, 50000);
  ASSERT_THAT(db().Reclaim(), IsOk());
  const auto after = db().Stats();
  ASSERT_THAT(after, IsOk());
  EXPECT_LT(after->reclaim.forgotten_bytes,
            before->reclaim.forgotten_bytes / 10);
  EXPECT_THAT(Ids({.states = StateSet::All()}), SizeIs(1500));
}

}  // namespace
}  // namespace tokendb::testing
