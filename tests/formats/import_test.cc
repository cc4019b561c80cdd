#include "src/formats/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "src/formats/export.h"
#include "src/formats/fd_stream.h"
#include "src/formats/time_text.h"
#include "tests/formats/read_tokens.h"
#include "tests/support/database_test.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Query kAll = {.states = StateSet::All(), .order = Order::kCreation};
constexpr char kUuid[] = "2217bead-dbc4-46cb-8e81-973e0becd7b0";

class ImportTest : public DatabaseTest {
 protected:
  ImportReport Import(FileFormat format, const std::string& text,
                      const ImportOptions& options = {}) {
    std::istringstream in(text);
    return ImportTokens(db(), format, in, options);
  }
  ImportReport ImportCsv(const std::string& text,
                         const ImportOptions& options = {}) {
    return Import(FileFormat::kCsv, text, options);
  }

  std::string Export(FileFormat format, bool with_digests = false) {
    std::ostringstream out;
    EXPECT_THAT(
        ExportTokens(db(), kAll,
                     {.format = format, .with_digests = with_digests}, out),
        IsOk());
    return out.str();
  }

  Token Get(const std::string& uuid = kUuid) {
    const absl::StatusOr<Token> token = db().GetByUuid(uuid);
    EXPECT_THAT(token, IsOk());
    return token.ok() ? *token : Token();
  }
};

std::vector<std::string> Errors(const ImportReport& report) {
  std::vector<std::string> errors;
  for (const InputError& error : report.errors) {
    errors.push_back(ErrorText(error));
  }
  return errors;
}

TEST_F(ImportTest, ImportingAFileAgainChangesNothing) {
  const std::string keyring = ReadFile(DataFile("keyring.csv"));
  const ImportReport first = ImportCsv(keyring);
  ASSERT_THAT(first.status, IsOk());
  EXPECT_EQ(first.issued, 3719);
  EXPECT_EQ(CountOf({.states = TokenState::kRevoked}), 220);
  const ImportReport second = ImportCsv(keyring);
  ASSERT_THAT(second.status, IsOk());
  EXPECT_EQ(second.unchanged, 3719);
  EXPECT_EQ(second.issued + second.updated, 0);
  EXPECT_EQ(Get("08dc6bd4-f6b0-5a20-b06e-c055e5932b0e").version, 1);
}

TEST_F(ImportTest, ALastUseDoesNotGoBack) {
  const std::string text =
      absl::StrCat("Token UUID,Created At,Last Used At,Last Request IP\n",
                   kUuid, ",2020-01-01,2020-02-01,192.0.2.1\n");
  ASSERT_THAT(ImportCsv(text).status, IsOk());
  ASSERT_THAT(db().Touch(Get().id, *ParseTime("2020-03-01"), "192.0.2.2"),
              IsOk());
  ASSERT_THAT(db().FlushTouches(), IsOk());
  const Token used = Get();
  EXPECT_EQ(used.ip_address, "192.0.2.2");
  EXPECT_EQ(ImportCsv(text).unchanged, 1);
  EXPECT_EQ(Get(), used);
  const std::string later =
      absl::StrCat("Token UUID,Last Used At,Last Request IP\n", kUuid,
                   ",2020-04-01,192.0.2.3\n");
  EXPECT_EQ(ImportCsv(later).updated, 1);
  EXPECT_EQ(Get().last_accessed_at, *ParseTime("2020-04-01"));
  EXPECT_EQ(Get().ip_address, "192.0.2.3");
  EXPECT_EQ(ImportCsv(later).unchanged, 1);
}

TEST_F(ImportTest, ImportingAgainDoesNotReviveARevokedToken) {
  const std::string text = absl::StrCat("Token UUID,State\n", kUuid, ",\n");
  ASSERT_THAT(ImportCsv(text).status, IsOk());
  ASSERT_THAT(db().Revoke(Get().id), IsOk());
  EXPECT_EQ(ImportCsv(text).unchanged, 1);
  EXPECT_EQ(StateOf(Get(), Now()), TokenState::kRevoked);
  const std::string live = absl::StrCat("Token UUID,State\n", kUuid, ",live\n");
  EXPECT_EQ(ImportCsv(live).updated, 1);
  EXPECT_EQ(StateOf(Get(), Now()), TokenState::kLive);
}

