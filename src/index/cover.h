// The value of an index entry: what most conditions of a query need to know of
// a token, so that they are tested without reading its record.
//
//   flags u8        1 disabled, 2 revoked_at follows, 4 not_before follows,
//                   8 owner check follows, 16 the scopes are left out
//   revoked_at      8 bytes each, OrderedMillis, big-endian
//   not_before
//   created_at
//   owner check     crc32c of the owner's id, be32
//   scopes          varints to the end: the first number, then differences
#ifndef TOKENDB_SRC_INDEX_COVER_H_
#define TOKENDB_SRC_INDEX_COVER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "src/base/coding.h"
#include "src/model/liveness.h"
#include "src/model/millis.h"
#include "tokendb/token.h"

namespace tokendb {

// Numbers of scopes in the dictionary, sorted, unique.
using ScopeNumbers = absl::InlinedVector<uint32_t, 16>;

// A token of more scopes has them left out of its covers: each of its entries
// would otherwise repeat them all.
inline constexpr size_t kMaxCoveredScopes = 64;

enum class CoverScopes : uint8_t { kUpToMaximum, kAlways };

struct Cover {
  Validity validity;  // Its expires_at is the key's, not the cover's.
  Millis created_at = 0;

  // Equal checks do not prove equal owners; unequal ones prove others.
  std::optional<uint32_t> owner_check;

  bool scopes_left_out = false;
  std::string_view encoded_scopes;
};

// Returns the check of an owner's id.
uint32_t OwnerCheck(std::string_view owner_id);

// Appends the cover of a normalized token with these scopes.
void AppendCover(std::string& out, const Token& token,
                 absl::Span<const uint32_t> scopes, CoverScopes mode);

// The first byte of a cover.
struct CoverFlags {
  static constexpr uint8_t kDisabled = 1;
  static constexpr uint8_t kHasRevokedAt = 2;
  static constexpr uint8_t kHasNotBefore = 4;
  static constexpr uint8_t kHasOwner = 8;
  static constexpr uint8_t kScopesLeftOut = 16;
  static constexpr uint8_t kKnown =
      kDisabled | kHasRevokedAt | kHasNotBefore | kHasOwner | kScopesLeftOut;
};

// Reads a cover, which `cover` then points into. False if it is malformed
// other than in its scopes. Inline: it is called for each entry of a range.
inline bool ParseCover(std::string_view value, Cover& cover) {
  if (value.empty()) return false;
  const auto flags = static_cast<uint8_t>(value.front());
  if ((flags & ~CoverFlags::kKnown) != 0) return false;
  value.remove_prefix(1);
  cover.validity = Validity{.enabled = (flags & CoverFlags::kDisabled) == 0};
  if ((flags & CoverFlags::kHasRevokedAt) != 0 &&
      !ConsumeMillis(value, cover.validity.revoked_at)) {
    return false;
  }
  if ((flags & CoverFlags::kHasNotBefore) != 0 &&
      !ConsumeMillis(value, cover.validity.not_before)) {
    return false;
  }
  if (!ConsumeMillis(value, cover.created_at)) return false;
  cover.owner_check.reset();
  if ((flags & CoverFlags::kHasOwner) != 0) {
    if (value.size() < sizeof(uint32_t)) return false;
    cover.owner_check = LoadBig32(value.data());
    value.remove_prefix(sizeof(uint32_t));
  }
  cover.scopes_left_out = (flags & CoverFlags::kScopesLeftOut) != 0;
  if (cover.scopes_left_out && !value.empty()) return false;
  cover.encoded_scopes = value;
  return true;
}

// Reads the scopes of a cover. False if they are malformed.
bool ParseScopes(std::string_view encoded, ScopeNumbers& scopes);

}  // namespace tokendb

#endif  // TOKENDB_SRC_INDEX_COVER_H_
