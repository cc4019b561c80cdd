#include "src/index/hot_row.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "src/base/crc32c.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/model/liveness.h"

namespace tokendb {
namespace {

constexpr uint8_t kRevoked = 1;
constexpr uint8_t kLastUse = 2;
constexpr uint8_t kNotified = 4;
constexpr uint8_t kKnownFlags = kRevoked | kLastUse | kNotified;

constexpr size_t kCrcBytes = sizeof(uint32_t);
constexpr size_t kFixedBytes = kCrcBytes + sizeof(uint64_t) + 1;

uint32_t CrcOf(const TokenId& id, std::string_view value) {
  return ExtendCrc32c(ExtendCrc32c(0, id.bytes()), value.substr(kCrcBytes));
}

absl::Status Damaged(const TokenId& id, std::string_view what) {
  return absl::DataLossError(
      absl::StrCat("hot row of token ", id.ToString(), ": ", AbslView(what)));
}

bool ConsumeText(std::string_view& in, std::string& text) {
  uint64_t bytes = 0;
  if (!ConsumeVarint(in, bytes) || bytes > in.size()) return false;
  text = in.substr(0, bytes);
  in.remove_prefix(bytes);
  return true;
}

void OverlayLastUse(const HotRow& row, Token& token) {
  if (!row.last_used.has_value()) return;
  const absl::Time at = FromMillis(*row.last_used);
  if (token.last_accessed_at.has_value() && *token.last_accessed_at >= at) {
    return;
  }
  token.last_accessed_at = at;
  token.ip_address = row.ip_address;
}

}  // namespace

HotRow HotRow::Of(const Token& token) {
  return {.expires_at = ValidityOf(token).expires_at,
          .revoked = token.revoked_at.has_value()};
}

bool HotRow::IsOf(const Token& token) const {
  return expires_at == ValidityOf(token).expires_at &&
         revoked == token.revoked_at.has_value();
}

void AppendHotRow(std::string& out, const TokenId& id, const HotRow& row) {
  const size_t begin = out.size();
  out.append(kCrcBytes, '\0');
  AppendBig64(out, OrderedMillis(row.expires_at));
  out.push_back(static_cast<char>((row.revoked ? kRevoked : 0) |
                                  (row.last_used.has_value() ? kLastUse : 0) |
                                  (row.notified.has_value() ? kNotified : 0)));
  if (row.last_used.has_value()) {
    AppendBig64(out, OrderedMillis(*row.last_used));
    AppendVarint(out, row.ip_address.size());
    out.append(row.ip_address);
  }
  if (row.notified.has_value()) {
    AppendBig64(out, OrderedMillis(row.notified->expires_at));
    AppendBig64(out, static_cast<uint64_t>(row.notified->window));
  }
  const uint32_t crc = CrcOf(id, std::string_view(out).substr(begin));
  std::memcpy(out.data() + begin, &crc, sizeof(crc));
}

absl::StatusOr<HotRow> ParseHotRow(const TokenId& id, std::string_view value) {
  if (value.size() < kFixedBytes) return Damaged(id, "it is cut off");
  uint32_t crc = 0;
  std::memcpy(&crc, value.data(), sizeof(crc));
  if (crc != CrcOf(id, value)) return Damaged(id, "its checksum is wrong");
  HotRow row;
  row.expires_at = FromOrderedMillis(LoadBig64(&value[kCrcBytes]));
  const auto flags = static_cast<uint8_t>(value[kFixedBytes - 1]);
  if ((flags & ~kKnownFlags) != 0) return Damaged(id, "a flag is not known");
  row.revoked = (flags & kRevoked) != 0;
  value.remove_prefix(kFixedBytes);
  if ((flags & kLastUse) != 0) {
    Millis at = 0;
    if (!ConsumeMillis(value, at) || !ConsumeText(value, row.ip_address)) {
      return Damaged(id, "its last use is cut off");
    }
    row.last_used = at;
  }
  if ((flags & kNotified) != 0) {
    Notified& notified = row.notified.emplace();
    if (!ConsumeMillis(value, notified.expires_at) ||
        value.size() < sizeof(uint64_t)) {
      return Damaged(id, "its mark is cut off");
    }
    notified.window = static_cast<Millis>(LoadBig64(value.data()));
    value.remove_prefix(sizeof(uint64_t));
  }
  if (!value.empty()) return Damaged(id, "it is too long");
  return row;
}

absl::StatusOr<std::vector<std::optional<HotRow>>> OverlayHotRows(
    const Store& store, const Snapshot* snapshot,
    absl::Span<Token* const> tokens) {
  std::vector<std::optional<HotRow>> rows(tokens.size());
  if (tokens.empty() || !store.MayHold(Family::kHot)) return rows;
  std::vector<std::string_view> keys;
  keys.reserve(tokens.size());
  for (const Token* const token : tokens) keys.push_back(token->id.bytes());
  ValueBatch values;
  store.GetMany(snapshot, Family::kHot, keys, values);
  for (size_t i = 0; i < tokens.size(); ++i) {
    ASSIGN_OR_RETURN(const auto value, values.Value(i));
    if (!value.has_value()) continue;
    ASSIGN_OR_RETURN(HotRow row, ParseHotRow(tokens[i]->id, *value));
    if (!row.IsOf(*tokens[i])) continue;
    OverlayLastUse(row, *tokens[i]);
    rows[i] = std::move(row);
  }
  return rows;
}

absl::StatusOr<std::optional<HotRow>> OverlayHotRow(const Store& store,
                                                    const Snapshot* snapshot,
                                                    Token& token) {
  if (!store.MayHold(Family::kHot)) return std::nullopt;
  PinnedValue value;
  ASSIGN_OR_RETURN(const bool found,
                   store.Get(snapshot, Family::kHot, token.id.bytes(), value));
  if (!found) return std::nullopt;
  ASSIGN_OR_RETURN(HotRow row, ParseHotRow(token.id, value.view()));
  if (!row.IsOf(token)) return std::nullopt;
  OverlayLastUse(row, token);
  return row;
}

}  // namespace tokendb
