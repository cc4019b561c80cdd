#include "tests/crash/operations.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace tokendb::testing {

TokenId IdOf(int token) {
  std::array<char, TokenId::kSize> bytes{};
  bytes[0] = 1;
  bytes[TokenId::kSize - 1] = static_cast<char>(token);
  return TokenId(bytes);
}

Digest DigestOf(int token, uint64_t serial) {
  return *Digest::OfSecret(absl::StrCat(token, " ", serial));
}

Token MakeToken(int token, uint64_t serial) {
  return {.id = IdOf(token),
          .digest = DigestOf(token, serial),
          .owner = Owner{.id = absl::StrCat("owner ", (token + serial) % 5)},
          .description = absl::StrCat(serial),
          .scopes = {"all", absl::StrCat("scope ", serial % 7)},
          .created_at = absl::FromUnixSeconds(1700000000),
          .expires_at = absl::FromUnixSeconds(32503680000 + (serial % 100)),
          .organization = absl::StrCat("organization ", serial % 3),
          .kind = absl::StrCat("kind ", serial % 2)};
}

State After(const Operation& operation, State state) {
  switch (operation.kind) {
    case Kind::kPut:
    case Kind::kBatch:
      return {true, operation.serial, state.present && state.revoked};
    case Kind::kRevoke:
      state.revoked = state.present;
      return state;
    case Kind::kDelete:
      return {};
  }
  return state;
}

}  // namespace tokendb::testing
