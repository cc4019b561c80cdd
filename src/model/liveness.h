// The one rule that says whether a token is live. Every path calls StateAt():
// authentication, lists, counts, cleanup.
#ifndef TOKENDB_SRC_MODEL_LIVENESS_H_
#define TOKENDB_SRC_MODEL_LIVENESS_H_

#include "src/model/millis.h"
#include "tokendb/token.h"

namespace tokendb {

// What the rule looks at.
struct Validity {
  Millis not_before = kAlways;
  Millis expires_at = kNever;
  Millis revoked_at = kNever;
  bool enabled = true;

  friend bool operator==(const Validity&, const Validity&) = default;
};

// The order of the tests is the order in which reasons are given.
inline TokenState StateAt(const Validity& validity, Millis now) {
  if (validity.revoked_at <= now) return TokenState::kRevoked;
  if (!validity.enabled) return TokenState::kDisabled;
  if (validity.expires_at <= now) return TokenState::kExpired;
  if (now < validity.not_before) return TokenState::kNotYetValid;
  return TokenState::kLive;
}

// The validity of a token, with its times rounded as they are stored.
Validity ValidityOf(const Token& token);

}  // namespace tokendb

#endif  // TOKENDB_SRC_MODEL_LIVENESS_H_
