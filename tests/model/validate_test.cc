#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "src/model/millis.h"
#include "tests/model/sample_token.h"
#include "tests/support/status_matchers.h"
#include "tokendb/token.h"

namespace tokendb {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::tokendb::testing::BareToken;
using ::tokendb::testing::FullToken;
using ::tokendb::testing::IsOk;
using ::tokendb::testing::StatusIs;

MATCHER_P(IsRefusedNaming, text, "") {
  return ::testing::ExplainMatchResult(
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(text)), arg,
      result_listener);
}

std::vector<std::string> DistinctScopes(size_t count) {
  std::vector<std::string> scopes;
  for (size_t i = 0; i < count; ++i) scopes.push_back(absl::StrCat("s", i));
  return scopes;
}

TEST(ValidateTest, AcceptsAFullAndABareToken) {
  EXPECT_THAT(Validate(FullToken()), IsOk());
  EXPECT_THAT(Validate(BareToken()), IsOk());
  EXPECT_THAT(Validate(Token{}), IsOk());
}

struct TextLimit {
  const char* field;
  const char* limit;
  size_t maximum;
  std::function<void(Token&, std::string)> set;
};

const TextLimit kTextLimits[] = {
    {"node_id", "kNodeIdBytes", Limits::kNodeIdBytes,
     [](Token& t, std::string s) { t.node_id = s; }},
    {"owner.id", "kOwnerIdBytes", Limits::kOwnerIdBytes,
     [](Token& t, std::string s) { t.owner = Owner{.id = s}; }},
    {"owner.name", "kOwnerNameBytes", Limits::kOwnerNameBytes,
     [](Token& t, std::string s) { t.owner = Owner{.id = "a", .name = s}; }},
    {"owner.email", "kOwnerEmailBytes", Limits::kOwnerEmailBytes,
     [](Token& t, std::string s) { t.owner = Owner{.id = "a", .email = s}; }},
    {"description", "kDescriptionBytes", Limits::kDescriptionBytes,
     [](Token& t, std::string s) { t.description = s; }},
    {"scope", "kScopeBytes", Limits::kScopeBytes,
     [](Token& t, std::string s) {
       t.scopes = {"a", s};
     }},
    {"ip_address", "kIpAddressBytes", Limits::kIpAddressBytes,
     [](Token& t, std::string s) { t.ip_address = s; }},
    {"organization", "kOrganizationBytes", Limits::kOrganizationBytes,
     [](Token& t, std::string s) { t.organization = s; }},
    {"kind", "kKindBytes", Limits::kKindBytes,
     [](Token& t, std::string s) { t.kind = s; }},
    {"name", "kNameBytes", Limits::kNameBytes,
     [](Token& t, std::string s) { t.name = s; }},
    {"revoked_reason", "kRevokedReasonBytes", Limits::kRevokedReasonBytes,
     [](Token& t, std::string s) { t.revoked_reason = s; }},
    {"created_by", "kCreatedByBytes", Limits::kCreatedByBytes,
     [](Token& t, std::string s) { t.created_by = s; }},
    {"metadata", "kRecordBytes", Limits::kRecordBytes,
     [](Token& t, std::string s) { t.metadata = s; }},
};

// Scenario 18.
TEST(ValidateTest, TextsUpToTheirLimitAreAcceptedAndLongerOnesRefusedByName) {
  for (const TextLimit& limit : kTextLimits) {
    Token token = BareToken();
    limit.set(token, std::string(limit.maximum, '\0'));
    EXPECT_THAT(Validate(token), IsOk()) << limit.field;
    limit.set(token, std::string(limit.maximum + 1, '\xFF'));
    EXPECT_THAT(Validate(token),
                AllOf(IsRefusedNaming(limit.field),
                      IsRefusedNaming(absl::StrCat("Limits::", limit.limit)),
                      IsRefusedNaming(absl::StrCat(limit.maximum)),
                      IsRefusedNaming(absl::StrCat(limit.maximum + 1))));
  }
}

