#ifndef TOKENDB_CHANGES_H_
#define TOKENDB_CHANGES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "tokendb/token.h"

namespace tokendb {

// A change to one token. What it is now, Database::Get() says.
struct TokenChange {
  enum class Kind : uint8_t {
    kIssued,
    kUpdated,
    kRevoked,  // Its revoked_at was set, or became earlier.
    kDeleted,  // By a call. Tokens that expire or are forgotten do not change.
  };
  Kind kind = Kind::kIssued;
  TokenId id;

  // The token's version after the change; of a deleted one, the last it had.
  uint64_t version = 0;

  // When it was made: never earlier than of a change before it in the feed.
  absl::Time at;

  // With kRevoked: from when on the token is revoked, perhaps in the future.
  std::optional<absl::Time> revoked_at;

  friend bool operator==(const TokenChange&, const TokenChange&) = default;
};

// "issued", "updated", "revoked", "deleted".
std::string_view TokenChangeKindName(TokenChange::Kind kind);

// A part of the change feed.
struct ChangePage {
  std::vector<TokenChange> changes;

  // Never empty. Goes on behind the last of `changes`; stays valid across
  // restarts for as long as the feed reaches back.
  std::string continuation;

  // Nothing more had been committed behind `changes` when the page was read.
  bool caught_up = false;
};

}  // namespace tokendb

#endif  // TOKENDB_CHANGES_H_
