#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/model/millis.h"
#include "tokendb/token.h"

namespace tokendb {
namespace {

absl::Status CheckText(const std::string& text, size_t maximum,
                       const char* field, const char* limit) {
  if (text.size() <= maximum) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, " has ", text.size(),
                   " bytes, more than Limits::", limit, " (", maximum, ")"));
}

absl::Status CheckTexts(const Token& token) {
  struct TextLimit {
    const std::string& text;
    size_t maximum;
    const char* field;
    const char* limit;
  };
  static const std::string kNone;
  const Owner* const owner = token.owner.has_value() ? &*token.owner : nullptr;
  const TextLimit limits[] = {
      {token.node_id, Limits::kNodeIdBytes, "node_id", "kNodeIdBytes"},
      {owner ? owner->id : kNone, Limits::kOwnerIdBytes, "owner.id",
       "kOwnerIdBytes"},
      {owner ? owner->name : kNone, Limits::kOwnerNameBytes, "owner.name",
       "kOwnerNameBytes"},
      {owner ? owner->email : kNone, Limits::kOwnerEmailBytes, "owner.email",
       "kOwnerEmailBytes"},
      {token.description, Limits::kDescriptionBytes, "description",
       "kDescriptionBytes"},
      {token.ip_address, Limits::kIpAddressBytes, "ip_address",
       "kIpAddressBytes"},
      {token.organization, Limits::kOrganizationBytes, "organization",
       "kOrganizationBytes"},
      {token.kind, Limits::kKindBytes, "kind", "kKindBytes"},
      {token.name, Limits::kNameBytes, "name", "kNameBytes"},
      {token.revoked_reason, Limits::kRevokedReasonBytes, "revoked_reason",
       "kRevokedReasonBytes"},
      {token.created_by, Limits::kCreatedByBytes, "created_by",
       "kCreatedByBytes"},
      {token.metadata, Limits::kRecordBytes, "metadata", "kRecordBytes"},
  };
  for (const TextLimit& limit : limits) {
    RETURN_IF_ERROR(
        CheckText(limit.text, limit.maximum, limit.field, limit.limit));
  }
  if (owner != nullptr && owner->id.empty()) {
    return absl::InvalidArgumentError(
        "owner.id is empty; leave the owner out instead");
  }
  return absl::OkStatus();
}

absl::Status CheckScopes(const std::vector<std::string>& scopes) {
  for (const std::string& scope : scopes) {
    if (scope.empty()) return absl::InvalidArgumentError("a scope is empty");
    RETURN_IF_ERROR(
        CheckText(scope, Limits::kScopeBytes, "a scope", "kScopeBytes"));
  }
  if (scopes.size() <= Limits::kScopes) return absl::OkStatus();
  std::vector<std::string_view> distinct(scopes.begin(), scopes.end());
  std::sort(distinct.begin(), distinct.end());
  const auto count =
      std::unique(distinct.begin(), distinct.end()) - distinct.begin();
  if (static_cast<size_t>(count) <= Limits::kScopes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("there are ", count, " scopes, more than Limits::kScopes (",
                   Limits::kScopes, ")"));
}

using RoundingRule = Millis (*)(absl::Time);

// Checks the time that would be stored.
absl::Status CheckTime(const std::optional<absl::Time>& time, const char* field,
                       RoundingRule round = FloorToMillis) {
  if (!time.has_value()) return absl::OkStatus();
  const Millis millis = round(*time);
  if (millis >= kMinMillis && millis <= kMaxMillis) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is not in the years 1 to 9999"));
}

// An IPv4 or IPv6 address, with or without "/" and the number of bits.
bool IsNetwork(const std::string& text) {
  const size_t slash = text.find('/');
  const std::string address = text.substr(0, slash);
  unsigned char bytes[sizeof(in6_addr)];
  int bits = 0;
  if (inet_pton(AF_INET, address.c_str(), bytes) == 1) {
    bits = 32;
  } else if (inet_pton(AF_INET6, address.c_str(), bytes) == 1) {
    bits = 128;
  } else {
    return false;
  }
  // c_str() would hide what follows a NUL.
  if (address.find('\0') != std::string::npos) return false;
  if (slash == std::string::npos) return true;
  int length = -1;
  const char* const end = text.data() + text.size();
  const auto [rest, error] =
      std::from_chars(text.data() + slash + 1, end, length);
  return error == std::errc() && rest == end && length >= 0 && length <= bits;
}

absl::Status CheckNetworks(const std::vector<std::string>& networks) {
  if (networks.size() > Limits::kCidrs) {
    return absl::InvalidArgumentError(absl::StrCat(
        "there are ", networks.size(),
        " allowed_cidrs, more than Limits::kCidrs (", Limits::kCidrs, ")"));
  }
  for (const std::string& network : networks) {
    RETURN_IF_ERROR(CheckText(network, Limits::kCidrBytes,
                              "one of allowed_cidrs", "kCidrBytes"));
    if (!IsNetwork(network)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "allowed_cidrs: \"", absl::CEscape(network), "\" is not a network"));
    }
  }
  return absl::OkStatus();
}

absl::Time Rounded(absl::Time time) { return FromMillis(FloorToMillis(time)); }

void Round(std::optional<absl::Time>& time) {
  if (time.has_value()) time = Rounded(*time);
}

}  // namespace

absl::Status Validate(const Token& token) {
  RETURN_IF_ERROR(CheckTexts(token));
  RETURN_IF_ERROR(CheckScopes(token.scopes));
  if (token.created_at != absl::InfinitePast()) {
    RETURN_IF_ERROR(CheckTime(token.created_at, "created_at"));
  }
  RETURN_IF_ERROR(CheckTime(token.expires_at, "expires_at"));
  RETURN_IF_ERROR(CheckTime(token.last_accessed_at, "last_accessed_at"));
  RETURN_IF_ERROR(CheckTime(token.not_before, "not_before", CeilToMillis));
  RETURN_IF_ERROR(CheckTime(token.revoked_at, "revoked_at"));
  if (token.family_id.has_value() && token.family_id->IsNil()) {
    return absl::InvalidArgumentError("family_id is nil");
  }
  if (token.parent_id.has_value() && token.parent_id->IsNil()) {
    return absl::InvalidArgumentError("parent_id is nil");
  }
  return CheckNetworks(token.allowed_cidrs);
}

Token Normalize(Token token) {
  std::sort(token.scopes.begin(), token.scopes.end());
  token.scopes.erase(std::unique(token.scopes.begin(), token.scopes.end()),
                     token.scopes.end());
  if (token.created_at != absl::InfinitePast()) {
    token.created_at = Rounded(token.created_at);
  }
  Round(token.expires_at);
  Round(token.last_accessed_at);
  Round(token.revoked_at);
  if (token.not_before.has_value()) {
    token.not_before = FromMillis(CeilToMillis(*token.not_before));
  }
  return token;
}

}  // namespace tokendb
