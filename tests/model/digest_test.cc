#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <sstream>
#include <string>
#include <string_view>

#include "tests/model/sample_token.h"
#include "tests/support/status_matchers.h"
#include "tokendb/token.h"

namespace tokendb {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::tokendb::testing::DigestOf;
using ::tokendb::testing::IsOk;
using ::tokendb::testing::IsOkAndHolds;
using ::tokendb::testing::StatusIs;

std::string HexDigestOf(std::string_view secret, std::string_view kind = {}) {
  const absl::StatusOr<Digest> digest = Digest::OfSecret(secret, kind);
  return digest.ok() ? digest->ToString() : digest.status().ToString();
}

// FIPS 180-2, appendix B.1.
TEST(DigestTest, IsTheSha256OfASecretWithoutKind) {
  EXPECT_EQ(HexDigestOf("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// RFC 4231, test case 2.
TEST(DigestTest, IsTheHmacOfASecretUnderItsKind) {
  EXPECT_EQ(HexDigestOf("what do ya want for nothing?", "Jefe"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

// Scenario 8.
TEST(DigestTest, OneSecretOfTwoKindsHasTwoDigests) {
  const std::string digests[] = {HexDigestOf("s3cret"),
                                 HexDigestOf("s3cret", "access"),
                                 HexDigestOf("s3cret", "refresh")};
  EXPECT_NE(digests[0], digests[1]);
  EXPECT_NE(digests[0], digests[2]);
  EXPECT_NE(digests[1], digests[2]);
  EXPECT_EQ(digests[1], HexDigestOf("s3cret", "access"));
}

TEST(DigestTest, LooksAtEveryByteOfASecret) {
  EXPECT_NE(HexDigestOf(std::string_view("a\0b", 3)), HexDigestOf("a"));
  EXPECT_NE(HexDigestOf(std::string_view("a\0b", 3), "kind"),
            HexDigestOf("a", "kind"));
}

// Scenario 15.
TEST(DigestTest, EmptySecretHasNone) {
  EXPECT_THAT(Digest::OfSecret(""),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Digest::OfSecret("", "access"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(DigestTest, ParsesWhatItPrintsInEitherCase) {
  const Digest digest = DigestOf('\xAB');
  EXPECT_THAT(Digest::Parse(digest.ToString()), IsOkAndHolds(digest));
  EXPECT_THAT(Digest::Parse(std::string(32, 'A') + std::string(32, 'a')),
              IsOkAndHolds(DigestOf('\xAA')));
}

TEST(DigestTest, RefusesEverythingElse) {
  const std::string digits(64, 'a');
  for (const std::string& text :
       {std::string(), digits.substr(1), digits + "a", digits.substr(1) + "g",
        digits.substr(1) + " ", digits.substr(2) + "0x"}) {
    EXPECT_THAT(Digest::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
  }
}

TEST(DigestTest, RefusalDoesNotRepeatWhatMayBeASecret) {
  EXPECT_THAT(
      Digest::Parse("my-secret"),
      StatusIs(absl::StatusCode::kInvalidArgument, Not(HasSubstr("my-sec"))));
}

TEST(DigestTest, DiffersIfAnyByteDoes) {
  const Digest digest = DigestOf('x');
  EXPECT_EQ(digest, DigestOf('x'));
  for (size_t i = 0; i < Digest::kSize; ++i) {
    std::array<char, Digest::kSize> bytes;
    bytes.fill('x');
    bytes[i] ^= 1;
    EXPECT_FALSE(digest == Digest(bytes)) << i;
  }
}

TEST(DigestTest, LogsShowOnlyItsBeginning) {
  const absl::StatusOr<Digest> digest = Digest::OfSecret("abc");
  ASSERT_THAT(digest, IsOk());
  std::ostringstream out;
  out << *digest;
  EXPECT_EQ(out.str(), "ba7816bf..");
}

}  // namespace
}  // namespace tokendb
