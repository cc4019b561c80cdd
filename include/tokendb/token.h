#ifndef TOKENDB_TOKEN_H_
#define TOKENDB_TOKEN_H_

#include <array>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace tokendb {

// The identity of a token: 16 bytes, written as a UUID. It is public and never
// changes. Ids that tokendb makes are UUIDv7 (RFC 9562 section 5.7), so that
// their order is the order of creation.
class TokenId {
 public:
  static constexpr size_t kSize = 16;

  // The nil id, which no token has.
  constexpr TokenId() = default;
  explicit constexpr TokenId(const std::array<char, kSize>& bytes)
      : bytes_(bytes) {}

  // Reads the text form: 32 hexadecimal digits in groups of 8-4-4-4-12, of
  // either case. InvalidArgument for anything else and for the nil UUID.
  static absl::StatusOr<TokenId> Parse(std::string_view uuid);

  bool IsNil() const { return *this == TokenId(); }

  // The UUID's text form, in lower case.
  std::string ToString() const;

  // The 16 bytes; valid as long as the id.
  std::string_view bytes() const { return {bytes_.data(), kSize}; }

  friend auto operator<=>(const TokenId& a, const TokenId& b) {
    return std::memcmp(a.bytes_.data(), b.bytes_.data(), kSize) <=> 0;
  }
  friend bool operator==(const TokenId& a, const TokenId& b) = default;
  friend std::ostream& operator<<(std::ostream& out, const TokenId& id) {
    return out << id.ToString();
  }
  template <typename H>
  friend H AbslHashValue(H state, const TokenId& id) {
    return H::combine_contiguous(std::move(state), id.bytes_.data(), kSize);
  }

 private:
  std::array<char, kSize> bytes_{};
};

// What is stored in place of a secret: 32 bytes from which the secret cannot
// be found. No two unexpired tokens have the same digest.
class Digest {
 public:
  static constexpr size_t kSize = 32;

  explicit constexpr Digest(const std::array<char, kSize>& bytes)
      : bytes_(bytes) {}

  // Returns SHA-256(secret), or for a kind of token HMAC-SHA-256 with the kind
  // as key, so that one secret presented as two kinds is two digests.
  // InvalidArgument for an empty secret. `secret` is not kept.
  static absl::StatusOr<Digest> OfSecret(std::string_view secret,
                                         std::string_view kind = {});

  // Reads 64 hexadecimal digits of either case.
  static absl::StatusOr<Digest> Parse(std::string_view hex);

  // 64 hexadecimal digits, in lower case.
  std::string ToString() const;

  // The 32 bytes; valid as long as the digest.
  std::string_view bytes() const { return {bytes_.data(), kSize}; }

  // In time that does not depend on where the two differ.
  friend bool operator==(const Digest& a, const Digest& b);

  // The digest's first bytes only: logs need no more, and full digests in logs
  // would let a reader test guesses.
  friend std::ostream& operator<<(std::ostream& out, const Digest& digest);

  template <typename H>
  friend H AbslHashValue(H state, const Digest& digest) {
    return H::combine_contiguous(std::move(state), digest.bytes_.data(), kSize);
  }

 private:
  std::array<char, kSize> bytes_;
};

// The user a token belongs to. Only `id` identifies; the rest is for people.
struct Owner {
  std::string id;
  std::string name;
  std::string email;

  friend bool operator==(const Owner&, const Owner&) = default;
};

// An access token: Buildkite's OrganizationAPIAccessToken (which excludes the
// secret) and what a token service keeps beside it.
//
// Times are kept in milliseconds; what is finer is dropped so that no token
// lives longer than it was given: not_before is rounded up, all others down.
// They lie in the years 1 to 9999 (RFC 3339). An empty text is an absent one.
struct Token {
  // Buildkite's `uuid`. Nil when given to Issue(): a new id is made.
  TokenId id;

  // Buildkite's opaque `id`, as it was imported; only carried along.
  std::string node_id;

  // Without one the token is listed and counted but cannot be authenticated.
  std::optional<Digest> digest;

  // A token without an owner appears under no owner.
  std::optional<Owner> owner;

  std::string description;

  // Any texts of 1 to 255 bytes, compared byte by byte. Kept sorted, without
  // duplicates.
  std::vector<std::string> scopes;

  // InfinitePast when given to Issue(): the current time is taken.
  absl::Time created_at = absl::InfinitePast();

  // The token is expired from this instant on. Absent: it never expires.
  std::optional<absl::Time> expires_at;

  // Last use and the address it came from.
  std::optional<absl::Time> last_accessed_at;
  std::string ip_address;

  std::string organization;

  // What sort of token it is to the service ("access", "refresh", ...).
  std::string kind;
  std::string name;

  // The token is not yet valid before this instant.
  std::optional<absl::Time> not_before;

  // The token is revoked from this instant on; may lie in the future.
  std::optional<absl::Time> revoked_at;
  std::string revoked_reason;

  // A disabled token is not live, and can be enabled again.
  bool enabled = true;

  // All tokens that came from one by rotation share a family.
  std::optional<TokenId> family_id;
  std::optional<TokenId> parent_id;
  std::string created_by;

