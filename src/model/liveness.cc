#include "src/model/liveness.h"

namespace tokendb {

Validity ValidityOf(const Token& token) {
  Validity validity{.enabled = token.enabled};
  if (token.not_before.has_value()) {
    validity.not_before = CeilToMillis(*token.not_before);
  }
  if (token.expires_at.has_value()) {
    validity.expires_at = FloorToMillis(*token.expires_at);
  }
  if (token.revoked_at.has_value()) {
    validity.revoked_at = FloorToMillis(*token.revoked_at);
  }
  return validity;
}

}  // namespace tokendb