TEST_F(ImportTest, RevokedAtAnUnknownTimeIsRevokedSinceCreation) {
  ASSERT_THAT(ImportCsv(absl::StrCat("Token UUID,Created At,State\n", kUuid,
                                     ",2020-01-01,revoked\n"))
                  .status,
              IsOk());
  EXPECT_EQ(Get().revoked_at, *ParseTime("2020-01-01"));
}

TEST_F(ImportTest, EachFileKeepsWhatTheOtherSays) {
  ASSERT_THAT(Import(FileFormat::kGraphQl,
                     ReadFile(DataFile("buildkite_graphql_page.json")))
                  .status,
              IsOk());
  const ImportReport report =
      ImportCsv(ReadFile(DataFile("buildkite_audit_export.csv")));
  ASSERT_THAT(report.status, IsOk());
  EXPECT_EQ(report.issued, 35);
  const Token token = Get();
  EXPECT_EQ(token.expires_at, *ParseTime("2027-08-19"));
  EXPECT_EQ(token.node_id, "T3JnYW5pemF0aW9uLS0t0000");
  EXPECT_EQ(token.owner->name, "Person J");
}

TEST_F(ImportTest, AnOwnersNamesOutliveAFileWithItsIdOnly) {
  Token token;
  token.id = *TokenId::Parse(kUuid);
  token.owner = Owner{.id = "u", .name = "Ada", .email = "ada@example.com"};
  Issue(token);
  EXPECT_EQ(
      ImportCsv(absl::StrCat("Token UUID,Owner ID\n", kUuid, ",u\n")).unchanged,
      1);
  EXPECT_EQ(
      ImportCsv(absl::StrCat("Token UUID,Owner ID\n", kUuid, ",v\n")).updated,
      1);
  EXPECT_EQ(Get().owner, (Owner{.id = "v"}));
  EXPECT_EQ(
      ImportCsv(absl::StrCat("Token UUID,Owner ID\n", kUuid, ",\n")).updated,
      1);
  EXPECT_EQ(Get().owner, std::nullopt);
}

TEST_F(ImportTest, NothingOfAFileWithABadLineIsImported) {
  const std::string text =
      absl::StrCat("Token UUID,Owner ID,Owner\n", kUuid, ",u,\n",
                   "nope,u,\n",                                     //
                   kUuid, ",u,\n",                                  //
                   "2217bead-dbc4-46cb-8e81-973e0becd7b1,,Ada\n");  //
  const ImportReport report = ImportCsv(text);
  EXPECT_THAT(report.status, StatusIs(absl::StatusCode::kInvalidArgument,
                                      "3 bad lines; nothing was imported"));
  EXPECT_THAT(Errors(report),
              ElementsAre("3:1: Token UUID: \"nope\" is not a UUID",
                          absl::StrCat("4:1: the token ", kUuid,
                                       " is on line 2 already"),
                          "5:1: the owner \"Ada\" has no id"));
  EXPECT_EQ(CountOf(kAll), 0);

  const ImportReport skipping = ImportCsv(text, {.skip_bad = true});
  EXPECT_THAT(skipping.status, IsOk());
  EXPECT_EQ(skipping.issued, 1);
  EXPECT_EQ(skipping.skipped, 3);
  EXPECT_THAT(Errors(skipping), ::testing::SizeIs(3));
  EXPECT_EQ(CountOf(kAll), 1);
}

