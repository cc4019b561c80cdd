// Opening, creating, closing, and the clock over reopening.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "rocksdb/db.h"
#include "tests/support/database_test.h"
#include "tests/support/raw_database.h"

namespace tokendb::testing {
namespace {

using ::testing::HasSubstr;

class OpenTest : public DatabaseTest {
 protected:
  OpenOptions Options(CreateMode mode = CreateMode::kCreateIfMissing) {
    return {.create_mode = mode, .clock = &clock()};
  }
  std::string OtherPath() { return path() + "-other"; }

  // Runs a test of DISABLED_OtherProcess; returns its exit status. A fork would
  // share this process's table of open databases.
  int RunOtherProcess(const std::string& test) {
    std::string filter = "--gtest_filter=DISABLED_OtherProcess." + test;
    std::string disabled = "--gtest_also_run_disabled_tests";
    std::string name = "db_tests";
    char* arguments[] = {name.data(), filter.data(), disabled.data(), nullptr};
    setenv("TOKENDB_TEST_PATH", path().c_str(), 1);
    const pid_t child = fork();
    if (child == 0) {
      execv("/proc/self/exe", arguments);
      _exit(127);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return status;
  }

  void TearDown() override {
    DatabaseTest::TearDown();
    std::filesystem::remove_all(OtherPath());
  }
};

TEST_F(OpenTest, WhatIsMissingIsNotFoundOrMade) {
  EXPECT_THAT(Database::Open(OtherPath(), Options(CreateMode::kOpenExisting)),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(OtherPath())));
  EXPECT_FALSE(std::filesystem::exists(OtherPath()));
  EXPECT_THAT(Database::Open(OtherPath(), Options()), IsOk());
  EXPECT_THAT(Database::Open(OtherPath(), Options(CreateMode::kOpenExisting)),
              IsOk());
}

TEST_F(OpenTest, AnEmptyDirectoryIsNoDatabaseYet) {
  std::filesystem::create_directory(OtherPath());
  EXPECT_THAT(Database::Open(OtherPath(), Options(CreateMode::kOpenExisting)),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Database::Open(OtherPath() + "/", Options()), IsOk());
}

TEST_F(OpenTest, NothingElseIsTakenForADatabaseOrTouched) {
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Database::Open("", Options()), refused);
  std::ofstream(OtherPath()) << "a file";
  EXPECT_THAT(Database::Open(OtherPath(), Options()), refused);
  EXPECT_EQ(std::filesystem::file_size(OtherPath()), 6);
  std::filesystem::remove(OtherPath());
  std::filesystem::create_directory(OtherPath());
  std::ofstream(OtherPath() + "/notes.txt") << "somebody's";
  EXPECT_THAT(Database::Open(OtherPath(), Options()), refused);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(OtherPath()),
                          std::filesystem::directory_iterator()),
            1);
}