// Scenario 18.
TEST(ValidateTest, TooManyScopesAreRefusedByTheLimitsName) {
  Token token = BareToken();
  token.scopes = DistinctScopes(Limits::kScopes);
  EXPECT_THAT(Validate(token), IsOk());
  for (const size_t count : {Limits::kScopes + 1, size_t{10000}}) {
    token.scopes = DistinctScopes(count);
    EXPECT_THAT(Validate(token), AllOf(IsRefusedNaming("Limits::kScopes"),
                                       IsRefusedNaming(absl::StrCat(count))));
  }
}

// Scenario 84.
TEST(ValidateTest, RepeatedScopesCountOnce) {
  Token token = BareToken();
  token.scopes = DistinctScopes(Limits::kScopes);
  token.scopes.push_back(token.scopes.front());
  EXPECT_THAT(Validate(token), IsOk());
  token.scopes.push_back("one more");
  EXPECT_THAT(Validate(token), IsRefusedNaming("Limits::kScopes"));
}

// Scenario 86.
TEST(ValidateTest, AnyTextButTheEmptyOneIsAScope) {
  Token token = BareToken();
  token.scopes = {"read:user", "*",    "a/b", "a+b",
                  "\xC3\xA9",  "\xFF", " ",   std::string(1, '\0')};
  EXPECT_THAT(Validate(token), IsOk());
  token.scopes.push_back("");
  EXPECT_THAT(Validate(token), IsRefusedNaming("scope"));
}

// Scenario 11.
TEST(ValidateTest, OwnerIsOptionalButHasAnId) {
  Token token = BareToken();
  token.owner = Owner{.name = "Ada"};
  EXPECT_THAT(Validate(token), IsRefusedNaming("owner.id"));
  token.owner.reset();
  EXPECT_THAT(Validate(token), IsOk());
}

TEST(ValidateTest, TimesLieInTheYearsOneTo9999) {
  constexpr std::pair<const char*, std::optional<absl::Time> Token::*>
      kTimes[] = {{"expires_at", &Token::expires_at},
                  {"last_accessed_at", &Token::last_accessed_at},
                  {"not_before", &Token::not_before},
                  {"revoked_at", &Token::revoked_at}};
  const absl::Duration tick = absl::Milliseconds(1);
  for (const auto& [name, field] : kTimes) {
    Token token = BareToken();
    for (const absl::Time time :
         {FromMillis(kMinMillis), absl::UnixEpoch(), FromMillis(kMaxMillis)}) {
      token.*field = time;
      EXPECT_THAT(Validate(token), IsOk()) << name;
    }
    for (const absl::Time time :
         {FromMillis(kMinMillis) - tick, FromMillis(kMaxMillis) + tick,
          absl::InfinitePast(), absl::InfiniteFuture()}) {
      token.*field = time;
      EXPECT_THAT(Validate(token), IsRefusedNaming(name)) << time;
    }
  }
}

TEST(ValidateTest, TimesAreTestedAsTheyAreStored) {
  const absl::Time late = FromMillis(kMaxMillis) + absl::Microseconds(1);
  const absl::Time early = FromMillis(kMinMillis) - absl::Microseconds(1);
  EXPECT_THAT(Validate({.expires_at = late}), IsOk());
  EXPECT_THAT(Validate({.expires_at = early}), IsRefusedNaming("expires_at"));
  EXPECT_THAT(Validate({.not_before = early}), IsOk());
  EXPECT_THAT(Validate({.not_before = late}), IsRefusedNaming("not_before"));
}

TEST(ValidateTest, CreationTimeMayBeUnset) {
  Token token = BareToken();
  token.created_at = absl::InfinitePast();
  EXPECT_THAT(Validate(token), IsOk());
  EXPECT_EQ(Normalize(token).created_at, absl::InfinitePast());
  token.created_at = absl::InfiniteFuture();
  EXPECT_THAT(Validate(token), IsRefusedNaming("created_at"));
  token.created_at = FromMillis(kMinMillis - 1);
  EXPECT_THAT(Validate(token), IsRefusedNaming("created_at"));
}

TEST(ValidateTest, FamilyAndParentAreNotNil) {
  Token token = BareToken();
  token.family_id = TokenId();
  EXPECT_THAT(Validate(token), IsRefusedNaming("family_id"));
  token = BareToken();
  token.parent_id = TokenId();
  EXPECT_THAT(Validate(token), IsRefusedNaming("parent_id"));
}

