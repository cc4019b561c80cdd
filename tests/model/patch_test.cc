// Scenario 90: a field left out is unchanged, cleared is absent, set is
// replaced. (What indexes make of it is tested with the database.)
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tests/model/sample_token.h"
#include "tokendb/token.h"

namespace tokendb {
namespace {

using ::tokendb::testing::BareToken;
using ::tokendb::testing::DigestOf;
using ::tokendb::testing::FullToken;
using ::tokendb::testing::IdOf;

// Expects that `change` has its three states on `field`, and touches no other.
template <typename T, typename Field>
void ExpectThreeStates(Change<T> TokenPatch::*change, Field Token::*field,
                       const T& value, const Field& cleared) {
  const Token before = FullToken();
  ASSERT_FALSE(before.*field == cleared);
  ASSERT_FALSE(before.*field == Field(value));

  TokenPatch patch;
  EXPECT_TRUE((patch.*change).IsKeep());
  EXPECT_TRUE(Apply(patch, before) == before);

  patch.*change = kClear;
  EXPECT_TRUE((patch.*change).IsClear());
  Token after = before;
  after.*field = cleared;
  EXPECT_TRUE(Apply(patch, before) == after);

  patch.*change = value;
  EXPECT_FALSE((patch.*change).IsKeep() || (patch.*change).IsClear());
  after.*field = value;
  EXPECT_TRUE(Apply(patch, before) == after);
}

TEST(PatchTest, TextsHaveThreeStates) {
  using Patch = TokenPatch;
  constexpr std::pair<Change<std::string> Patch::*, std::string Token::*>
      kTexts[] = {{&Patch::node_id, &Token::node_id},
                  {&Patch::description, &Token::description},
                  {&Patch::ip_address, &Token::ip_address},
                  {&Patch::organization, &Token::organization},
                  {&Patch::kind, &Token::kind},
                  {&Patch::name, &Token::name},
                  {&Patch::revoked_reason, &Token::revoked_reason},
                  {&Patch::created_by, &Token::created_by},
                  {&Patch::metadata, &Token::metadata}};
  for (const auto& [change, field] : kTexts) {
    ExpectThreeStates<std::string, std::string>(change, field, "new", "");
  }
}

TEST(PatchTest, TimesHaveThreeStates) {
  using Time = std::optional<absl::Time>;
  using Patch = TokenPatch;
  constexpr std::pair<Change<absl::Time> Patch::*, Time Token::*> kTimes[] = {
      {&Patch::expires_at, &Token::expires_at},
      {&Patch::last_accessed_at, &Token::last_accessed_at},
      {&Patch::not_before, &Token::not_before},
      {&Patch::revoked_at, &Token::revoked_at}};
  for (const auto& [change, field] : kTimes) {
    // The epoch is a time, not an absent one.
    ExpectThreeStates<absl::Time, Time>(change, field, absl::UnixEpoch(),
                                        std::nullopt);
  }
}

TEST(PatchTest, IdsAndDigestHaveThreeStates) {
  using Id = std::optional<TokenId>;
  ExpectThreeStates<TokenId, Id>(&TokenPatch::family_id, &Token::family_id,
                                 IdOf(99), std::nullopt);
  ExpectThreeStates<TokenId, Id>(&TokenPatch::parent_id, &Token::parent_id,
                                 IdOf(99), std::nullopt);
  ExpectThreeStates<Digest, std::optional<Digest>>(
      &TokenPatch::digest, &Token::digest, DigestOf('n'), std::nullopt);
}

TEST(PatchTest, OwnerIsReplacedAsAWhole) {
  ExpectThreeStates<Owner, std::optional<Owner>>(
      &TokenPatch::owner, &Token::owner, Owner{.id = "user:43"}, std::nullopt);
}

TEST(PatchTest, ListsHaveThreeStates) {
  using Texts = std::vector<std::string>;
  ExpectThreeStates<Texts, Texts>(&TokenPatch::scopes, &Token::scopes,
                                  {"graphql"}, {});
  ExpectThreeStates<Texts, Texts>(&TokenPatch::allowed_cidrs,
                                  &Token::allowed_cidrs, {"127.0.0.1"}, {});
}

TEST(PatchTest, SettingAnEmptyListClearsIt) {
  TokenPatch patch;
  patch.scopes = std::vector<std::string>();
  EXPECT_FALSE(patch.scopes.IsKeep());
  EXPECT_TRUE(Apply(patch, FullToken()).scopes.empty());
}

TEST(PatchTest, ClearingANumberOrFlagRestoresItsDefault) {
  ExpectThreeStates<bool, bool>(&TokenPatch::enabled, &Token::enabled, true,
                                true);
  ExpectThreeStates<uint32_t, uint32_t>(&TokenPatch::pepper_version,
                                        &Token::pepper_version, 9, 0);
  TokenPatch disable;
  disable.enabled = false;
  EXPECT_FALSE(Apply(disable, BareToken()).enabled);
}

TEST(PatchTest, ManyChangesApplyTogether) {
  TokenPatch patch;
  patch.description = "CI";
  patch.expires_at = kClear;
  Token after = FullToken();
  after.description = "CI";
  after.expires_at.reset();
  EXPECT_TRUE(Apply(patch, FullToken()) == after);
}

}  // namespace
}  // namespace tokendb
