#ifndef TOKENDB_TESTS_SUPPORT_FULL_TOKEN_H_
#define TOKENDB_TESTS_SUPPORT_FULL_TOKEN_H_

#include <string>

#include "absl/time/time.h"
#include "tokendb/token.h"

namespace tokendb::testing {

// A token, live at `now`, with a value of its own in every field that a caller
// can set besides `revoked_at` and `revoked_reason`.
inline Token FullToken(absl::Time now) {
  return {
      .id = *TokenId::Parse("0190a1b2-c3d4-7e5f-8a6b-7c8d9eafb0c1"),
      .node_id = "QXBpQWNjZXNzVG9rZW4tLS0x",
      .digest = *Digest::OfSecret("the secret of a full token"),
      .owner = Owner{.id = "user:42", .name = "Ada", .email = "ada@example"},
      .description = "CI of the main branch",
      .scopes = {"read_builds", "write_builds"},
      .created_at = now - absl::Hours(48),
      .expires_at = now + absl::Hours(48),
      .last_accessed_at = now - absl::Hours(1),
      .ip_address = "192.0.2.7",
      .organization = "acme",
      .kind = "access",
      .name = "main",
      .not_before = now - absl::Hours(24),
      .family_id = *TokenId::Parse("0190a1b2-0000-7000-8000-000000000001"),
      .parent_id = *TokenId::Parse("0190a1b2-0000-7000-8000-000000000002"),
      .created_by = "admin",
      .allowed_cidrs = {"192.0.2.0/24", "2001:db8::/32"},
      .pepper_version = 3,
      .metadata = std::string("\0\xFF{}", 4),
  };
}

}  // namespace tokendb::testing

#endif  // TOKENDB_TESTS_SUPPORT_FULL_TOKEN_H_
