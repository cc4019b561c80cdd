#ifndef TOKENDB_VERIFY_H_
#define TOKENDB_VERIFY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tokendb/scope.h"
#include "tokendb/token.h"

namespace tokendb {

// The answer to "may the bearer of this secret pass?".
struct Authentication {
  // Pass on kLive only; any other value says why not.
  TokenState state = TokenState::kUnknown;

  // Empty when `state` is kUnknown.
  TokenId id;
  ScopeSet scopes;
  std::optional<absl::Time> expires_at;
};

// The answer to "whose secret is this, and what may it do?".
struct Introspection {
  TokenState state = TokenState::kUnknown;

  // Empty when `state` is kUnknown.
  TokenId id;
  std::optional<std::string> owner_id;
  std::vector<std::string> scopes;
  std::optional<absl::Time> expires_at;
};

// The verify index of an open database, see VerifyIndexOptions.
struct VerifyStats {
  // Whether there is one.
  bool is_on = false;

  // Whether it knows all digests, so that the store is not asked for unknown
  // ones either.
  bool is_complete = false;

  // Whether it is being filled in the background.
  bool is_filling = false;

  // Whether it was filled from what was kept when the database was closed.
  bool is_from_file = false;

  uint64_t tokens = 0;
  uint64_t slots = 0;

  // Memory in use: slots, whether taken or not, and sets of scopes.
  uint64_t bytes = 0;
  uint64_t max_bytes = 0;

  // Why filling ended before it was complete.
  absl::Status last_error;

  double bytes_per_token() const {
    return tokens == 0
               ? 0
               : static_cast<double>(bytes) / static_cast<double>(tokens);
  }
};

}  // namespace tokendb

#endif  // TOKENDB_VERIFY_H_
