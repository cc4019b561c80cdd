#ifndef TOKENDB_TESTS_MODEL_SAMPLE_TOKEN_H_
#define TOKENDB_TESTS_MODEL_SAMPLE_TOKEN_H_

#include <array>
#include <string>

#include "absl/time/time.h"
#include "tokendb/token.h"

namespace tokendb::testing {

inline TokenId IdOf(char last_byte) {
  std::array<char, TokenId::kSize> bytes{};
  bytes.front() = 1;
  bytes.back() = last_byte;
  return TokenId(bytes);
}

inline Digest DigestOf(char every_byte) {
  std::array<char, Digest::kSize> bytes;
  bytes.fill(every_byte);
  return Digest(bytes);
}

// A normalized token in which no field has its default.
inline Token FullToken() {
  Token token;
  token.id = IdOf(7);
  token.node_id = "T3JnYW5pemF0aW9u";
  token.digest = DigestOf('d');
  token.owner = Owner{"user:42", "Ada Lovelace", "ada@example.com"};
  token.description = std::string("deploy\0key", 10);
  token.scopes = {"read_builds", "write_builds"};
  token.created_at = absl::FromUnixMillis(1'700'000'000'001);
  token.expires_at = absl::FromUnixMillis(1'800'000'000'002);
  token.last_accessed_at = absl::FromUnixMillis(1'750'000'000'003);
  token.ip_address = "2001:db8::1";
  token.organization = "analytical-engines";
  token.kind = "access";
  token.name = "ci";
  token.not_before = absl::FromUnixMillis(-4);
  token.revoked_at = absl::FromUnixMillis(1'790'000'000'005);
  token.revoked_reason = "rotated";
  token.enabled = false;
  token.family_id = IdOf(8);
  token.parent_id = IdOf(9);
  token.created_by = "user:1";
  token.allowed_cidrs = {"10.0.0.0/8", "2001:db8::/32"};
  token.pepper_version = 3;
  token.metadata = std::string("\x00\xFF{}", 4);
  token.version = 12;
  return token;
}

// A token with nothing but what every record has.
inline Token BareToken() {
  Token token;
  token.id = IdOf(1);
  token.created_at = absl::UnixEpoch();
  return token;
}

}  // namespace tokendb::testing

#endif  // TOKENDB_TESTS_MODEL_SAMPLE_TOKEN_H_
