// The built command from end to end, as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "nlohmann/json.hpp"
#include "tests/support/raw_database.h"
#include "tests/support/temp_dir.h"

namespace tokendb::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kUuid[] = "2217bead-dbc4-46cb-8e81-973e0becd7b0";

struct Result {
  int code;
  std::string out;
  std::string err;
};

class CliTest : public ::testing::Test {
 protected:
  // Runs the command in a shell, in which $DB and $DATA are set.
  Result Run(const std::string& arguments, const std::string& input = "") {
    Write("input", input);
    const std::string line = "DB='" + (dir_ / "db") + "'; DATA='" +
                             TOKENDB_TEST_DATA_DIR +
                             "'; { '" TOKENDB_CLI_PATH "' " + arguments +
                             "; } <'" + (dir_ / "input") + "' >'" +
                             (dir_ / "out") + "' 2>'" + (dir_ / "err") + "'";
    const int status = std::system(line.c_str());
    return {.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
            .out = Read("out"),
            .err = Read("err")};
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ / name, std::ios::binary) << text;
  }
  std::string Read(const std::string& name) {
    std::ifstream in(dir_ / name, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  std::string Path(const std::string& name) { return dir_ / name; }

  void ImportKeyring() {
    const Result result = Run("import $DB $DATA/keyring.csv");
    ASSERT_EQ(result.code, 0) << result.err;
    ASSERT_THAT(result.out, HasSubstr("3719 issued, 0 updated"));
  }

 private:
  TempDir dir_;
};

nlohmann::json Json(const std::string& text) {
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  EXPECT_FALSE(json.is_discarded()) << text;
  return json;
}

size_t Lines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST_F(CliTest, TheMainJobWorks) {
  ImportKeyring();
  EXPECT_THAT(Run("import $DB $DATA/keyring.csv").out,
              HasSubstr("0 issued, 0 updated, 3719 unchanged, 0 skipped"));

  // All of this owner's keys expired in 2023 or before.
  const Result live = Run("list $DB --owner key:EC371482956781AF");
  EXPECT_EQ(live.code, 0);
  EXPECT_THAT(live.out, IsEmpty());
  EXPECT_THAT(live.err, HasSubstr("5 in other states"));
  const Result all = Run("list $DB --owner key:EC371482956781AF --state all");
  EXPECT_EQ(Lines(all.out), 6);
  EXPECT_THAT(all.out, HasSubstr("primarykey EC371482956781AF"));

  const Result page =
      Run("list $DB --scope sign --expires-before 2027-01-01 --limit 20 "
          "--state all");
  EXPECT_EQ(page.code, 0);
  EXPECT_EQ(Lines(page.out), 22);
  EXPECT_THAT(page.out, HasSubstr("\nmore: --continuation "));

  EXPECT_EQ(Run("expiring $DB --within 30d").code, 0);
  EXPECT_THAT(Run("expiring $DB --within 3650d --limit 3").out,
              HasSubstr("REMAINING"));
  EXPECT_THAT(Run("count $DB --by scope --state all").out, HasSubstr("\nsign"));
  EXPECT_THAT(Run("explain $DB --owner key:EC371482956781AF").out,
              HasSubstr("driver: owner"));
  const auto plan = nlohmann::json::parse(
      Run("explain $DB --owner key:EC371482956781AF --analyze --json").out);
  EXPECT_EQ(plan["driver"], "owner");
  EXPECT_EQ(plan["actual"]["seeks"], 1);
  EXPECT_EQ(Run("stats $DB").code, 0);
  const Result check = Run("check $DB");
  EXPECT_EQ(check.code, 0);
  EXPECT_THAT(check.out, StartsWith("3719 records"));
}

// Scenario 65.
TEST_F(CliTest, PagesMakeUpTheWholeList) {
  ImportKeyring();
  size_t tokens = 0;
  std::string continuation;
  do {
    const Result page =
        Run("list $DB --json --limit 400 --state all --scope encrypt" +
            (continuation.empty() ? "" : " --continuation " + continuation));
    ASSERT_EQ(page.code, 0) << page.err;
    const nlohmann::json json = Json(page.out);
    tokens += json["tokens"].size();
    continuation = json["continuation"].is_null() ? "" : json["continuation"];
  } while (!continuation.empty());
  EXPECT_EQ(tokens, 1570);
  EXPECT_EQ(
      Json(Run("count $DB --scope encrypt --state all --json").out)["count"],
      1570);
}

TEST_F(CliTest, JsonIsJson) {
  ImportKeyring();
  Json(Run("stats $DB --json").out);
  Json(Run("check $DB --json").out);
  Json(Run("expiring $DB --within 365d --json").out);
  EXPECT_EQ(
      Json(Run("count $DB --state all --by state --json").out)["groups"].size(),
      3);
  EXPECT_EQ(Json(Run("get $DB 08dc6bd4-f6b0-5a20-b06e-c055e5932b0e --json")
                     .out)["owner"]["id"],
            "key:EC371482956781AF");
}

TEST_F(CliTest, PutMakesAndChangesTokens) {
  const Result put =
      Run(std::string("put $DB --uuid ") + kUuid +
              " --owner u --scope a --scope 'b c' --expires 30d --secret-stdin",
          "secret\n");
  ASSERT_EQ(put.code, 0) << put.err;
  EXPECT_EQ(put.out, std::string(kUuid) + "\n");
  // SHA-256 of "secret".
  const std::string digest =
      "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
  const Result get = Run("get $DB " + digest);
  EXPECT_EQ(get.code, 0) << get.err;
  EXPECT_THAT(get.out, HasSubstr("Scopes:             a, \"b c\"\n"));
  EXPECT_THAT(get.out, Not(HasSubstr(digest)));

  EXPECT_EQ(Run(std::string("put $DB --uuid ") + kUuid +
                " --expires never --description \"$(printf 'a\\nb\\033')\"")
                .code,
            0);
  const nlohmann::json token =
      Json(Run(std::string("get $DB --json ") + kUuid).out);
  EXPECT_TRUE(token["expiresAt"].is_null());
  EXPECT_EQ(token["scopes"].size(), 2);
  EXPECT_EQ(token["version"], 2);
  EXPECT_THAT(Run("list $DB").out, HasSubstr("a\\nb\\u{1B}\n"));
}

TEST_F(CliTest, ExitCodesSayWhatHappened) {
  EXPECT_EQ(Run("list $DB").code, 4);
  ASSERT_EQ(Run("put $DB --owner u").code, 0);
  EXPECT_EQ(Run(std::string("get $DB ") + kUuid).code, 1);
  EXPECT_EQ(Run("get $DB nonsense").code, 2);
  EXPECT_EQ(Run("").code, 2);
  EXPECT_EQ(Run("list $DB --nonsense").code, 2);
  EXPECT_EQ(Run("list $DB --state nonsense").code, 2);
  EXPECT_EQ(Run("list $DB --expires-before nonsense").code, 2);
  EXPECT_EQ(Run("list $DB --limit 0").code, 2);
  EXPECT_EQ(Run("list $DB --continuation nonsense").code, 2);
  EXPECT_EQ(Run("list $DB --expires-after 2d --expires-before -2d").code, 2);
  EXPECT_EQ(Run("import $DB /no/such/file").code, 4);
  EXPECT_EQ(Run("export $DB - >/dev/full").code, 4);
  EXPECT_EQ(Run("--help").code, 0);
  EXPECT_THAT(Run("--version").out, StartsWith("tokendb "));
  EXPECT_THAT(Run("list --help").out, HasSubstr("--last-accessed-before"));
}

TEST_F(CliTest, BadLinesAreNamedWithFileLineAndColumn) {
  Write("bad.csv", std::string("Token UUID,Expires At\n") + kUuid +
                       ",\n2217bead-dbc4-46cb-8e81-973e0becd7b1,soon\n");
  const Result result = Run("import $DB " + Path("bad.csv"));
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("tokendb: " + Path("bad.csv") +
                                    ":3:38: Expires At: \"soon\" is no time"));
  EXPECT_EQ(Run("count $DB").out, "0\n");
  const Result skipping = Run("import $DB --skip-bad " + Path("bad.csv"));
  EXPECT_EQ(skipping.code, 0);
  EXPECT_THAT(skipping.out,
              HasSubstr("1 issued, 0 updated, 0 unchanged, 1 sk"));
  EXPECT_THAT(skipping.err, HasSubstr(":3:38: "));
}

