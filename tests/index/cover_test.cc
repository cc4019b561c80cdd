#include "src/index/cover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "src/index/digest_row.h"
#include "tests/support/status_matchers.h"

namespace tokendb {
namespace {

using ::testing::ElementsAreArray;
using testing::StatusIs;

Token SomeToken() {
  return {.id = *TokenId::Parse("0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6"),
          .digest = *Digest::OfSecret("secret"),
          .owner = Owner{.id = "ada"},
          .created_at = absl::FromUnixMillis(1000),
          .expires_at = absl::FromUnixMillis(9000),
          .not_before = absl::FromUnixMillis(2000),
          .revoked_at = absl::FromUnixMillis(3000),
          .enabled = false};
}

RC_GTEST_PROP(CoverScopesProperty, ComeBackSorted,
              (const std::set<uint32_t>& numbers)) {
  std::vector<uint32_t> scopes(numbers.begin(), numbers.end());
  std::erase(scopes, 0U);
  Token token;
  token.created_at = absl::UnixEpoch();
  std::string bytes;
  AppendCover(bytes, token, scopes, CoverScopes::kAlways);
  Cover cover;
  ScopeNumbers parsed;
  RC_ASSERT(ParseCover(bytes, cover));
  RC_ASSERT(ParseScopes(cover.encoded_scopes, parsed));
  RC_ASSERT(
      std::equal(parsed.begin(), parsed.end(), scopes.begin(), scopes.end()));
}

TEST(CoverTest, KeepsWhatDecidesLiveness) {
  std::string bytes;
  AppendCover(bytes, SomeToken(), {7, 9}, CoverScopes::kUpToMaximum);
  Cover cover;
  ASSERT_TRUE(ParseCover(bytes, cover));
  Validity expected = ValidityOf(SomeToken());
  expected.expires_at = kNever;  // The key has it.
  EXPECT_EQ(cover.validity, expected);
  EXPECT_EQ(cover.created_at, 1000);
  EXPECT_EQ(cover.owner_check, OwnerCheck("ada"));
}

TEST(CoverTest, LeavesManyScopesOut) {
  std::vector<uint32_t> scopes(kMaxCoveredScopes + 1);
  for (size_t i = 0; i < scopes.size(); ++i) {
    scopes[i] = static_cast<uint32_t>(i + 1);
  }
  Cover cover;
  std::string bytes;
  AppendCover(bytes, SomeToken(), scopes, CoverScopes::kUpToMaximum);
  ASSERT_TRUE(ParseCover(bytes, cover));
  EXPECT_TRUE(cover.scopes_left_out);
  scopes.pop_back();
  bytes.clear();
  AppendCover(bytes, SomeToken(), scopes, CoverScopes::kUpToMaximum);
  ASSERT_TRUE(ParseCover(bytes, cover));
  EXPECT_FALSE(cover.scopes_left_out);
}

TEST(CoverTest, EveryTruncationIsRefusedOrHasFewerScopes) {
  std::string bytes;
  AppendCover(bytes, SomeToken(), {}, CoverScopes::kUpToMaximum);
  for (size_t size = 0; size < bytes.size(); ++size) {
    Cover cover;
    EXPECT_FALSE(ParseCover(std::string_view(bytes).substr(0, size), cover))
        << size;
  }
}

TEST(CoverTest, UnknownFlagsAndMalformedScopesAreRefused) {
  Cover cover;
  EXPECT_FALSE(ParseCover(std::string(9, '\x80'), cover));
  ScopeNumbers scopes;
  EXPECT_FALSE(ParseScopes(std::string("\x80", 1), scopes));      // Cut off.
  EXPECT_FALSE(ParseScopes(std::string("\x01\x00", 2), scopes));  // Repeated.
  EXPECT_FALSE(ParseScopes("\xFF\xFF\xFF\xFF\xFF\x01", scopes));  // Too large.
}

TEST(DigestRowTest, ComesBack) {
  const Token token = SomeToken();
  std::string row;
  AppendDigestRow(row, token, {1, 5, 300});
  const auto parsed = ParseDigestRow(*token.digest, row);
  ASSERT_THAT(parsed, testing::IsOk());
  EXPECT_EQ(parsed->id, token.id);
  EXPECT_EQ(parsed->validity, ValidityOf(token));
  EXPECT_EQ(parsed->owner_id, "ada");
  EXPECT_THAT(parsed->scopes, ElementsAreArray({1, 5, 300}));
}

TEST(DigestRowTest, EveryFlippedBitIsDataLoss) {
  const Token token = SomeToken();
  std::string row;
  AppendDigestRow(row, token, {1, 5, 300});
  for (size_t bit = 0; bit < row.size() * 8; ++bit) {
    std::string flipped = row;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_THAT(ParseDigestRow(*token.digest, flipped),
                StatusIs(absl::StatusCode::kDataLoss))
        << bit;
  }
  EXPECT_THAT(ParseDigestRow(*Digest::OfSecret("another"), row),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST(DigestRowTest, EveryTruncationIsDataLoss) {
  const Token token = SomeToken();
  std::string row;
  AppendDigestRow(row, token, {1, 5, 300});
  for (size_t size = 0; size < row.size(); ++size) {
    EXPECT_THAT(
        ParseDigestRow(*token.digest, std::string_view(row).substr(0, size)),
        StatusIs(absl::StatusCode::kDataLoss))
        << size;
  }
}

}  // namespace
}  // namespace tokendb