TEST_F(ImportTest, ABadHeaderIsNeverSkipped) {
  EXPECT_THAT(ImportCsv("Nonsense\na\n", {.skip_bad = true}).status,
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ImportTest, LimitsAreCheckedBeforeAnythingIsWritten) {
  const std::string scope(256, 's');
  const ImportReport report =
      ImportCsv(absl::StrCat("Token UUID,Scopes\n", kUuid, ",", scope, "\n"));
  EXPECT_THAT(Errors(report), ElementsAre(HasSubstr("2:1: ")));
  // No field is too large, but all together are.
  std::string scopes;
  for (int i = 1000; i < 2000; ++i) {
    absl::StrAppend(&scopes, i, std::string(251, 's'), " ");
  }
  const std::string metadata(1200000, 'A');
  const ImportReport large = ImportCsv(absl::StrCat(
      "Token UUID,Scopes,Metadata\n", kUuid, ",", scopes, ",", metadata, "\n"));
  EXPECT_THAT(Errors(large), ElementsAre(HasSubstr("kRecordBytes")));
  EXPECT_EQ(CountOf(kAll), 0);
}

// Scenario 4.
TEST_F(ImportTest, ADigestBelongsToOneTokenThatHasNotExpired) {
  Token token;
  token.digest = DigestOf("secret");
  token.expires_at = Now() + absl::Hours(1);
  const TokenId holder = Issue(token);
  const std::string hex = token.digest->ToString();
  const std::string text =
      absl::StrCat("Token UUID,Digest\n", kUuid, ",", hex, "\n");
  EXPECT_THAT(Errors(ImportCsv(text)),
              ElementsAre(absl::StrCat("2:1: the token ", holder.ToString(),
                                       " has this digest")));
  clock().Advance(absl::Hours(1));
  EXPECT_EQ(ImportCsv(text).issued, 1);

  const std::string other = DigestOf("other").ToString();
  EXPECT_THAT(Errors(ImportCsv(
                  absl::StrCat("Name,Digest\na,", other, "\nb,", other, "\n"))),
              ElementsAre(HasSubstr("on line 2 already")));
}

TEST_F(ImportTest, TheCreationTimeOfATokenCannotChange) {
  ASSERT_THAT(
      ImportCsv(absl::StrCat("Token UUID,Created At\n", kUuid, ",2020-01-01\n"))
          .status,
      IsOk());
  EXPECT_THAT(Errors(ImportCsv(absl::StrCat("Token UUID,Created At\n", kUuid,
                                            ",2020-01-02\n"))),
              ElementsAre(HasSubstr("the creation time cannot be changed")));
}

TEST_F(ImportTest, AStoppedImportGoesOnWhenCalledAgain) {
  const std::string keyring = ReadFile(DataFile("keyring.csv"));
  std::atomic<bool> stop = false;
  const ImportReport stopped =
      ImportCsv(keyring, {.batch_tokens = 100,
                          .stop = &stop,
                          .progress = [&stop](bool writing, uint64_t tokens) {
                            if (writing && tokens >= 1000) stop = true;
                          }});
  EXPECT_THAT(stopped.status, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(stopped.issued, 1000);
  EXPECT_EQ(CountOf(kAll), 1000);
  const ImportReport rest = ImportCsv(keyring);
  EXPECT_EQ(rest.issued, 2719);
  EXPECT_EQ(rest.unchanged, 1000);
}

TEST_F(ImportTest, ExportsComeBackByteForByte) {
  ASSERT_THAT(ImportCsv(ReadFile(DataFile("keyring.csv"))).status, IsOk());
  ASSERT_THAT(Import(FileFormat::kGraphQl,
                     ReadFile(DataFile("buildkite_graphql_page.json")))
                  .status,
              IsOk());
  Token token;
  token.digest = DigestOf("secret");
  token.scopes = {"a, b", "\"", "\\", "line\nbreak", "read_builds", "+*:"};
  token.description = "\r\n\"";
  token.organization = "o";
  token.kind = "access";
  token.name = "n";
  token.not_before = Now();
  token.revoked_at = Now() + absl::Milliseconds(1);
  token.revoked_reason = "r";
  token.enabled = false;
  token.family_id = *TokenId::Parse(kUuid);
  token.parent_id = token.family_id;
  token.created_by = "c";
  token.allowed_cidrs = {"192.0.2.0/24", "2001:db8::/32"};
  token.pepper_version = 4;
  token.metadata = std::string("\0\xFF", 2);
  const TokenId id = Issue(token);
  const Token stored = Get(id.ToString());
  const std::string csv = Export(FileFormat::kCsv, true);
  const std::string lines = Export(FileFormat::kJsonLines, true);
  const std::string graphql = Export(FileFormat::kGraphQl);

  for (const auto& [format, text] :
       {std::pair(FileFormat::kCsv, csv),
        std::pair(FileFormat::kJsonLines, lines)}) {
    ASSERT_THAT(db().DeleteAll({.lifetime = Lifetime::kExpiring,
                                .states = StateSet::All()}),
                IsOk());
    ASSERT_THAT(db().DeleteAll({.lifetime = Lifetime::kNeverExpiring,
                                .states = StateSet::All()}),
                IsOk());
    EXPECT_EQ(Import(format, text).issued, 3745);
    EXPECT_EQ(Export(format, true), text);
    EXPECT_EQ(Get(id.ToString()), stored);
  }
  EXPECT_EQ(Import(FileFormat::kGraphQl, graphql).unchanged, 3745);
  EXPECT_EQ(Export(FileFormat::kGraphQl), graphql);
}

TEST_F(ImportTest, ExportsHoldNoDigestUnlessAsked) {
  Token token;
  token.digest = DigestOf("secret");
  Issue(token);
  const std::string hex = token.digest->ToString();
  for (const FileFormat format :
       {FileFormat::kCsv, FileFormat::kJsonLines, FileFormat::kGraphQl}) {
    EXPECT_THAT(Export(format), ::testing::Not(HasSubstr(hex)));
  }
  EXPECT_THAT(Export(FileFormat::kCsv, true), HasSubstr(hex));
  std::ostringstream out;
  EXPECT_THAT(
      ExportTokens(db(), kAll,
                   {.format = FileFormat::kGraphQl, .with_digests = true}, out),
      StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ImportTest, OnlyCsvCarriesWhatIsNotUtf8) {
  Token token;
  token.description = "\xFF";
  Issue(token);
  std::ostringstream out;
  EXPECT_THAT(ExportTokens(db(), kAll, {.format = FileFormat::kJsonLines}, out),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("\"Token Description\"")));
  EXPECT_EQ(ImportCsv(Export(FileFormat::kCsv)).unchanged, 1);
}

TEST_F(ImportTest, AnExportedFileIsCompleteOrNotThere) {
  TempDir dir;
  Issue({});
  EXPECT_THAT(ExportToFile(db(), kAll, {}, dir / "out.csv"), IsOkAndHolds(1u));
  EXPECT_EQ(ReadFile(dir / "out.csv"), Export(FileFormat::kCsv));
  EXPECT_THAT(ExportToFile(db(), {.owners = {""}}, {}, dir / "bad.csv"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ExportToFile(db(), kAll, {}, dir / "no/such/out.csv"),
              StatusIs(absl::StatusCode::kNotFound));
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    EXPECT_EQ(entry.path().filename(), "out.csv");
    EXPECT_EQ(entry.status().permissions(),
              std::filesystem::perms::owner_read |
                  std::filesystem::perms::owner_write);
    ++files;
  }
  EXPECT_EQ(files, 1);
}

TEST_F(ImportTest, FilesAreReadThroughDescriptors) {
  const auto input = OpenInput(DataFile("keyring.csv"));
  ASSERT_THAT(input, IsOk());
  std::istream in(input->get());
  EXPECT_EQ(ImportTokens(db(), FileFormat::kCsv, in).issued, 3719);
  EXPECT_THAT(OpenInput("/no/such/file"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(OpenInput("/"), ::testing::Not(IsOk()));
}

}  // namespace
}  // namespace tokendb::testing