TEST_F(CliTest, StandardInputIsAFileToo) {
  const Result result =
      Run("import $DB -", std::string("{\"uuid\":\"") + kUuid + "\"}\n");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, StartsWith("standard input: 1 issued"));
}

// Scenario 49.
TEST_F(CliTest, RevokingAndDeletingManyWantsYes) {
  ImportKeyring();
  const std::string owner = "--owner key:BED8449FCEE8DA88";
  EXPECT_EQ(Run("revoke $DB").code, 2);
  EXPECT_EQ(Run("delete $DB").code, 2);
  const Result refused = Run("revoke $DB " + owner);
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("tokens match: give --yes"));
  EXPECT_EQ(Run("count $DB --state revoked " + owner).out, "0\n");
  EXPECT_EQ(Run("revoke $DB --yes --reason left " + owner).code, 0);
  EXPECT_EQ(Run("count $DB " + owner).out, "0\n");
  const std::string revoked = Run("count $DB --state revoked " + owner).out;
  EXPECT_THAT(Run("delete $DB --yes --state revoked " + owner).out + "\n",
              HasSubstr(revoked.substr(0, revoked.size() - 1) + " deleted"));
  EXPECT_EQ(Run("count $DB --state all " + owner).out, "0\n");
  EXPECT_EQ(Run("check $DB").code, 0);
}

