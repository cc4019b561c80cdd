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

// Up to when expired tokens are forgotten: no path reports them any more, as if
// they had been deleted, and their space may be taken back. Both times only
// ever grow.
struct Cutoff {
  Millis expired = kAlways;  // Of tokens that were not revoked.
  Millis revoked = kAlways;  // Of tokens that were; kept apart for audits.

  // What has expired by then is forgotten, revoked or not.
  Millis Earlier() const { return expired < revoked ? expired : revoked; }

  friend bool operator==(const Cutoff&, const Cutoff&) = default;
};

// Never true of a token that is live at a time after the cutoff.
inline bool IsForgotten(const Validity& validity, const Cutoff& cutoff) {
  return validity.expires_at <=
         (validity.revoked_at == kNever ? cutoff.expired : cutoff.revoked);
}

// The validity of a token, with its times rounded as they are stored.
Validity ValidityOf(const Token& token);

}  // namespace tokendb

#endif  // TOKENDB_SRC_MODEL_LIVENESS_H_