TEST(ValidateTest, NetworksAreAddressesWithOrWithoutPrefix) {
  for (const char* const network :
       {"10.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "10.0.0.1/32", "::", "::/0",
        "2001:db8::/32", "::1/128", "::ffff:10.0.0.1/96"}) {
    EXPECT_THAT(Validate({.allowed_cidrs = {network}}), IsOk()) << network;
  }
}

TEST(ValidateTest, AnythingElseIsNoNetwork) {
  const std::string wrong[] = {"",
                               "/",
                               "/8",
                               "10.0.0",
                               "10.0.0.256",
                               "10.0.0.0/",
                               "10.0.0.0/33",
                               "10.0.0.0/-1",
                               "10.0.0.0/+8",
                               "10.0.0.0/8 ",
                               "10.0.0.0/8/8",
                               "10.0.0.0/99999999999",
                               " 10.0.0.0",
                               "2001:db8::/129",
                               "2001:db8:::/32",
                               "fe80::1%eth0",
                               "example.com",
                               std::string("10.0.0.1\0", 9),
                               std::string("10.0.0.1\0/8", 11),
                               std::string("10.0.0.0/8\0", 11)};
  for (const std::string& network : wrong) {
    EXPECT_THAT(Validate({.allowed_cidrs = {"::1", network}}),
                IsRefusedNaming("allowed_cidrs"))
        << network;
  }
}

// Scenario 18.
TEST(ValidateTest, NetworksAreLimitedInNumberAndLength) {
  Token token = BareToken();
  token.allowed_cidrs.assign(Limits::kCidrs, "::1");
  EXPECT_THAT(Validate(token), IsOk());
  token.allowed_cidrs.emplace_back("::1");
  EXPECT_THAT(Validate(token), IsRefusedNaming("Limits::kCidrs"));
  token.allowed_cidrs = {std::string(Limits::kCidrBytes + 1, '1')};
  EXPECT_THAT(Validate(token), IsRefusedNaming("Limits::kCidrBytes"));
}

// Scenario 84.
TEST(NormalizeTest, SortsScopesAndDropsDuplicates) {
  const Token token = Normalize({.scopes = {"b", "a", "\xFF", "a", "B"}});
  EXPECT_THAT(token.scopes, ElementsAre("B", "a", "b", "\xFF"));
}

// Scenario 20.
TEST(NormalizeTest, KeepsTheInstantOfAnyOffsetToTheMillisecond) {
  absl::Time time;
  std::string error;
  ASSERT_TRUE(absl::ParseTime(absl::RFC3339_full,
                              "2025-07-16T06:07:42.123+05:45", &time, &error))
      << error;
  EXPECT_EQ(Normalize({.expires_at = time}).expires_at, time);
  EXPECT_EQ(absl::ToUnixMillis(time), 1752625362123);
}

// Scenario 20: on both sides of the epoch.
TEST(NormalizeTest, RoundsSoThatNoTokenLivesLonger) {
  for (const int64_t millis : {int64_t{1'700'000'000'000}, int64_t{-1000}}) {
    const absl::Time time =
        absl::FromUnixMillis(millis) + absl::Microseconds(500);
    const absl::Time down = absl::FromUnixMillis(millis);
    const Token token = Normalize({.created_at = time,
                                   .expires_at = time,
                                   .last_accessed_at = time,
                                   .not_before = time,
                                   .revoked_at = time});
    EXPECT_EQ(token.created_at, down);
    EXPECT_EQ(token.expires_at, down);
    EXPECT_EQ(token.last_accessed_at, down);
    EXPECT_EQ(token.revoked_at, down);
    EXPECT_EQ(token.not_before, absl::FromUnixMillis(millis + 1));
  }
}

TEST(NormalizeTest, LeavesANormalTokenAlone) {
  EXPECT_TRUE(Normalize(FullToken()) == FullToken());
  EXPECT_TRUE(Normalize(BareToken()) == BareToken());
}

}  // namespace
}  // namespace tokendb
