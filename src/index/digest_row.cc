#include "src/index/digest_row.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "src/base/crc32c.h"
#include "src/base/text.h"
#include "src/index/keys.h"

namespace tokendb {
namespace {

constexpr size_t kCrcBytes = sizeof(uint32_t);
constexpr size_t kFixedBytes = kCrcBytes + kExpiryBytes + TokenId::kSize;

uint32_t CrcOf(const Digest& digest, std::string_view value) {
  return ExtendCrc32c(ExtendCrc32c(0, digest.bytes()), value.substr(kCrcBytes));
}

absl::Status Damaged(const Digest& digest, std::string_view what) {
  // The first bytes are enough to find the row.
  return absl::DataLossError(absl::StrCat("row of digest ",
                                          Hex(digest.bytes().substr(0, 4)),
                                          "..: ", AbslView(what)));
}

}  // namespace

void AppendDigestRow(std::string& out, const Token& token,
                     absl::Span<const uint32_t> scopes) {
  const size_t begin = out.size();
  out.append(kCrcBytes, '\0');
  AppendBig64(out, OrderedMillis(ValidityOf(token).expires_at));
  out.append(token.id.bytes());
  const std::string_view owner_id =
      token.owner.has_value() ? std::string_view(token.owner->id) : "";
  AppendVarint(out, owner_id.size());
  out.append(owner_id);
  AppendCover(out, token, scopes, CoverScopes::kAlways);
  const uint32_t crc =
      CrcOf(*token.digest, std::string_view(out).substr(begin));
  std::memcpy(out.data() + begin, &crc, sizeof(crc));
}

absl::StatusOr<DigestRow> ParseDigestRow(const Digest& digest,
                                         std::string_view value) {
  if (value.size() < kFixedBytes) return Damaged(digest, "it is cut off");
  uint32_t crc = 0;
  std::memcpy(&crc, value.data(), sizeof(crc));
  if (crc != CrcOf(digest, value)) {
    return Damaged(digest, "its checksum is wrong");
  }
  DigestRow row;
  const Millis expires_at = FromOrderedMillis(LoadBig64(&value[kCrcBytes]));
  row.id = IdFromBytes(value.substr(kCrcBytes + kExpiryBytes, TokenId::kSize));
  value.remove_prefix(kFixedBytes);
  uint64_t owner_bytes = 0;
  if (!ConsumeVarint(value, owner_bytes) || owner_bytes > value.size()) {
    return Damaged(digest, "its owner is cut off");
  }
  if (owner_bytes != 0) row.owner_id = value.substr(0, owner_bytes);
  Cover cover;
  if (!ParseCover(value.substr(owner_bytes), cover) ||
      !ParseScopes(cover.encoded_scopes, row.scopes)) {
    return Damaged(digest, "its cover is malformed");
  }
  row.validity = cover.validity;
  row.validity.expires_at = expires_at;
  return row;
}

}  // namespace tokendb
