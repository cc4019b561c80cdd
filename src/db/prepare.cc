#include "src/db/prepare.h"

#include "absl/status/status.h"
#include "src/base/status_macros.h"
#include "src/model/uuid7.h"

namespace tokendb {

absl::StatusOr<Token> PrepareToken(const Token& token, Millis now,
                                   const Cutoff& cutoff) {
  RETURN_IF_ERROR(Validate(token));
  Token prepared = Normalize(token);
  if (prepared.created_at == absl::InfinitePast()) {
    prepared.created_at = FromMillis(now);
  }
  if (prepared.id.IsNil()) prepared.id = NewTokenId(prepared.created_at);
  if (IsForgotten(ValidityOf(prepared), cutoff)) {
    return absl::OutOfRangeError(
        "expires_at: the token expired longer ago than retain_expired and "
        "retain_revoked keep it");
  }
  prepared.version = 1;
  return prepared;
}

}  // namespace tokendb
