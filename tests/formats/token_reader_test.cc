#include "src/formats/token_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/formats/time_text.h"
#include "tests/formats/read_tokens.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kUuid[] = "2217bead-dbc4-46cb-8e81-973e0becd7b0";

TEST(TokenReaderTest, ReadsTheKeyringAsItIs) {
  const CollectingSink file =
      ReadAll(FileFormat::kCsv, ReadFile(DataFile("keyring.csv")));
  EXPECT_THAT(file.errors, IsEmpty());
  ASSERT_EQ(file.tokens.size(), 3719);
  const ImportedToken& first = file.tokens.front();
  EXPECT_EQ(first.id.ToString(), "08dc6bd4-f6b0-5a20-b06e-c055e5932b0e");
  EXPECT_EQ(first.owner_id.value(), "key:EC371482956781AF");
  EXPECT_EQ(first.created_at, *ParseTime("2001-07-24T09:30:04Z"));
  EXPECT_EQ(first.fields.expires_at.value(),
            *ParseTime("2010-12-31T23:00:08Z"));
  EXPECT_THAT(*first.fields.scopes.value(),
              ElementsAre("elgamal:4096", "encrypt", "ring:debian-keyring"));
  EXPECT_TRUE(first.fields.organization.IsKeep());
  EXPECT_EQ(std::count_if(file.tokens.begin(), file.tokens.end(),
                          [](const ImportedToken& token) {
                            return token.revoked_at_unknown_time;
                          }),
            220);
}

TEST(TokenReaderTest, ReadsTheAuditExportAsItIs) {
  const CollectingSink file = ReadAll(
      FileFormat::kCsv, ReadFile(DataFile("buildkite_audit_export.csv")));
  EXPECT_THAT(file.errors, IsEmpty());
  ASSERT_EQ(file.tokens.size(), 60);
  const ImportedToken& second = file.tokens[1];
  EXPECT_EQ(second.fields.description.value(), "local\nscripts");
  EXPECT_EQ(second.owner_name.value(), "Person H");
  EXPECT_EQ(second.fields.ip_address.value(), "2001:db8::1e3a");
  EXPECT_EQ(second.position.line, 3);
  EXPECT_TRUE(second.fields.expires_at.IsKeep());
  EXPECT_TRUE(file.tokens[3].fields.last_accessed_at.IsClear());
}

TEST(TokenReaderTest, ReadsTheGraphQlPageAsItIs) {
  const CollectingSink file = ReadAll(
      FileFormat::kGraphQl, ReadFile(DataFile("buildkite_graphql_page.json")));
  EXPECT_THAT(file.errors, IsEmpty());
  EXPECT_TRUE(file.more_pages);
  ASSERT_EQ(file.tokens.size(), 25);
  const ImportedToken& first = file.tokens.front();
  EXPECT_EQ(first.id.ToString(), kUuid);
  EXPECT_EQ(first.fields.node_id.value(), "T3JnYW5pemF0aW9uLS0t0000");
  EXPECT_THAT(*first.fields.scopes.value(),
              ElementsAre("read_artifacts", "read_builds", "read_teams",
                          "write_agents", "write_pipelines"));
  EXPECT_TRUE(file.tokens[1].fields.expires_at.IsClear());
  EXPECT_EQ(first.position, (Position{.line = 8, .column = 15}));
}

TEST(TokenReaderTest, GraphQlIsReadFromAnyLevelAndWithNodes) {
  const std::string node = absl::StrCat(R"({"uuid":")", kUuid, R"("})");
  for (const std::string& text :
       {absl::StrCat(R"({"organization":{"name":"x","apiAccessTokens":)"
                     R"({"nodes":[)",
                     node, "]}}}"),
        absl::StrCat(R"({"nodes":[)", node, ",null]}"),
        absl::StrCat(R"({"edges":[{"cursor":"c","__typename":"E","node":)",
                     node, R"(}],"errors":[],"other":{"nodes":[1]}})")}) {
    const CollectingSink file = ReadAll(FileFormat::kGraphQl, text);
    EXPECT_THAT(file.errors, IsEmpty()) << text;
    EXPECT_EQ(file.tokens.size(), 1) << text;
  }
}

