// Issue() and IssueBatch().
#include <string>
#include <vector>

#include "tests/support/database_test.h"
#include "tests/support/full_token.h"

namespace tokendb::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class IssueTest : public DatabaseTest {};

TEST_F(IssueTest, EveryFieldComesBack) {
  const Token issued = FullToken(Now());
  EXPECT_THAT(db().Issue(issued), IsOkAndHolds(issued.id));
  Token expected = issued;
  expected.version = 1;
  EXPECT_THAT(db().Get(issued.id), IsOkAndHolds(expected));
  Reopen();
  EXPECT_THAT(db().Get(issued.id), IsOkAndHolds(expected));
}

TEST_F(IssueTest, AnEmptyTokenHasItsDefaults) {
  const TokenId id = Issue({});
  EXPECT_FALSE(id.IsNil());
  EXPECT_EQ(Stored(id), (Token{.id = id, .created_at = Now(), .version = 1}));
}

TEST_F(IssueTest, NewIdsAreVersion7InTheOrderOfCreation) {
  std::vector<TokenId> ids;
  for (int i = 0; i < 20; ++i) {
    ids.push_back(Issue({}));
    clock().Advance(absl::Milliseconds(1));
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(ids[i].ToString()[14], '7');
    if (i > 0) {
      EXPECT_LT(ids[i - 1], ids[i]);
    }
  }
}

TEST_F(IssueTest, TheVersionOfTheCallerIsNotTaken) {
  EXPECT_EQ(Stored(Issue({.version = 77})).version, 1);
}

TEST_F(IssueTest, TimesAreKeptInMillisecondsAndNeverLengthenALife) {
  const absl::Duration part = absl::Microseconds(400);
  const absl::Duration hour = absl::Hours(1);
  const Token token = Stored(Issue({.created_at = Now() + part,
                                    .expires_at = Now() + hour + part,
                                    .last_accessed_at = Now() + part,
                                    .not_before = Now() + part,
                                    .revoked_at = Now() + hour + part}));
  EXPECT_EQ(token.created_at, Now());
  EXPECT_EQ(token.expires_at, Now() + hour);
  EXPECT_EQ(token.last_accessed_at, Now());
  EXPECT_EQ(token.not_before, Now() + absl::Milliseconds(1));
  EXPECT_EQ(token.revoked_at, Now() + hour);
}

TEST_F(IssueTest, AnIdThatIsTakenIsRefused) {
  const TokenId id = Issue({.description = "first"});
  EXPECT_THAT(
      db().Issue({.id = id, .description = "second"}),
      StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr(id.ToString())));
  EXPECT_EQ(Stored(id).description, "first");
}

TEST_F(IssueTest, ADigestThatIsTakenIsRefusedWhateverTheHoldersState) {
  const TokenId revoked = Issue({.digest = DigestOf("a")});
  ASSERT_THAT(db().Revoke(revoked), IsOk());
  Issue({.digest = DigestOf("b"), .enabled = false});
  Issue({.digest = DigestOf("c"), .not_before = Now() + absl::Hours(1)});
  for (const char* secret : {"a", "b", "c"}) {
    EXPECT_THAT(db().Issue({.digest = DigestOf(secret)}),
                StatusIs(absl::StatusCode::kAlreadyExists));
  }
  EXPECT_EQ(CountOf({.states = StateSet::All()}), 3);
}

TEST_F(IssueTest, TheDigestOfAnExpiredTokenPassesToTheNewOne) {
  const TokenId old =
      Issue({.digest = DigestOf("s"), .expires_at = Now() + absl::Hours(1)});
  clock().Advance(absl::Hours(1) - absl::Milliseconds(1));
  EXPECT_THAT(db().Issue({.digest = DigestOf("s")}),
              StatusIs(absl::StatusCode::kAlreadyExists));
  clock().Advance(absl::Milliseconds(1));
  const TokenId heir = Issue({.digest = DigestOf("s")});
  EXPECT_THAT(db().GetByDigest(DigestOf("s")), IsOkAndHolds(HasId(heir)));
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kLive);
  EXPECT_FALSE(Stored(old).digest.has_value());
  EXPECT_EQ(Stored(old).version, 2);
  // The old one's end does not take the row of the new one with it.
  ASSERT_THAT(db().Delete(old), IsOk());
  EXPECT_THAT(db().GetByDigest(DigestOf("s")), IsOkAndHolds(HasId(heir)));
}

TEST_F(IssueTest, ADigestPassesOnAlsoAfterFlushAndCompaction) {
  TokenId holder;
  for (int i = 0; i < 3; ++i) {
    holder =
        Issue({.digest = DigestOf("s"), .expires_at = Now() + absl::Hours(1)});
    ASSERT_THAT(db().Flush(), IsOk());
    ASSERT_THAT(db().Compact(), IsOk());
    EXPECT_THAT(db().GetByDigest(DigestOf("s")), IsOkAndHolds(HasId(holder)));
    clock().Advance(absl::Hours(2));
  }
  EXPECT_EQ(StateBy(DigestOf("s")), TokenState::kExpired);
}