// Scenarios 41 and 43.
TEST_F(CliTest, ARevocationMayBeScheduled) {
  ASSERT_EQ(Run(std::string("put $DB --owner u --uuid ") + kUuid).code, 0);
  EXPECT_EQ(Run(std::string("revoke $DB --at 5d ") + kUuid).out, "1 revoked\n");
  EXPECT_EQ(Run("count $DB").out, "1\n");
  EXPECT_EQ(Run("revoke $DB --at 2d --owner u").out, "1 revoked\n");
  EXPECT_EQ(Run("revoke $DB --at 9d --owner u").out, "0 revoked\n");
  EXPECT_EQ(Run(std::string("revoke $DB ") + kUuid).out, "1 revoked\n");
  EXPECT_EQ(Run("count $DB").out, "0\n");
  EXPECT_EQ(Run(std::string("revoke $DB ") + kUuid).out, "0 revoked\n");
}

TEST_F(CliTest, IndexesAreShownAddedAndDropped) {
  ASSERT_EQ(Run("put $DB --owner ada --organization acme").code, 0);
  ASSERT_EQ(Run("put $DB --owner ada").code, 0);
  Result result = Run("index $DB");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("organization  disabled"));
  EXPECT_EQ(Lines(result.out), 7);
  result = Run("index $DB add organization");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "index organization is readable\n");
  const auto json = Json(Run("index $DB --json").out);
  ASSERT_EQ(json.size(), 6);
  EXPECT_EQ(json[0]["name"], "owner");
  EXPECT_EQ(json[4]["state"], "readable");
  EXPECT_EQ(json[4]["tokensBuilt"], 2);
  EXPECT_EQ(json[5]["state"], "disabled");
  EXPECT_THAT(Run("explain $DB --organization acme").out,
              HasSubstr("driver: organization"));
  EXPECT_EQ(Run("index $DB drop organization").code, 0);
  EXPECT_THAT(Run("explain $DB --organization acme").out,
              HasSubstr("driver: expiry"));
  result = Run("index $DB add colour");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("colour"));
  EXPECT_EQ(Run("index $DB add").code, 2);
  EXPECT_EQ(Run("index $DB paint kind").code, 2);
}

