#include "src/index/cover.h"

#include <limits>

#include "src/base/coding.h"
#include "src/base/crc32c.h"

namespace tokendb {
uint32_t OwnerCheck(std::string_view owner_id) {
  return ExtendCrc32c(0, owner_id);
}

void AppendCover(std::string& out, const Token& token,
                 absl::Span<const uint32_t> scopes, CoverScopes mode) {
  const Validity validity = ValidityOf(token);
  const bool leave_out =
      mode == CoverScopes::kUpToMaximum && scopes.size() > kMaxCoveredScopes;
  uint8_t flags = 0;
  if (!validity.enabled) flags |= CoverFlags::kDisabled;
  if (validity.revoked_at != kNever) flags |= CoverFlags::kHasRevokedAt;
  if (validity.not_before != kAlways) flags |= CoverFlags::kHasNotBefore;
  if (token.owner.has_value()) flags |= CoverFlags::kHasOwner;
  if (leave_out) flags |= CoverFlags::kScopesLeftOut;
  out.push_back(static_cast<char>(flags));
  if ((flags & CoverFlags::kHasRevokedAt) != 0) {
    AppendBig64(out, OrderedMillis(validity.revoked_at));
  }
  if ((flags & CoverFlags::kHasNotBefore) != 0) {
    AppendBig64(out, OrderedMillis(validity.not_before));
  }
  AppendBig64(out, OrderedMillis(FloorToMillis(token.created_at)));
  if ((flags & CoverFlags::kHasOwner) != 0) {
    AppendBig32(out, OwnerCheck(token.owner->id));
  }
  if (leave_out) return;
  uint32_t previous = 0;
  for (const uint32_t scope : scopes) {
    AppendVarint(out, scope - previous);
    previous = scope;
  }
}

bool ParseScopes(std::string_view encoded, ScopeNumbers& scopes) {
  scopes.clear();
  uint64_t previous = 0;
  while (!encoded.empty()) {
    uint64_t difference = 0;
    if (!ConsumeVarint(encoded, difference) || difference == 0 ||
        difference > std::numeric_limits<uint32_t>::max() - previous) {
      return false;
    }
    previous += difference;
    scopes.push_back(static_cast<uint32_t>(previous));
  }
  return true;
}

}  // namespace tokendb
