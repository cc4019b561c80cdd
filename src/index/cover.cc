#include "src/index/cover.h"

#include <limits>

#include "src/base/coding.h"
#include "src/base/crc32c.h"

namespace tokendb {
namespace {

constexpr uint8_t kDisabled = 1;
constexpr uint8_t kHasRevokedAt = 2;
constexpr uint8_t kHasNotBefore = 4;
constexpr uint8_t kHasOwner = 8;
constexpr uint8_t kScopesLeftOut = 16;
constexpr uint8_t kKnownFlags =
    kDisabled | kHasRevokedAt | kHasNotBefore | kHasOwner | kScopesLeftOut;

bool ConsumeMillis(std::string_view& in, Millis& millis) {
  if (in.size() < sizeof(uint64_t)) return false;
  millis = FromOrderedMillis(LoadBig64(in.data()));
  in.remove_prefix(sizeof(uint64_t));
  return true;
}

}  // namespace

uint32_t OwnerCheck(std::string_view owner_id) {
  return ExtendCrc32c(0, owner_id);
}

void AppendCover(std::string& out, const Token& token,
                 absl::Span<const uint32_t> scopes, CoverScopes mode) {
  const Validity validity = ValidityOf(token);
  const bool leave_out =
      mode == CoverScopes::kUpToMaximum && scopes.size() > kMaxCoveredScopes;
  uint8_t flags = 0;
  if (!validity.enabled) flags |= kDisabled;
  if (validity.revoked_at != kNever) flags |= kHasRevokedAt;
  if (validity.not_before != kAlways) flags |= kHasNotBefore;
  if (token.owner.has_value()) flags |= kHasOwner;
  if (leave_out) flags |= kScopesLeftOut;
  out.push_back(static_cast<char>(flags));
  if ((flags & kHasRevokedAt) != 0) {
    AppendBig64(out, OrderedMillis(validity.revoked_at));
  }
  if ((flags & kHasNotBefore) != 0) {
    AppendBig64(out, OrderedMillis(validity.not_before));
  }
  AppendBig64(out, OrderedMillis(FloorToMillis(token.created_at)));
  if ((flags & kHasOwner) != 0) {
    AppendBig32(out, OwnerCheck(token.owner->id));
  }
  if (leave_out) return;
  uint32_t previous = 0;
  for (const uint32_t scope : scopes) {
    AppendVarint(out, scope - previous);
    previous = scope;
  }
}

bool ParseCover(std::string_view value, Cover& cover) {
  if (value.empty()) return false;
  const auto flags = static_cast<uint8_t>(value.front());
  if ((flags & ~kKnownFlags) != 0) return false;
  value.remove_prefix(1);
  cover.validity = Validity{.enabled = (flags & kDisabled) == 0};
  if ((flags & kHasRevokedAt) != 0 &&
      !ConsumeMillis(value, cover.validity.revoked_at)) {
    return false;
  }
  if ((flags & kHasNotBefore) != 0 &&
      !ConsumeMillis(value, cover.validity.not_before)) {
    return false;
  }
  if (!ConsumeMillis(value, cover.created_at)) return false;
  cover.owner_check.reset();
  if ((flags & kHasOwner) != 0) {
    if (value.size() < sizeof(uint32_t)) return false;
    cover.owner_check = LoadBig32(value.data());
    value.remove_prefix(sizeof(uint32_t));
  }
  cover.scopes_left_out = (flags & kScopesLeftOut) != 0;
  if (cover.scopes_left_out && !value.empty()) return false;
  cover.encoded_scopes = value;
  return true;
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
