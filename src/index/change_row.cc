#include "src/index/change_row.h"

#include <cstddef>
#include <cstring>
#include <optional>

#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "src/base/crc32c.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/index/keys.h"
#include "src/model/millis.h"

namespace tokendb {
namespace {

using Kind = TokenChange::Kind;

constexpr size_t kCrcBytes = sizeof(uint32_t);
constexpr size_t kTimeAt = kCrcBytes + 1;
constexpr size_t kIdAt = kTimeAt + sizeof(uint64_t);
constexpr size_t kFixedBytes = kIdAt + TokenId::kSize;

uint32_t CrcOf(std::string_view key, std::string_view value) {
  return ExtendCrc32c(ExtendCrc32c(0, key), value.substr(kCrcBytes));
}

char CodeOf(Kind kind) {
  switch (kind) {
    case Kind::kIssued:
      return 1;
    case Kind::kUpdated:
      return 2;
    case Kind::kRevoked:
      return 3;
    case Kind::kDeleted:
      return 4;
  }
  return 0;
}

std::optional<Kind> KindOf(char code) {
  for (const Kind kind :
       {Kind::kIssued, Kind::kUpdated, Kind::kRevoked, Kind::kDeleted}) {
    if (CodeOf(kind) == code) return kind;
  }
  return std::nullopt;
}

absl::Status Damaged(uint64_t number, std::string_view what) {
  return absl::DataLossError(
      absl::StrCat("row of change ", number, ": ", AbslView(what)));
}

}  // namespace

std::string ChangeKey(uint64_t number) {
  std::string key;
  AppendBig64(key, number);
  return key;
}

absl::StatusOr<uint64_t> ParseChangeKey(std::string_view key) {
  if (key.size() != sizeof(uint64_t)) {
    return absl::DataLossError("a key of the change family is no number");
  }
  return LoadBig64(key.data());
}

std::string ChangeRow(uint64_t number, const TokenChange& change) {
  std::string row(kCrcBytes, '\0');
  row.push_back(CodeOf(change.kind));
  AppendBig64(row, OrderedMillis(FloorToMillis(change.at)));
  row.append(change.id.bytes());
  AppendVarint(row, change.version);
  if (change.kind == Kind::kRevoked) {
    AppendBig64(row, OrderedMillis(FloorToMillis(*change.revoked_at)));
  }
  const uint32_t crc = CrcOf(ChangeKey(number), row);
  std::memcpy(row.data(), &crc, sizeof(crc));
  return row;
}

absl::StatusOr<TokenChange> ParseChangeRow(std::string_view key,
                                           std::string_view value) {
  ASSIGN_OR_RETURN(const uint64_t number, ParseChangeKey(key));
  if (value.size() < kFixedBytes) return Damaged(number, "it is cut off");
  uint32_t crc = 0;
  std::memcpy(&crc, value.data(), sizeof(crc));
  if (crc != CrcOf(key, value)) {
    return Damaged(number, "its checksum is wrong");
  }
  const std::optional<Kind> kind = KindOf(value[kCrcBytes]);
  if (!kind.has_value()) return Damaged(number, "its kind is unknown");
  TokenChange change;
  change.kind = *kind;
  change.at = FromMillis(FromOrderedMillis(LoadBig64(&value[kTimeAt])));
  change.id = IdFromBytes(value.substr(kIdAt, TokenId::kSize));
  value.remove_prefix(kFixedBytes);
  const size_t revocation_bytes =
      *kind == Kind::kRevoked ? sizeof(uint64_t) : 0;
  if (!ConsumeVarint(value, change.version) ||
      value.size() != revocation_bytes) {
    return Damaged(number, "its end is malformed");
  }
  if (*kind == Kind::kRevoked) {
    change.revoked_at = FromMillis(FromOrderedMillis(LoadBig64(value.data())));
  }
  return change;
}

std::string_view TokenChangeKindName(TokenChange::Kind kind) {
  switch (kind) {
    case Kind::kIssued:
      return "issued";
    case Kind::kUpdated:
      return "updated";
    case Kind::kRevoked:
      return "revoked";
    case Kind::kDeleted:
      return "deleted";
  }
  return "unknown";
}

}  // namespace tokendb
