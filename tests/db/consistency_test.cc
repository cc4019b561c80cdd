// Opening, atomicity, damage and concurrency: section I of the scenarios.
#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "src/index/entry_expiry.h"
#include "src/index/keys.h"
#include "src/storage/store.h"
#include "tests/support/database_test.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConsistencyTest : public DatabaseTest {
 protected:
  // Writes behind the database's back, while it is closed.
  void Tamper(const std::function<void(Store&, Batch&)>& change) {
    Close();
    {
      auto store = Store::Open(path(), {}, kEntryReader);
      ASSERT_THAT(store, IsOk());
      Batch batch = (*store)->NewBatch();
      change(**store, batch);
      ASSERT_THAT((*store)->Commit(batch, Durability::kSync), IsOk());
    }
    Reopen();
  }

  std::multiset<std::string> Problems() {
    std::multiset<std::string> kinds;
    const auto report = db().Check();
    EXPECT_THAT(report, IsOk());
    for (const CheckProblem& problem : report->problems) {
      kinds.insert(absl::StrCat(std::string(CheckProblemKindName(problem.kind)),
                                " ", problem.family));
    }
    return kinds;
  }
};

// Scenario 144: a batch is the transaction.
TEST_F(ConsistencyTest, ABatchThatFailsShowsInNoIndex) {
  const TokenId id = *TokenId::Parse("0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6");
  Token token{.id = id,
              .digest = DigestOf("s"),
              .owner = OwnedBy("ada"),
              .scopes = {"read"}};
  EXPECT_THAT(db().IssueBatch({token, token}),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(db().Get(id), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Ids({.owners = {"ada"}}), IsEmpty());
  EXPECT_THAT(Ids({.scopes = {.all_of = {"read"}}}), IsEmpty());
  EXPECT_THAT(db().Revoke(id), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_THAT(db().IssueBatch({token}), IsOk());
  EXPECT_THAT(db().Revoke(id, {.precondition = {.if_version = 9}}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kLive);
  EXPECT_THAT(Ids({.owners = {"ada"}}), ElementsAre(id));
}

// Scenario 146.
TEST_F(ConsistencyTest, ReadModifyWriteLoopsLoseNoUpdate) {
  const TokenId id = Issue({.description = "0"});
  constexpr int kWorkers = 100;
  std::vector<std::thread> workers;
  std::vector<int> seen(kWorkers);
  for (int worker = 0; worker < kWorkers; ++worker) {
    workers.emplace_back([&, worker] {
      while (true) {
        const Token token = *db().Get(id);
        const int value = std::stoi(token.description) + 1;
        TokenPatch patch;
        patch.description = std::to_string(value);
        const auto updated =
            db().Update(id, patch,
                        {.precondition = {.if_version = token.version},
                         .durability = Durability::kBuffered});
        if (updated.ok()) {
          seen[worker] = value;
          return;
        }
        ASSERT_THAT(updated, StatusIs(absl::StatusCode::kFailedPrecondition));
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(db().Get(id)->description, "100");
  EXPECT_EQ(std::set<int>(seen.begin(), seen.end()).size(), kWorkers);
}

TEST_F(ConsistencyTest, DifferentKindsOfChangesAtOnceLeaveACleanDatabase) {
  std::vector<TokenId> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(Issue({.scopes = {"start"}}));
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 150; ++i) {
        const TokenId& id = ids[(t * 7 + i) % ids.size()];
        TokenPatch patch;
        patch.owner = OwnedBy(std::to_string(i % 5));
        patch.scopes =
            std::vector<std::string>{"s" + std::to_string((t + i) % 9)};
        patch.digest = DigestOf(std::to_string(i % 11));
        const UpdateOptions fast{.durability = Durability::kBuffered};
        db().Update(id, patch, fast).IgnoreError();
        db().List({.owners = {"1"}}).IgnoreError();
        if (i % 10 == t) {
          db().RevokeAll({.owners = {"2"}}, {.max_tokens = 2}).IgnoreError();
        }
        if (i % 37 == t) db().Delete(id).IgnoreError();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Problems(), IsEmpty());
}

// Scenario 149.
TEST_F(ConsistencyTest, EveryTokenIsThereAfterReopeningWithItsExpiry) {
  std::vector<Token> tokens;
  for (int i = 0; i < 100; ++i) {
    tokens.push_back({.digest = DigestOf(std::to_string(i)),
                      .expires_at = Now() + absl::Seconds(i)});
  }
  const auto ids = db().IssueBatch(tokens);
  ASSERT_THAT(ids, IsOk());
  Close();
  clock().Advance(absl::Seconds(50));
  Reopen();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(db().Get((*ids)[i])->expires_at, tokens[i].expires_at);
    EXPECT_EQ(StateBy(DigestOf(std::to_string(i))),
              i <= 50 ? TokenState::kExpired : TokenState::kLive);
  }
  EXPECT_EQ(CountOf({}), 49);
}

// Scenario 147; what repairing makes of them is in repair_test.cc.
TEST_F(ConsistencyTest, CheckReportsEntriesWithoutRecords) {
  ExpectDamage();
  Issue({.owner = OwnedBy("ada"), .scopes = {"read"}});
  EXPECT_THAT(Problems(), IsEmpty());
  const TokenId ghost = *TokenId::Parse("0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6");
  Tamper([&](Store&, Batch& batch) {
    std::string key = OwnerPrefix("ada");
    AppendKeyTail(key, kNever, ghost);
    batch.Put(Family::kIndex, key, std::string(9, '\0'));
    batch.Put(Family::kDigest, DigestOf("ghost").bytes(), "x");
  });
  EXPECT_THAT(Problems(),
              ElementsAre("stray_entry digest", "stray_entry index"));
  // A list would have to invent the record; it says what is wrong instead.
  EXPECT_THAT(
      db().List({.owners = {"ada"}}),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr(ghost.ToString())));
  EXPECT_THAT(db().Authenticate(DigestOf("ghost")),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(ConsistencyTest, CheckReportsRecordsWithoutEntriesAndWrongEntries) {
  ExpectDamage();
  const TokenId id = Issue({.digest = DigestOf("s"), .owner = OwnedBy("ada")});
  const TokenId other = Issue({.owner = OwnedBy("bob")});
  Tamper([&](Store&, Batch& batch) {
    std::string key = OwnerPrefix("ada");
    AppendKeyTail(key, kNever, id);
    batch.Delete(Family::kIndex, key);
    batch.Delete(Family::kDigest, DigestOf("s").bytes());
    key = OwnerPrefix("bob");
    AppendKeyTail(key, kNever, other);
    batch.Put(Family::kIndex, key, std::string(9, '\0'));
  });
  EXPECT_THAT(Problems(),
              ElementsAre("missing_entry digest", "missing_entry index",
                          "wrong_entry index"));
}

TEST_F(ConsistencyTest, ADamagedRecordIsDataLossAndReported) {
  ExpectDamage();
  const TokenId id = Issue({.digest = DigestOf("s"), .owner = OwnedBy("ada")});
  Tamper([&](Store& store, Batch& batch) {
    PinnedValue value;
    ASSERT_THAT(store.Get(nullptr, Family::kToken, id.bytes(), value),
                IsOkAndHolds(true));
    std::string damaged(value.view());
    damaged.back() = static_cast<char>(damaged.back() ^ 1);
    batch.Put(Family::kToken, id.bytes(), damaged);
  });
  const auto data_loss =
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr(id.ToString()));
  EXPECT_THAT(db().Get(id), data_loss);
  EXPECT_THAT(db().GetMany({id}), data_loss);
  EXPECT_THAT(db().GetByDigest(DigestOf("s")), data_loss);
  EXPECT_THAT(db().List({.owners = {"ada"}}), data_loss);
  EXPECT_THAT(db().Update(id, {}), data_loss);
  EXPECT_THAT(db().Delete(id), data_loss);
  const auto reader = db().Read({});
  EXPECT_THAT((*reader)->Next(), data_loss);
  EXPECT_THAT((*reader)->Next(), data_loss);
  EXPECT_TRUE(Problems().contains("unreadable_record token"));
}

TEST_F(ConsistencyTest, ADatabaseOfANewerFormatIsRefused) {
  Close();
  {
    auto store = Store::Open(path(), {}, kEntryReader);
    ASSERT_THAT(store, IsOk());
    Batch batch = (*store)->NewBatch();
    std::string version;
    AppendBig32(version, 2);
    batch.Put(Family::kMeta, "format", version);
    ASSERT_THAT((*store)->Commit(batch, Durability::kSync), IsOk());
  }
  EXPECT_THAT(
      Database::Open(path()),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("format 2")));
}

TEST_F(ConsistencyTest, OpeningSaysWhatIsWrong) {
  TempDir dir;
  EXPECT_THAT(
      Database::Open(dir / "none", {.create_mode = CreateMode::kOpenExisting}),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
  EXPECT_THAT(Database::Open(path()), StatusIs(absl::StatusCode::kUnavailable));
  std::filesystem::create_directory(dir / "other");
  std::ofstream(dir / "other/file") << "not a database";
  EXPECT_THAT(Database::Open(dir / "other"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Database::Open(dir / "other/file"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Database::Open(""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Database::Open(dir / "missing/parent/db"),
              StatusIs(absl::StatusCode::kInternal));
  EXPECT_FALSE(std::filesystem::exists(dir / "none"));
}

TEST_F(ConsistencyTest, ANewDatabaseIsReadableByItsUserOnly) {
  struct stat status = {};
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700);
}

TEST_F(ConsistencyTest, AnEmptyDirectoryBecomesADatabase) {
  TempDir dir;
  EXPECT_THAT(Database::Open(dir.path() + "/"), IsOk());
  EXPECT_THAT(
      Database::Open(dir.path(), {.create_mode = CreateMode::kOpenExisting}),
      IsOk());
}

TEST_F(ConsistencyTest, AHalfMadeDatabaseIsCompleted) {
  TempDir dir;
  ASSERT_THAT(Database::Open(dir / "db"), IsOk());
  // As if the first process had been killed before the directory got its name.
  std::filesystem::rename(dir / "db", dir / "db.creating");
  EXPECT_THAT(Database::Open(dir / "db"), IsOk());
  EXPECT_FALSE(std::filesystem::exists(dir / "db.creating"));
}

TEST_F(ConsistencyTest, AReaderKeepsItsMoment) {
  for (int i = 0; i < 300; ++i) {
    Issue({.owner = OwnedBy("ada"), .expires_at = Now() + absl::Hours(1)});
  }
  auto reader = db().Read({.owners = {"ada"}});
  ASSERT_THAT(reader, IsOk());
  ASSERT_THAT(db().DeleteAll({.owners = {"ada"}}), IsOkAndHolds(300));
  ASSERT_THAT(db().Compact(), IsOk());
  clock().Advance(absl::Hours(2));
  int read = 0;
  while (true) {
    const auto next = (*reader)->Next();
    ASSERT_THAT(next, IsOk());
    if (!next->has_value()) break;
    ++read;
  }
  EXPECT_EQ(read, 300);
  EXPECT_EQ(CountOf({}), 0);
}

TEST_F(ConsistencyTest, AChangeThatChangesNothingKeepsTheVersion) {
  const TokenId id = Issue({.description = "same", .scopes = {"a", "b"}});
  TokenPatch patch;
  patch.description = "same";
  patch.scopes = std::vector<std::string>{"b", "a", "b"};
  EXPECT_EQ(db().Update(id, patch)->version, 1);
  patch.description = "other";
  EXPECT_EQ(db().Update(id, patch)->version, 2);
}

TEST_F(ConsistencyTest, StatsNameTheEngineAndTheFamilies) {
  Issue({});
  ASSERT_THAT(db().Flush(), IsOk());
  const auto stats = db().Stats();
  ASSERT_THAT(stats, IsOk());
  EXPECT_THAT(stats->engine, HasSubstr("RocksDB"));
  EXPECT_EQ(stats->format_version, 1);
  EXPECT_EQ(stats->clock, Now());
  ASSERT_EQ(stats->families.size(), 7);
  EXPECT_EQ(stats->families[1].name, "token");
  EXPECT_EQ(stats->families[1].estimated_entries, 1);
  EXPECT_GT(stats->families[1].file_bytes, 0);
}

}  // namespace
}  // namespace tokendb::testing