TEST_F(IssueTest, LimitsAreNamedAndNothingIsCutOff) {
  struct Case {
    Token token;
    const char* message;
  };
  std::vector<std::string> too_many;
  for (size_t i = 0; i <= Limits::kScopes; ++i) {
    too_many.push_back(std::to_string(i));
  }
  const Case cases[] = {
      {{.owner = OwnedBy("")}, "owner.id is empty"},
      {{.owner = OwnedBy(std::string(4097, 'o'))}, "kOwnerIdBytes"},
      {{.description = std::string(65537, 'd')}, "kDescriptionBytes"},
      {{.scopes = {"read", ""}}, "scope is empty"},
      {{.scopes = {std::string(256, 's')}}, "kScopeBytes"},
      {{.scopes = too_many}, "kScopes"},
      {{.kind = std::string(256, 'k')}, "kKindBytes"},
      {{.allowed_cidrs = {"10.0.0.0/33"}}, "not a network"},
      {{.metadata = std::string(size_t{1} << 20, 'm')}, "kRecordBytes"},
      {{.expires_at = absl::InfiniteFuture()}, "expires_at"},
      {{.created_at = absl::InfiniteFuture()}, "created_at"},
      {{.family_id = TokenId()}, "family_id"},
  };
  for (const Case& each : cases) {
    EXPECT_THAT(
        db().Issue(each.token),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(each.message)));
  }
  EXPECT_EQ(CountOf({.states = StateSet::All()}), 0);
}

TEST_F(IssueTest, ABatchReturnsItsIdsInOrder) {
  const TokenId chosen = FullToken(Now()).id;
  const auto ids = db().IssueBatch(
      {{.description = "0"}, {.id = chosen}, {.description = "2"}});
  ASSERT_THAT(ids, IsOkAndHolds(SizeIs(3)));
  EXPECT_EQ(Stored((*ids)[0]).description, "0");
  EXPECT_EQ((*ids)[1], chosen);
  EXPECT_EQ(Stored((*ids)[2]).description, "2");
}

TEST_F(IssueTest, AnEmptyBatchIsNothing) {
  EXPECT_THAT(db().IssueBatch({}), IsOkAndHolds(IsEmpty()));
}

TEST_F(IssueTest, ABadTokenKeepsItsWholeBatchOutAndIsNamed) {
  const TokenId taken = Issue({.digest = DigestOf("taken")});
  const TokenId id = FullToken(Now()).id;
  const auto refused = [](absl::StatusCode code) {
    return StatusIs(code, HasSubstr("token 1 of the batch"));
  };
  EXPECT_THAT(db().IssueBatch({{}, {.scopes = {""}}}),
              refused(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(db().IssueBatch({{}, {.id = taken}}),
              refused(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(db().IssueBatch({{.id = id}, {.id = id}}),
              refused(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(
      db().IssueBatch({{.digest = DigestOf("x")}, {.digest = DigestOf("x")}}),
      refused(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(Ids({.states = StateSet::All()}), ElementsAre(taken));
  EXPECT_EQ(StateBy(DigestOf("x")), TokenState::kUnknown);
}

// "Errors as Issue(), naming the token's position."
TEST_F(IssueTest, ABatchNamesTheTokenWhoseDigestIsTaken) {
  Issue({.digest = DigestOf("taken")});
  EXPECT_THAT(db().IssueBatch({{}, {.digest = DigestOf("taken")}, {}}),
              StatusIs(absl::StatusCode::kAlreadyExists,
                       HasSubstr("token 1 of the batch")));
  EXPECT_EQ(CountOf({.states = StateSet::All()}), 1);
}

TEST_F(IssueTest, ABatchMayInheritDigestsOfExpiredTokens) {
  const absl::Time end = Now() + absl::Hours(1);
  const TokenId a = Issue({.digest = DigestOf("a"), .expires_at = end});
  const TokenId b = Issue({.digest = DigestOf("b"), .expires_at = end});
  clock().Set(end);
  const auto ids =
      db().IssueBatch({{.digest = DigestOf("b")}, {.digest = DigestOf("a")}});
  ASSERT_THAT(ids, IsOk());
  EXPECT_THAT(db().GetByDigest(DigestOf("b")), IsOkAndHolds(HasId((*ids)[0])));
  EXPECT_THAT(db().GetByDigest(DigestOf("a")), IsOkAndHolds(HasId((*ids)[1])));
  EXPECT_FALSE(Stored(a).digest || Stored(b).digest);
}

TEST_F(IssueTest, ALargeBatchIsOneChange) {
  std::vector<Token> tokens(3000, Token{.owner = OwnedBy("ada")});
  tokens.back().scopes = {""};
  EXPECT_THAT(db().IssueBatch(tokens),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("token 2999 of the batch")));
  EXPECT_EQ(CountOf({.owners = {"ada"}}), 0);
  tokens.back().scopes = {"read"};
  EXPECT_THAT(db().IssueBatch(tokens, kFast), IsOkAndHolds(SizeIs(3000)));
  EXPECT_EQ(CountOf({.owners = {"ada"}}), 3000);
}

}  // namespace
}  // namespace tokendb::testing