TEST_F(CliTest, RepairSaysWhatItDid) {
  const std::string id = "0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6";
  ASSERT_EQ(Run("put $DB --owner ada --uuid " + id).code, 0);
  Result result = Run("repair $DB");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out,
            "1 records checked, 0 entries and 0 counters repaired, 0 "
            "differences left\n");
  {
    RawDatabase raw(Path("db"));
    const auto entries = raw.Entries("index", "\1\3");
    ASSERT_EQ(entries.size(), 1);
    raw.Delete("index", entries[0].first);
  }
  EXPECT_EQ(Run("check $DB").code, 1);
  result = Run("repair $DB");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("1 entries and 0 counters repaired"));
  EXPECT_EQ(Run("check $DB").code, 0);
  RawDatabase(Path("db")).Put("token", "odd", "value");
  result = Run("repair $DB");
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.out, HasSubstr("unreadable_record  token  6f6464"));
  EXPECT_THAT(result.out, HasSubstr("1 differences left"));
  const auto json = Json(Run("repair $DB --json").out);
  EXPECT_EQ(json["unrepairedFound"], 1);
  EXPECT_EQ(json["unrepaired"][0]["kind"], "unreadable_record");
  EXPECT_EQ(json["repaired"], 0);
}

TEST_F(CliTest, ATouchIsShownAndExported) {
  ASSERT_EQ(Run(std::string("put $DB --uuid ") + kUuid).code, 0);
  const std::string touch = std::string("touch $DB ") + kUuid;
  EXPECT_EQ(Run(touch + " --ip 192.0.2.7").code, 0);
  EXPECT_THAT(Run(std::string("get $DB ") + kUuid).out, HasSubstr("192.0.2.7"));
  EXPECT_THAT(Run("export $DB").out, HasSubstr("192.0.2.7"));
  const Result earlier = Run(touch + " --at '1h ago'");
  EXPECT_EQ(earlier.code, 1);
  EXPECT_THAT(earlier.err, HasSubstr("has a later use"));
  EXPECT_EQ(Run(touch + " --at nonsense").code, 2);
  EXPECT_EQ(Run("touch $DB nonsense").code, 2);
}

TEST_F(CliTest, ExpiredTokensAreAFeed) {
  ImportKeyring();
  const std::string window =
      "expired $DB --from 2023-01-01 --before 2024-01-01 --json --limit 100";
  size_t tokens = 0;
  std::string continuation;
  Result page;
  do {
    page = Run(window +
               (continuation.empty() ? "" : " --continuation " + continuation));
    ASSERT_EQ(page.code, 0) << page.err;
    const nlohmann::json json = Json(page.out);
    tokens += json["tokens"].size();
    continuation = json["continuation"].is_null() ? "" : json["continuation"];
  } while (!continuation.empty());
  EXPECT_THAT(page.err, HasSubstr("go on with --from 2024-01-01T00:00:00Z"));
  EXPECT_GT(tokens, 100);
  EXPECT_EQ(Json(Run("count $DB --state expired --expires-after 2023-01-01 "
                     "--expires-before 2024-01-01 --json")
                     .out)["count"],
            tokens);
  // What the retention has left behind is no gap but an error.
  ASSERT_EQ(Run("retention $DB --expired 1d --revoked 1d").code, 0);
  const Result forgotten = Run(window);
  EXPECT_EQ(forgotten.code, 4);
  EXPECT_THAT(forgotten.err, HasSubstr("the earliest time still remembered"));
  EXPECT_EQ(Run("expired $DB --from nonsense").code, 2);
}

TEST_F(CliTest, WarningsAreGivenOnce) {
  const std::string uuid = kUuid;
  ASSERT_EQ(Run("put $DB --uuid " + uuid + " --expires 5d").code, 0);
  const std::string warn = "expiring $DB --within 7d --not-notified";
  EXPECT_THAT(Run(warn).out, HasSubstr(uuid));
  const Result marked = Run(warn + " --mark-notified");
  EXPECT_THAT(marked.out, HasSubstr(uuid));
  EXPECT_THAT(marked.err, HasSubstr("1 newly marked"));
  EXPECT_THAT(Run(warn).out, Not(HasSubstr(uuid)));
  EXPECT_THAT(Run("expiring $DB --within 7d").out, HasSubstr(uuid));
  EXPECT_TRUE(Json(Run("stats $DB --json").out)["nextExpiry"].is_string());
  ASSERT_EQ(Run("put $DB --uuid " + uuid + " --expires 6d").code, 0);
  EXPECT_THAT(Run(warn).out, HasSubstr(uuid));
  ASSERT_EQ(Run("put $DB --uuid " + uuid + " --expires never").code, 0);
  EXPECT_THAT(Run("stats $DB").out, HasSubstr("next expiry none"));
}