  // Networks the token may be used from; empty: any.
  std::vector<std::string> allowed_cidrs;

  // Which pepper made the digest; 0: none.
  uint32_t pepper_version = 0;

  // Bytes tokendb does not look into.
  std::string metadata;

  // 1 when issued, one more with each change. Set by the database.
  uint64_t version = 0;

  friend bool operator==(const Token&, const Token&) = default;
};

// What a token may hold. A token beyond a limit is refused with
// InvalidArgument naming the limit; nothing is ever cut off.
struct Limits {
  static constexpr size_t kNodeIdBytes = 1024;
  static constexpr size_t kOwnerIdBytes = 4096;
  static constexpr size_t kOwnerNameBytes = 4096;
  static constexpr size_t kOwnerEmailBytes = 1024;
  static constexpr size_t kDescriptionBytes = 65536;
  static constexpr size_t kScopeBytes = 255;
  static constexpr size_t kScopes = 1000;
  static constexpr size_t kIpAddressBytes = 64;
  static constexpr size_t kOrganizationBytes = 1024;
  static constexpr size_t kKindBytes = 255;
  static constexpr size_t kNameBytes = 4096;
  static constexpr size_t kRevokedReasonBytes = 4096;
  static constexpr size_t kCreatedByBytes = 4096;
  static constexpr size_t kCidrBytes = 64;
  static constexpr size_t kCidrs = 1000;
  static constexpr size_t kRecordBytes = size_t{1} << 20;  // As stored.
};

// Returns OK if `token` can be issued, else InvalidArgument naming the field
// and the limit. Does not look at the database.
absl::Status Validate(const Token& token);

// Returns `token` as a database keeps it: scopes sorted without duplicates,
// times in milliseconds.
Token Normalize(Token token);

// What a token is at one instant. Every token is in exactly one state; when
// several reasons apply the first in this order wins: revoked, disabled,
// expired, not yet valid.
enum class TokenState : uint8_t {
  kLive,
  kExpired,
  kRevoked,
  kDisabled,
  kNotYetValid,
  kUnknown,  // There is no such token: an answer of Authenticate() only.
};

// "live", "expired", "revoked", "disabled", "not_yet_valid", "unknown".
std::string_view TokenStateName(TokenState state);

// The rule: live if and only if not revoked (revoked_at absent or > now),
// enabled, not_before <= now, and now < expires_at (absent: never expires).
TokenState StateOf(const Token& token, absl::Time now);

// Returns how long `token` has until it expires: never negative, zero once it
// has expired, absent if it never does.
std::optional<absl::Duration> RemainingLifetime(const Token& token,
                                                absl::Time now);

// A change to one field of a token: leave it, clear it, or set it.
//
//   TokenPatch patch;
//   patch.description = "CI";        // set
//   patch.expires_at = kClear;       // never expires any more
//                                    // all others: unchanged
struct ClearTag {};
inline constexpr ClearTag kClear;

template <typename T>
class Change {
 public:
  Change() = default;               // Keep.
  Change(ClearTag) : set_(true) {}  // NOLINT(google-explicit-constructor)
  // Anything that makes a T, as for std::optional.
  // NOLINTBEGIN(google-explicit-constructor)
  // NOLINTBEGIN(bugprone-forwarding-reference-overload)
  template <typename U = T>
  requires(!std::same_as<std::remove_cvref_t<U>, Change> &&
           std::constructible_from<T, U&&>) Change(U&& value)
      : set_(true), value_(std::in_place, std::forward<U>(value)) {}
  // NOLINTEND(bugprone-forwarding-reference-overload)
  // NOLINTEND(google-explicit-constructor)

  bool IsKeep() const { return !set_; }
  bool IsClear() const { return set_ && !value_.has_value(); }
  // The new value; absent when the field is kept or cleared.
  const std::optional<T>& value() const { return value_; }

 private:
  bool set_ = false;
  std::optional<T> value_;
};

// Changes to a token. `id`, `version` and `created_at` cannot be changed;
// clearing a text empties it, clearing `enabled` or `pepper_version` restores
// the default.
struct TokenPatch {
  Change<std::string> node_id;
  Change<Digest> digest;
  Change<Owner> owner;
  Change<std::string> description;
  Change<std::vector<std::string>> scopes;
  Change<absl::Time> expires_at;
  Change<absl::Time> last_accessed_at;
  Change<std::string> ip_address;
  Change<std::string> organization;
  Change<std::string> kind;
  Change<std::string> name;
  Change<absl::Time> not_before;
  Change<absl::Time> revoked_at;
  Change<std::string> revoked_reason;
  Change<bool> enabled;
  Change<TokenId> family_id;
  Change<TokenId> parent_id;
  Change<std::string> created_by;
  Change<std::vector<std::string>> allowed_cidrs;
  Change<uint32_t> pepper_version;
  Change<std::string> metadata;
};

// Returns `token` with `patch` applied.
Token Apply(const TokenPatch& patch, Token token);

}  // namespace tokendb

#endif  // TOKENDB_TOKEN_H_