TEST_F(OpenTest, ADatabaseOfSomebodyElseIsRefused) {
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* other = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, OtherPath(), &other).ok());
  ASSERT_TRUE(other->Put({}, "key", "value").ok());
  delete other;
  EXPECT_THAT(Database::Open(OtherPath(), Options()),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(OpenTest, OnlyOneHandleAtATime) {
  Issue({.owner = OwnedBy("ada")});
  EXPECT_THAT(Database::Open(path(), Options()),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(CountOf({.owners = {"ada"}}), 1);
  Close();
  EXPECT_THAT(Database::Open(path(), Options()), IsOk());
}

// What the tests below run in a process of its own.
TEST(DISABLED_OtherProcess, Opens) {
  const auto db = Database::Open(getenv("TOKENDB_TEST_PATH"));
  _exit(absl::IsUnavailable(db.status()) ? 0 : 1);
}

TEST(DISABLED_OtherProcess, ReadsAndEndsWithoutClosing) {
  TestClock clock;
  clock.Advance(absl::Hours(2));
  const auto db =
      Database::Open(getenv("TOKENDB_TEST_PATH"), {.clock = &clock});
  if (!db.ok()) _exit(1);
  const auto answer =
      (*db)->Authenticate(*Digest::OfSecret("expires after an hour"));
  _exit(answer.ok() && answer->state == TokenState::kExpired ? 0 : 1);
}

TEST_F(OpenTest, AnotherProcessHasItOpen) {
  EXPECT_EQ(RunOtherProcess("Opens"), 0);
}

TEST_F(OpenTest, ANewerFormatIsRefused) {
  Close();
  {
    RawDatabase raw(path());
    raw.Put("meta", "format", std::string("\0\0\0\2", 4));
  }
  EXPECT_THAT(
      Database::Open(path(), Options()),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("format 2")));
}

TEST_F(OpenTest, AMissingFileIsNoticed) {
  Issue({.owner = OwnedBy("ada")});
  ASSERT_THAT(db().Flush(), IsOk());
  Close();
  for (const auto& file : std::filesystem::directory_iterator(path())) {
    if (file.path().extension() == ".sst") {
      std::filesystem::remove(file.path());
    }
  }
  EXPECT_THAT(Database::Open(path(), Options()),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(OpenTest, AllIsThereAfterReopening) {
  const TokenId id = Issue({.digest = DigestOf("s"),
                            .owner = OwnedBy("ada"),
                            .scopes = {"read", "write"}});
  const Token before = Stored(id);
  Reopen();
  EXPECT_EQ(Stored(id), before);
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kLive);
  EXPECT_EQ(CountOf({.scopes = {.all_of = {"read", "write"}}}), 1);
  // The dictionary goes on where it was.
  Issue({.scopes = {"admin", "read"}});
  Reopen();
  EXPECT_EQ(CountOf({.scopes = {.all_of = {"read"}}}), 2);
  EXPECT_EQ(CountOf({.scopes = {.all_of = {"admin"}}}), 1);
}

TEST_F(OpenTest, SmallBuffersAreOnlySlower) {
  Close();
  auto db = Database::Open(
      path(),
      {.clock = &clock(), .cache_bytes = 0, .write_buffer_bytes = 64 << 10});
  ASSERT_THAT(db, IsOk());
  for (int i = 0; i < 2000; ++i) {
    ASSERT_THAT((*db)->Issue({.owner = OwnedBy("ada"),
                              .metadata = std::string(200, 'm')},
                             kFast),
                IsOk());
  }
  const auto count = (*db)->Count({.owners = {"ada"}});
  ASSERT_THAT(count, IsOk());
  EXPECT_EQ(count->count, 2000);
}

TEST_F(OpenTest, TheClockNeverGoesBack) {
  const absl::Time start = Now();
  EXPECT_EQ(db().Now(), start);
  Issue({.digest = DigestOf("s"), .expires_at = start + absl::Hours(1)});
  clock().Set(start + absl::Hours(2));
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kExpired);
  clock().Set(start - absl::Hours(24));
  EXPECT_EQ(db().Now(), start + absl::Hours(2));
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kExpired);
  EXPECT_EQ(CountOf({}), 0);
  EXPECT_EQ(Stored(Issue({})).created_at, start + absl::Hours(2));
  clock().Set(start + absl::Hours(3));
  EXPECT_EQ(db().Now(), start + absl::Hours(3));
}

TEST_F(OpenTest, TheClockDoesNotGoBackOverReopening) {
  const absl::Time start = Now();
  Issue({.digest = DigestOf("s"), .expires_at = start + absl::Hours(1)});
  clock().Set(start + absl::Hours(2));
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kExpired);
  clock().Set(start - absl::Hours(24));
  Reopen();
  EXPECT_EQ(db().Now(), start + absl::Hours(2));
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kExpired);
}

// "Never earlier than any time acted on before, in this process or an earlier
// one": also of one that was killed, and that had only read at that time.
TEST_F(OpenTest, TheClockDoesNotGoBackAfterAKill) {
  const absl::Time start = Now();
  const Digest digest = DigestOf("expires after an hour");
  Issue({.digest = digest, .expires_at = start + absl::Hours(1)});
  Close();
  ASSERT_EQ(RunOtherProcess("ReadsAndEndsWithoutClosing"), 0);
  Reopen();
  EXPECT_EQ(StateBy(digest), TokenState::kExpired);
}

TEST_F(OpenTest, AClockOutOfAllBoundsIsHeldToThem) {
  clock().Set(absl::UnixEpoch() - absl::Hours(24 * 365 * 3000));
  EXPECT_EQ(db().Now(), absl::FromUnixSeconds(1767225600));
  const TokenId id = Issue({.expires_at = absl::FromUnixSeconds(253402300799)});
  EXPECT_EQ(CountOf({.ids = {id}}), 1);
}

}  // namespace
}  // namespace tokendb::testing