TEST_F(CliTest, UnusedTokensAreRevoked) {
  const std::string uuid = kUuid;
  ASSERT_EQ(Run("put $DB --uuid " + uuid + " --created '100d ago'").code, 0);
  ASSERT_EQ(Run("put $DB").code, 0);
  EXPECT_EQ(Run("count $DB --unused-since '90d ago'").out, "1\n");
  EXPECT_THAT(Run("list $DB --unused-since '90d ago'").out, HasSubstr(uuid));
  EXPECT_EQ(Run("revoke $DB --unused-since '90d ago'").out, "1 revoked\n");
  EXPECT_EQ(Run("count $DB").out, "1\n");
}

TEST_F(CliTest, ChangesAreShownOnceTheyAreKept) {
  ASSERT_EQ(Run("put $DB --owner u").code, 0);
  const Result off = Run("changes $DB");
  EXPECT_EQ(off.code, 4);
  EXPECT_THAT(off.err, HasSubstr("keeps no changes"));
  EXPECT_THAT(Run("retention $DB --changes 7d").out, HasSubstr("changes  7d"));
  EXPECT_THAT(Run("stats $DB").out, HasSubstr("retained 7d"));
  ASSERT_EQ(Run(std::string("put $DB --owner u --uuid ") + kUuid).code, 0);
  const nlohmann::json first = Json(Run("changes $DB --json").out);
  ASSERT_EQ(first["changes"].size(), 1);
  EXPECT_EQ(first["changes"][0]["change"], "issued");
  EXPECT_EQ(first["changes"][0]["uuid"], kUuid);
  EXPECT_EQ(first["caughtUp"], true);
  const std::string after = first["continuation"];
  EXPECT_EQ(Run("changes $DB --from-now").out, after + "\n");
  ASSERT_EQ(Run(std::string("revoke $DB ") + kUuid).code, 0);
  ASSERT_EQ(Run(std::string("delete $DB ") + kUuid).code, 0);
  const Result page = Run("changes $DB --limit 1 --after " + after);
  EXPECT_THAT(page.out, HasSubstr("revoked"));
  EXPECT_THAT(page.out, Not(HasSubstr("deleted")));
  EXPECT_THAT(page.out, HasSubstr("more: --after "));
  EXPECT_EQ(Run("changes $DB --after nonsense").code, 2);
  EXPECT_EQ(Run("changes $DB --limit 0").code, 2);
  EXPECT_EQ(Run("changes $DB --from-now --after " + after).code, 2);
  EXPECT_THAT(Run("retention $DB --changes 0").out, HasSubstr("changes  0s"));
  EXPECT_EQ(Run("changes $DB --after " + after).code, 4);
  EXPECT_EQ(Run("retention $DB --changes forever").code, 0);
  EXPECT_THAT(Run("changes $DB --after " + after).err,
              HasSubstr("not kept any more"));
}

TEST_F(CliTest, ExportsAreImportedAgain) {
  ImportKeyring();
  ASSERT_EQ(
      Run("export $DB " + Path("a.jsonl") + " --format jsonl --state all").code,
      0);
  ASSERT_EQ(Run("import " + Path("other") + " " + Path("a.jsonl")).code, 0);
  ASSERT_EQ(Run("export " + Path("other") + " " + Path("b.jsonl") +
                " --format jsonl --state all")
                .code,
            0);
  EXPECT_EQ(Lines(Read("a.jsonl")), 3719);
  EXPECT_EQ(Read("a.jsonl"), Read("b.jsonl"));
  EXPECT_EQ(Lines(Run("export $DB --state all").out), 3720);
}