TEST(TokenReaderTest, GraphQlTakesTheUuidFromTheNodeId) {
  // base64 of "APIAccessToken---" and the UUID.
  const CollectingSink file = ReadAll(
      FileFormat::kGraphQl,
      R"({"nodes":[{"id":"QVBJQWNjZXNzVG9rZW4tLS0yMjE3YmVhZC1kYmM0LTQ2Y2ItOGU4)"
      R"(MS05NzNlMGJlY2Q3YjA="}]})");
  ASSERT_EQ(file.tokens.size(), 1);
  EXPECT_EQ(file.tokens[0].id.ToString(), kUuid);
}

TEST(TokenReaderTest, GraphQlThatCannotBeUnderstoodIsRefused) {
  const auto errors = [](const std::string& text) {
    const CollectingSink file = ReadAll(FileFormat::kGraphQl, text);
    EXPECT_TRUE(file.fatal) << text;
    return file.errors;
  };
  EXPECT_THAT(errors(R"({"errors":[{"message":"no"}]})"),
              ElementsAre("1:12: the response reports errors"));
  EXPECT_THAT(errors(R"({"data":{"organization":null}})"),
              ElementsAre(HasSubstr("no apiAccessTokens")));
  EXPECT_THAT(errors("{\"nodes\":[\n  nope]}"),
              ElementsAre(HasSubstr("2:3: no JSON at")));
  EXPECT_THAT(errors(""), ElementsAre(HasSubstr("the JSON ends too early")));
  EXPECT_THAT(errors(R"({"edges":[{"nod":{}}]})"),
              ElementsAre("1:12: \"nod\" is no key of an edge"));
}

TEST(TokenReaderTest, BadTokensOfGraphQlAreNamedWhereTheyStand) {
  const CollectingSink file = ReadAll(FileFormat::kGraphQl,
                                      R"({"nodes":[
 {"uuid":"x"},
 {"description":"none"},
 {"digest":"00"},
 {"uuid":"2217bead-dbc4-46cb-8e81-973e0becd7b0","scopes":[1]}]})");
  EXPECT_THAT(file.errors,
              ElementsAre("2:10: \"uuid\" is wrong: \"x\" is not a UUID",
                          "3:2: the token has no \"uuid\"",
                          "4:3: \"digest\" is no key of a token",
                          "5:59: \"scopes\" must be an array of texts"));
  EXPECT_FALSE(file.fatal);
}

TEST(TokenReaderTest, JsonLinesReadEveryField) {
  const CollectingSink file = ReadAll(FileFormat::kJsonLines,
                                      R"(
{"uuid":"2217bead-dbc4-46cb-8e81-973e0becd7b0","enabled":false,"version":7,"pepperVersion":3,"metadata":"AAEC","scopes":["READ_BUILDS","x"],"owner":{"id":"u","__typename":"User"},"expiresAt":null}
)");
  EXPECT_THAT(file.errors, IsEmpty());
  ASSERT_EQ(file.tokens.size(), 1);
  const TokenPatch& fields = file.tokens[0].fields;
  EXPECT_EQ(fields.enabled.value(), false);
  EXPECT_EQ(fields.pepper_version.value(), 3u);
  EXPECT_EQ(fields.metadata.value(), std::string("\0\1\2", 3));
  EXPECT_THAT(*fields.scopes.value(), ElementsAre("read_builds", "x"));
  EXPECT_TRUE(fields.expires_at.IsClear());
  EXPECT_EQ(file.tokens[0].owner_id.value(), "u");
  EXPECT_TRUE(file.tokens[0].owner_name.IsKeep());
}

TEST(TokenReaderTest, JsonLinesNameLineAndColumn) {
  const CollectingSink file = ReadAll(FileFormat::kJsonLines,
                                      "{\"descripton\":1}\n"
                                      "[]\n"
                                      "{\"name\": 5}\n"
                                      "{\"name\":\"a\",\"name\":\"b\"}\n"
                                      "{\"expiresAt\":\"\"}\n"
                                      "{\"pepperVersion\":-1 }\n"
                                      "{\"name\":\"a\"} x\n"
                                      "{\"owner\":{\"login\":\"a\"}}\n");
  EXPECT_THAT(file.errors,
              ElementsAre("1:2: \"descripton\" is no key of a token",
                          "2:1: a token must be an object",
                          "3:10: \"name\" must be a text",
                          "4:13: \"name\" is there twice",
                          "5:14: \"expiresAt\" is empty",
                          HasSubstr("6:18: \"pepperVersion\" is wrong"),
                          HasSubstr("7:14: no JSON at"),
                          "8:11: \"login\" is no key of an owner"));
}

