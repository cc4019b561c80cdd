#include "tokendb/token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cctype>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "src/base/text.h"
#include "src/model/liveness.h"

namespace tokendb {
namespace {

constexpr size_t kUuidTextBytes = 36;

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isxdigit(c) != 0; });
}

// `text` has 2 N hexadecimal digits.
template <size_t N>
std::array<char, N> BytesFromHex(std::string_view text) {
  const std::string decoded = absl::HexStringToBytes(AbslView(text));
  std::array<char, N> bytes;
  std::copy_n(decoded.begin(), N, bytes.begin());
  return bytes;
}

}  // namespace

absl::StatusOr<TokenId> TokenId::Parse(std::string_view uuid) {
  std::string digits;
  bool well_formed = uuid.size() == kUuidTextBytes;
  for (size_t i = 0; well_formed && i < uuid.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      well_formed = uuid[i] == '-';
    } else {
      digits.push_back(uuid[i]);
    }
  }
  if (!well_formed || !IsHex(digits)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", absl::CEscape(AbslView(uuid.substr(0, 64))), "\" is not a UUID"));
  }
  const TokenId id(BytesFromHex<kSize>(digits));
  if (id.IsNil()) {
    return absl::InvalidArgumentError("the nil UUID is no token's");
  }
  return id;
}

std::string TokenId::ToString() const {
  const std::string hex = Hex(bytes());
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-",
                      hex.substr(12, 4), "-", hex.substr(16, 4), "-",
                      hex.substr(20));
}

absl::StatusOr<Digest> Digest::OfSecret(std::string_view secret,
                                        std::string_view kind) {
  if (secret.empty()) return absl::InvalidArgumentError("the secret is empty");
  std::array<char, kSize> bytes;
  auto* out = reinterpret_cast<unsigned char*>(bytes.data());
  const auto* in = reinterpret_cast<const unsigned char*>(secret.data());
  bool done = false;
  if (kind.empty()) {
    done = SHA256(in, secret.size(), out) != nullptr;
  } else {
    unsigned int length = 0;
    done = HMAC(EVP_sha256(), kind.data(), static_cast<int>(kind.size()), in,
                secret.size(), out, &length) != nullptr;
  }
  if (!done) return absl::InternalError("SHA-256 is not available");
  return Digest(bytes);
}

absl::StatusOr<Digest> Digest::Parse(std::string_view hex) {
  // The text is not repeated: it might be a secret given by mistake.
  if (hex.size() != 2 * kSize || !IsHex(hex)) {
    return absl::InvalidArgumentError("a digest has 64 hexadecimal digits");
  }
  return Digest(BytesFromHex<kSize>(hex));
}

std::string Digest::ToString() const { return Hex(bytes()); }

bool operator==(const Digest& a, const Digest& b) {
  return CRYPTO_memcmp(a.bytes_.data(), b.bytes_.data(), Digest::kSize) == 0;
}

std::ostream& operator<<(std::ostream& out, const Digest& digest) {
  return out << Hex(digest.bytes().substr(0, 4)) << "..";
}

std::string_view TokenStateName(TokenState state) {
  switch (state) {
    case TokenState::kLive:
      return "live";
    case TokenState::kExpired:
      return "expired";
    case TokenState::kRevoked:
      return "revoked";
    case TokenState::kDisabled:
      return "disabled";
    case TokenState::kNotYetValid:
      return "not_yet_valid";
    case TokenState::kUnknown:
      return "unknown";
  }
  return "unknown";
}

TokenState StateOf(const Token& token, absl::Time now) {
  return StateAt(ValidityOf(token), FloorToMillis(now));
}

std::optional<absl::Duration> RemainingLifetime(const Token& token,
                                                absl::Time now) {
  if (!token.expires_at.has_value()) return std::nullopt;
  // Rounded as the rule rounds it, so that no expired token has time left.
  const absl::Time expiry = FromMillis(FloorToMillis(*token.expires_at));
  return std::max(absl::ZeroDuration(), expiry - now);
}

}  // namespace tokendb