TEST_F(CliTest, AClosedPipeEndsQuietly) {
  ImportKeyring();
  const Result result = Run("export $DB --state all | head -n 1");
  EXPECT_EQ(Lines(result.out), 1);
  EXPECT_THAT(result.err, IsEmpty());
}

TEST_F(CliTest, ABulkImportIsTheSameImport) {
  ImportKeyring();
  const Result result =
      Run("import " + Path("bulk") + " --bulk $DATA/keyring.csv");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, StartsWith("3719 issued, 0 skipped; "));
  const std::string options = " - --state all --with-digests";
  const std::string exported = Run("export $DB" + options).out;
  EXPECT_EQ(Lines(exported), 3720);
  EXPECT_EQ(Run("export " + Path("bulk") + options).out, exported);
  EXPECT_THAT(Run("check " + Path("bulk")).out, StartsWith("3719 records"));
  EXPECT_EQ(Run("retention " + Path("bulk")).out, Run("retention $DB").out);

  const Result again = Run("import $DB --bulk $DATA/keyring.csv");
  EXPECT_EQ(again.code, 4);
  EXPECT_THAT(again.err, HasSubstr("import without --bulk"));
}

TEST_F(CliTest, ABulkImportTakesAllFilesOrNone) {
  const std::string other = "2217bead-dbc4-46cb-8e81-973e0becd7b1";
  const std::string header = "Token UUID,Expires At\n";
  Write("good.csv", header + other + ",\n");
  Write("bad.csv", header + kUuid + ",\n" + kUuid + ",soon\n");
  const std::string files = Path("good.csv") + " " + Path("bad.csv");
  const Result bad = Run("import $DB --bulk " + files);
  EXPECT_EQ(bad.code, 3);
  EXPECT_THAT(bad.err, HasSubstr("bad.csv:3:38: Expires At: \"soon\""));
  EXPECT_THAT(bad.err, HasSubstr("1 bad line; nothing was imported"));
  EXPECT_EQ(Run("count $DB").out, "0\n");

  const Result twice =
      Run("import $DB --bulk --skip-bad " + files + " " + Path("good.csv"));
  EXPECT_EQ(twice.code, 3);
  EXPECT_THAT(twice.err, HasSubstr(other + " came twice: " + Path("good.csv") +
                                   ":2 and " + Path("good.csv") + ":2"));
  EXPECT_EQ(Run("count $DB").out, "0\n");

  const Result skipping = Run("import $DB --bulk --skip-bad " + files);
  EXPECT_EQ(skipping.code, 0) << skipping.err;
  EXPECT_THAT(skipping.out, StartsWith("2 issued, 1 skipped; "));
  EXPECT_EQ(Run("count $DB").out, "2\n");
}

TEST_F(CliTest, AnInterruptedImportLeavesAConsistentDatabase) {
  std::ostringstream text;
  text << "Owner ID,Name,Scopes\n";
  for (int i = 0; i < 30000; ++i) {
    text << "u" << i % 1000 << ",n" << i << ",read write\n";
  }
  Write("large.csv", text.str());
  const std::string db = Path("db");
  const std::string file = Path("large.csv");
  // Ever later, so that it is interrupted while it checks, while it writes,
  // and at last not at all, on machines of any speed.
  bool finished = false;
  for (int milliseconds = 100; !finished; milliseconds *= 2) {
    ASSERT_LT(milliseconds, 100000);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      execl(TOKENDB_CLI_PATH, "tokendb", "import", db.c_str(), file.c_str(),
            nullptr);
      _exit(127);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    kill(child, SIGINT);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    // The first signal may come before the command listens to it.
    if (!WIFEXITED(status)) continue;
    ASSERT_THAT(WEXITSTATUS(status), ::testing::AnyOf(0, 130));
    finished = WEXITSTATUS(status) == 0;
    EXPECT_EQ(Run("check $DB").code, 0);
  }
  EXPECT_THAT(Run("check $DB").out, StartsWith("30000 records"));
}

}  // namespace
}  // namespace tokendb::testing