TEST(TokenReaderTest, HostileJsonIsRefusedInBoundedMemory) {
  const CollectingSink deep =
      ReadAll(FileFormat::kJsonLines, "{\"name\":" + std::string(1000000, '['));
  ASSERT_EQ(deep.errors.size(), 1);
  const CollectingSink invalid =
      ReadAll(FileFormat::kJsonLines, "{\"name\":\"\xFF\"}");
  EXPECT_THAT(invalid.errors, ElementsAre(HasSubstr("no JSON at")));
}

TEST(TokenReaderTest, HeadersMustBeKnown) {
  const auto errors = [](const std::string& text) {
    const CollectingSink file = ReadAll(FileFormat::kCsv, text);
    EXPECT_TRUE(file.fatal);
    EXPECT_THAT(file.tokens, IsEmpty());
    return file.errors;
  };
  EXPECT_THAT(errors("Owner ID,Expires\na,\n"),
              ElementsAre("1:10: unknown column \"Expires\""));
  EXPECT_THAT(errors("Owner ID,owner id\n"),
              ElementsAre("1:10: the column \"owner id\" is there twice"));
  EXPECT_THAT(errors(""), ElementsAre("1:1: the file is empty"));
  EXPECT_THAT(errors("Owner ID\"\n"), ElementsAre(HasSubstr("1:9: a quote")));
}

TEST(TokenReaderTest, BadCellsAreNamedWhereTheyStand) {
  const CollectingSink file =
      ReadAll(FileFormat::kCsv,
              "Token Description,Expires At,State,Enabled,Scopes\n"
              "a,tomorrow,,,\n"
              "\"b\nb\",,gone,,\n"
              "c,,disabled,true,\n"
              "d,,,\n"
              "e,,,,,\n"
              "f,,,yes,\n"
              "g,,,,\"\"\"x\"\n");
  EXPECT_THAT(file.errors,
              ElementsAre(HasSubstr("2:3: Expires At: \"tomorrow\" is no time"),
                          HasSubstr("4:5: State: \"gone\" is no state"),
                          "5:1: the state is disabled, Enabled true",
                          "6:5: 4 fields, but the header has 5",
                          "7:7: 6 fields, but the header has 5",
                          "8:5: Enabled: is neither true nor false",
                          HasSubstr("9:6: Scopes: a quote is never closed")));
}

TEST(TokenReaderTest, TokensWithoutAUuidGetOneFromTheirContent) {
  const std::string header = "Owner ID,Token Description,Scopes\n";
  const CollectingSink a = ReadAll(FileFormat::kCsv, header + "u,x,s\nu,y,s\n");
  const CollectingSink b = ReadAll(FileFormat::kCsv, header + "u,x,t\n");
  ASSERT_EQ(a.tokens.size(), 2);
  ASSERT_EQ(b.tokens.size(), 1);
  EXPECT_EQ(a.tokens[0].id, b.tokens[0].id);
  EXPECT_NE(a.tokens[0].id, a.tokens[1].id);
  EXPECT_EQ(a.tokens[0].id.ToString()[14], '8');
}

TEST(FileFormatTest, IsToldByNameAndContent) {
  const auto detect = [](const char* name, const std::string& text) {
    std::istringstream in(text);
    return DetectFileFormat(name, in);
  };
  EXPECT_EQ(detect("a.csv", "{"), FileFormat::kCsv);
  EXPECT_EQ(detect("a.ndjson", ""), FileFormat::kJsonLines);
  EXPECT_EQ(detect("-", "Owner,Scopes\n"), FileFormat::kCsv);
  EXPECT_EQ(detect("a.json", " {\"data\":{"), FileFormat::kGraphQl);
  EXPECT_EQ(detect("a.json", "{\"organization\": {"), FileFormat::kGraphQl);
  EXPECT_EQ(detect("a.json", "{\"organization\": \"o\"}"),
            FileFormat::kJsonLines);
  EXPECT_EQ(detect("-", "{\"uuid\":1}"), FileFormat::kJsonLines);
  EXPECT_EQ(detect("-", "[]"), std::nullopt);
}

}  // namespace
}  // namespace tokendb::testing
