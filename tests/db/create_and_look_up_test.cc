// Issuing and looking up: section A of the scenarios.
#include <thread>

#include "tests/support/database_test.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

class CreateAndLookUpTest : public DatabaseTest {};

Token FullToken(absl::Time now) {
  return {.node_id = "T3JnYW5pemF0aW9u",
          .digest = *Digest::OfSecret("full"),
          .owner = Owner{"user:1", "Ada", "ada@example.com"},
          .description = "été\nCI",
          .scopes = {"read_builds", "write_builds"},
          .created_at = now - absl::Hours(1),
          .expires_at = now + absl::Hours(1),
          .last_accessed_at = now - absl::Minutes(1),
          .ip_address = "2001:db8::1",
          .organization = "acme",
          .kind = "access",
          .name = "deploy",
          .not_before = now - absl::Minutes(30),
          .revoked_at = now + absl::Minutes(30),
          .revoked_reason = "planned",
          .enabled = true,
          .family_id =
              TokenId::Parse("0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6").value(),
          .parent_id =
              TokenId::Parse("0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f7").value(),
          .created_by = "admin",
          .allowed_cidrs = {"192.0.2.0/24", "2001:db8::/32"},
          .pepper_version = 3,
          .metadata = std::string("\0\xFF", 2)};
}

// Scenario 1.
TEST_F(CreateAndLookUpTest, EveryFieldComesBackUntilTheTokenIsDeleted) {
  Token token = FullToken(Now());
  EXPECT_THAT(db().GetByDigest(*token.digest),
              StatusIs(absl::StatusCode::kNotFound));
  token.id = Issue(token);
  token.version = 1;
  EXPECT_THAT(db().Get(token.id), IsOkAndHolds(token));
  EXPECT_THAT(db().GetByUuid(token.id.ToString()), IsOkAndHolds(token));
  EXPECT_THAT(db().GetByDigest(*token.digest), IsOkAndHolds(token));
  Reopen();
  EXPECT_THAT(db().Get(token.id), IsOkAndHolds(token));
  ASSERT_THAT(db().Delete(token.id), IsOk());
  EXPECT_THAT(db().Get(token.id), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(db().GetByDigest(*token.digest),
              StatusIs(absl::StatusCode::kNotFound));
}

// Scenario 2.
TEST_F(CreateAndLookUpTest, AnUnknownDigestIsAnAnswerAndNoError) {
  Issue({.digest = DigestOf("known")});
  const auto answer = db().Introspect(DigestOf("unknown"));
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->state, TokenState::kUnknown);
  EXPECT_TRUE(answer->id.IsNil());
}

// Scenario 4.
TEST_F(CreateAndLookUpTest, ASecondTokenOfOneDigestIsRefused) {
  const TokenId first = Issue({.digest = DigestOf("s")});
  EXPECT_THAT(
      db().Issue({.digest = DigestOf("s")}),
      StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr(first.ToString())));
  const TokenId second = Issue({.digest = DigestOf("t")});
  TokenPatch patch;
  patch.digest = DigestOf("s");
  EXPECT_THAT(db().Update(second, patch),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

// Scenario 6: a second secret is a second token, issued in the same batch.
TEST_F(CreateAndLookUpTest, ABatchWithOneTakenDigestIssuesNothing) {
  Issue({.digest = DigestOf("refresh")});
  EXPECT_THAT(db().IssueBatch(
                  {{.digest = DigestOf("access"), .owner = OwnedBy("ada")},
                   {.digest = DigestOf("refresh"), .owner = OwnedBy("ada")}}),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(db().GetByDigest(DigestOf("access")),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(CountOf({.owners = {"ada"}}), 0);
}

// Scenario 7.
TEST_F(CreateAndLookUpTest, OneOfManyThreadsGetsTheDigest) {
  for (int round = 0; round < 20; ++round) {
    const Digest digest = DigestOf("round " + std::to_string(round));
    std::vector<absl::StatusOr<TokenId>> results(8,
                                                 absl::UnknownError("not run"));
    std::vector<std::thread> threads;
    for (auto& result : results) {
      threads.emplace_back(
          [&] { result = db().Issue({.digest = digest}, kFast); });
    }
    for (std::thread& thread : threads) thread.join();
    std::vector<TokenId> winners;
    for (const auto& result : results) {
      if (result.ok()) {
        winners.push_back(*result);
      } else {
        EXPECT_THAT(result, StatusIs(absl::StatusCode::kAlreadyExists));
      }
    }
    ASSERT_EQ(winners.size(), 1);
    EXPECT_EQ(db().GetByDigest(digest)->id, winners.front());
  }
}

// Scenario 8: the kind is part of the digest.
TEST_F(CreateAndLookUpTest, OneSecretOfTwoKindsIsTwoTokens) {
  const Digest access = *Digest::OfSecret("s", "access");
  const Digest refresh = *Digest::OfSecret("s", "refresh");
  const TokenId first = Issue({.digest = access, .kind = "access"});
  const TokenId second = Issue({.digest = refresh, .kind = "refresh"});
  EXPECT_EQ(db().GetByDigest(access)->id, first);
  EXPECT_EQ(db().GetByDigest(refresh)->id, second);
}

// Scenario 9: Update() by id is the way to store over an existing token.
TEST_F(CreateAndLookUpTest, StoringOverATokenLeavesOneRecord) {
  const TokenId id = Issue({.description = "before"});
  EXPECT_THAT(db().Issue({.id = id, .description = "after"}),
              StatusIs(absl::StatusCode::kAlreadyExists));
  TokenPatch patch;
  patch.description = "after";
  ASSERT_THAT(db().Update(id, patch), IsOk());
  EXPECT_EQ(db().Get(id)->description, "after");
  EXPECT_EQ(CountOf({.states = StateSet::All()}), 1);
}

// Scenario 11.
TEST_F(CreateAndLookUpTest, ATokenWithoutOwnerIsFoundUnderNoOwner) {
  const TokenId id = Issue({.digest = DigestOf("s")});
  EXPECT_EQ(db().GetByDigest(DigestOf("s"))->id, id);
  EXPECT_EQ(db().Introspect(DigestOf("s"))->owner_id, std::nullopt);
  EXPECT_THAT(Ids({.owners = {"null"}}), IsEmpty());
  EXPECT_THAT(Ids({.without_owner = true}), ElementsAre(id));
  EXPECT_THAT(db().List({.owners = {""}}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(
      db().Issue({.owner = OwnedBy("")}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("owner.id")));
}

// Scenario 13.
TEST_F(CreateAndLookUpTest, ManyTokensShareAFamily) {
  const TokenId family =
      *TokenId::Parse("0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6");
  for (int i = 0; i < 4; ++i) Issue({.family_id = family});
  EXPECT_EQ(CountOf({}), 4);
}

// Scenario 14.
TEST_F(CreateAndLookUpTest, ATokenOfAnotherKindIsNotFound) {
  Issue({.digest = DigestOf("s"), .kind = "refresh"});
  EXPECT_THAT(db().GetByDigest(DigestOf("s"), "access"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(db().GetByDigest(DigestOf("s"), "refresh"), IsOk());
}

// Scenario 15.
TEST_F(CreateAndLookUpTest, AnEmptyIdOrSecretIsInvalidAndMatchesNothing) {
  Issue({});
  const auto invalid = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(db().Get(TokenId()), invalid);
  EXPECT_THAT(db().GetByUuid(""), invalid);
  EXPECT_THAT(db().GetMany({TokenId()}), invalid);
  EXPECT_THAT(db().Revoke(TokenId()), invalid);
  EXPECT_THAT(db().Delete(TokenId()), invalid);
  EXPECT_THAT(db().Update(TokenId(), {}), invalid);
  EXPECT_THAT(db().List({.ids = {TokenId()}}), invalid);
  EXPECT_THAT(Digest::OfSecret(""), invalid);
  EXPECT_THAT(Digest::Parse(""), invalid);
  EXPECT_EQ(CountOf({}), 1);
}

// Scenario 16.
TEST_F(CreateAndLookUpTest, ThePublicIdFindsTheTokenInItsOrganizationOnly) {
  const TokenId id = Issue({.organization = "acme"});
  EXPECT_EQ(db().GetByUuid(id.ToString())->id, id);
  EXPECT_THAT(Ids({.ids = {id}, .organization = "acme"}), ElementsAre(id));
  EXPECT_THAT(Ids({.ids = {id}, .organization = "other"}), IsEmpty());
}

// Scenario 18.
TEST_F(CreateAndLookUpTest, LargeTokensAreKeptWholeOrRefusedByTheLimitsName) {
  Token token{.metadata = std::string(1000 * 1000, 'm')};
  for (size_t i = 0; i < Limits::kScopes; ++i) {
    token.scopes.push_back("scope " + std::to_string(i));
  }
  const TokenId id = Issue(token);
  EXPECT_EQ(db().Get(id)->metadata, token.metadata);
  EXPECT_EQ(db().Get(id)->scopes.size(), Limits::kScopes);
  EXPECT_THAT(Ids({.scopes = {.all_of = {"scope 999"}}}), ElementsAre(id));
  token.scopes.push_back("one more");
  EXPECT_THAT(db().Issue(token), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("kScopes")));
  EXPECT_THAT(
      db().Issue({.metadata = std::string(1 << 20, 'm')}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("kRecordBytes")));
  EXPECT_EQ(CountOf({}), 1);
}

// Scenario 20.
TEST_F(CreateAndLookUpTest, TimesAreInstantsToTheMillisecond) {
  absl::Time time;
  std::string error;
  ASSERT_TRUE(absl::ParseTime(absl::RFC3339_full,
                              "2027-03-04T05:06:07.891+05:30", &time, &error))
      << error;
  const TokenId id = Issue({.expires_at = time});
  EXPECT_EQ(db().Get(id)->expires_at, time);
  EXPECT_EQ(absl::ToUnixMillis(*db().Get(id)->expires_at), 1804116967891);
}

TEST_F(CreateAndLookUpTest, NewIdsAreInTheOrderOfCreation) {
  std::vector<TokenId> ids;
  for (int i = 0; i < 10; ++i) {
    clock().Advance(absl::Milliseconds(1));
    ids.push_back(Issue({}));
  }
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
}

TEST_F(CreateAndLookUpTest, GetManyKeepsTheOrderAndLeavesGaps) {
  const TokenId a = Issue({.description = "a"});
  const TokenId b = Issue({.description = "b"});
  const TokenId none = *TokenId::Parse("0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6");
  const auto tokens = db().GetMany({b, none, a, b});
  ASSERT_THAT(tokens, IsOk());
  ASSERT_EQ(tokens->size(), 4);
  EXPECT_EQ((*tokens)[0]->description, "b");
  EXPECT_EQ((*tokens)[1], std::nullopt);
  EXPECT_EQ((*tokens)[2]->description, "a");
  EXPECT_EQ((*tokens)[3]->description, "b");
}

TEST_F(CreateAndLookUpTest, ABatchNamesTheTokenThatIsWrong) {
  EXPECT_THAT(db().IssueBatch({{}, {.scopes = {""}}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("token 1 of the batch")));
  const TokenId id = *TokenId::Parse("0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6");
  EXPECT_THAT(db().IssueBatch({{.id = id}, {.id = id}}),
              StatusIs(absl::StatusCode::kAlreadyExists,
                       HasSubstr("token 1 of the batch")));
  EXPECT_THAT(
      db().IssueBatch({{.digest = DigestOf("s")}, {.digest = DigestOf("s")}}),
      StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(CountOf({}), 0);
}

TEST_F(CreateAndLookUpTest, AnExpiredTokensDigestPassesToTheNewOne) {
  for (const bool compacted : {false, true}) {
    const Digest digest = DigestOf(compacted ? "compacted" : "not compacted");
    const TokenId old =
        Issue({.digest = digest, .expires_at = Now() + absl::Seconds(1)});
    clock().Advance(absl::Seconds(1));
    if (compacted) {
      ASSERT_THAT(db().Compact(), IsOk());
    }
    const TokenId successor = Issue({.digest = digest});
    EXPECT_EQ(db().GetByDigest(digest)->id, successor);
    EXPECT_EQ(db().Get(old)->digest, std::nullopt);
    TokenPatch revive;
    revive.expires_at = kClear;
    ASSERT_THAT(db().Update(old, revive), IsOk());
    EXPECT_EQ(db().GetByDigest(digest)->id, successor);
    revive.digest = digest;
    EXPECT_THAT(db().Update(old, revive),
                StatusIs(absl::StatusCode::kAlreadyExists));
    ASSERT_THAT(db().Delete(old), IsOk());
    EXPECT_EQ(db().GetByDigest(digest)->id, successor);
  }
}

}  // namespace
}  // namespace tokendb::testing
