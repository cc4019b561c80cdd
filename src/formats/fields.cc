#include "src/formats/fields.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/formats/time_text.h"

namespace tokendb {
namespace {

constexpr FieldInfo kFields[] = {
    {Field::kOwnerName, FieldType::kText, "Owner", ""},
    {Field::kOwnerEmail, FieldType::kText, "Owner Email", ""},
    {Field::kOwnerId, FieldType::kText, "Owner ID", ""},
    {Field::kUuid, FieldType::kCode, "Token UUID", "uuid"},
    {Field::kDescription, FieldType::kText, "Token Description", "description"},
    {Field::kLastAccessedAt, FieldType::kTime, "Last Used At",
     "lastAccessedAt"},
    {Field::kIpAddress, FieldType::kText, "Last Request IP", "ipAddress"},
    {Field::kCreatedAt, FieldType::kTime, "Created At", "createdAt"},
    {Field::kScopes, FieldType::kList, "Scopes", "scopes"},
    {Field::kExpiresAt, FieldType::kTime, "Expires At", "expiresAt"},
    {Field::kOrganization, FieldType::kText, "Organization", "organization"},
    {Field::kKind, FieldType::kText, "Kind", "kind"},
    {Field::kName, FieldType::kText, "Name", "name"},
    {Field::kNotBefore, FieldType::kTime, "Not Before", "notBefore"},
    {Field::kRevokedAt, FieldType::kTime, "Revoked At", "revokedAt"},
    {Field::kRevokedReason, FieldType::kText, "Revoked Reason",
     "revokedReason"},
    {Field::kEnabled, FieldType::kBool, "Enabled", "enabled"},
    {Field::kFamilyId, FieldType::kCode, "Family ID", "familyId"},
    {Field::kParentId, FieldType::kCode, "Parent ID", "parentId"},
    {Field::kCreatedBy, FieldType::kText, "Created By", "createdBy"},
    {Field::kAllowedCidrs, FieldType::kList, "Allowed CIDRs", "allowedCidrs"},
    {Field::kPepperVersion, FieldType::kNumber, "Pepper Version",
     "pepperVersion"},
    {Field::kMetadata, FieldType::kCode, "Metadata", "metadata"},
    {Field::kNodeId, FieldType::kText, "Node ID", "id"},
    {Field::kDigest, FieldType::kCode, "Digest", "digest"},
    {Field::kState, FieldType::kCode, "State", ""},
};

template <typename T>
absl::Status Set(Change<T>& change, absl::StatusOr<T> value) {
  if (!value.ok()) return value.status();
  change = Change<T>(*std::move(value));
  return absl::OkStatus();
}

absl::Status Set(Change<std::string>& change, std::string_view text) {
  change = std::string(text);
  return absl::OkStatus();
}

absl::StatusOr<bool> ParseBool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return absl::InvalidArgumentError("is neither true nor false");
}

absl::StatusOr<uint32_t> ParseNumber(std::string_view text) {
  uint32_t number = 0;
  if (!absl::SimpleAtoi(AbslView(text), &number)) {
    return absl::InvalidArgumentError("is no number from 0 to 4294967295");
  }
  return number;
}

absl::StatusOr<std::string> ParseBase64(std::string_view text) {
  std::string bytes;
  if (!absl::Base64Unescape(AbslView(text), &bytes)) {
    return absl::InvalidArgumentError("is not base64");
  }
  return bytes;
}

absl::Status SetState(std::string_view text, ImportedToken& token) {
  for (const TokenState state :
       {TokenState::kLive, TokenState::kRevoked, TokenState::kDisabled}) {
    if (text == TokenStateName(state)) {
      token.state = state;
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", absl::CHexEscape(AbslView(text)),
                   "\" is no state: use live, revoked, disabled or nothing"));
}

absl::Status SetCreatedAt(std::string_view text, ImportedToken& token) {
  ASSIGN_OR_RETURN(token.created_at, ParseTime(text));
  return absl::OkStatus();
}

absl::Status SetUuid(std::string_view text, ImportedToken& token) {
  ASSIGN_OR_RETURN(token.id, TokenId::Parse(text));
  return absl::OkStatus();
}

void ClearField(Field field, ImportedToken& token) {
  TokenPatch& fields = token.fields;
  switch (field) {
    case Field::kUuid:
    case Field::kCreatedAt:
    case Field::kState:
      return;
    case Field::kOwnerName:
      token.owner_name = kClear;
      return;
    case Field::kOwnerEmail:
      token.owner_email = kClear;
      return;
    case Field::kOwnerId:
      token.owner_id = kClear;
      return;
    case Field::kDescription:
      fields.description = kClear;
      return;
    case Field::kLastAccessedAt:
      fields.last_accessed_at = kClear;
      return;
    case Field::kIpAddress:
      fields.ip_address = kClear;
      return;
    case Field::kScopes:
      fields.scopes = kClear;
      return;
    case Field::kExpiresAt:
      fields.expires_at = kClear;
      return;
    case Field::kOrganization:
      fields.organization = kClear;
      return;
    case Field::kKind:
      fields.kind = kClear;
      return;
    case Field::kName:
      fields.name = kClear;
      return;
    case Field::kNotBefore:
      fields.not_before = kClear;
      return;
    case Field::kRevokedAt:
      fields.revoked_at = kClear;
      return;
    case Field::kRevokedReason:
      fields.revoked_reason = kClear;
      return;
    case Field::kEnabled:
      fields.enabled = kClear;
      return;
    case Field::kFamilyId:
      fields.family_id = kClear;
      return;
    case Field::kParentId:
      fields.parent_id = kClear;
      return;
    case Field::kCreatedBy:
      fields.created_by = kClear;
      return;
    case Field::kAllowedCidrs:
      fields.allowed_cidrs = kClear;
      return;
    case Field::kPepperVersion:
      fields.pepper_version = kClear;
      return;
    case Field::kMetadata:
      fields.metadata = kClear;
      return;
    case Field::kNodeId:
      fields.node_id = kClear;
      return;
    case Field::kDigest:
      fields.digest = kClear;
      return;
  }
}

std::string TimeText(const std::optional<absl::Time>& time) {
  return time.has_value() ? Rfc3339(*time) : std::string();
}

std::string IdText(const std::optional<TokenId>& id) {
  return id.has_value() ? id->ToString() : std::string();
}

}  // namespace

absl::Span<const FieldInfo> Fields() { return kFields; }

const FieldInfo* FindColumn(std::string_view column) {
  for (const FieldInfo& info : kFields) {
    if (absl::EqualsIgnoreCase(AbslView(info.column), AbslView(column))) {
      return &info;
    }
  }
  return nullptr;
}

const FieldInfo* FindKey(std::string_view key) {
  for (const FieldInfo& info : kFields) {
    if (!key.empty() && info.key == key) return &info;
  }
  return nullptr;
}

absl::Status SetField(Field field, std::string_view text,
                      ImportedToken& token) {
  if (text.empty()) {
    ClearField(field, token);
    return absl::OkStatus();
  }
  TokenPatch& fields = token.fields;
  switch (field) {
    case Field::kUuid:
      return SetUuid(text, token);
    case Field::kCreatedAt:
      return SetCreatedAt(text, token);
    case Field::kState:
      return SetState(text, token);
    case Field::kOwnerName:
      return Set(token.owner_name, text);
    case Field::kOwnerEmail:
      return Set(token.owner_email, text);
    case Field::kOwnerId:
      return Set(token.owner_id, text);
    case Field::kDescription:
      return Set(fields.description, text);
    case Field::kLastAccessedAt:
      return Set(fields.last_accessed_at, ParseTime(text));
    case Field::kIpAddress:
      return Set(fields.ip_address, text);
    case Field::kExpiresAt:
      return Set(fields.expires_at, ParseTime(text));
    case Field::kOrganization:
      return Set(fields.organization, text);
    case Field::kKind:
      return Set(fields.kind, text);
    case Field::kName:
      return Set(fields.name, text);
    case Field::kNotBefore:
      return Set(fields.not_before, ParseTime(text));
    case Field::kRevokedAt:
      return Set(fields.revoked_at, ParseTime(text));
    case Field::kRevokedReason:
      return Set(fields.revoked_reason, text);
    case Field::kEnabled:
      return Set(fields.enabled, ParseBool(text));
    case Field::kFamilyId:
      return Set(fields.family_id, TokenId::Parse(text));
    case Field::kParentId:
      return Set(fields.parent_id, TokenId::Parse(text));
    case Field::kCreatedBy:
      return Set(fields.created_by, text);
    case Field::kPepperVersion:
      return Set(fields.pepper_version, ParseNumber(text));
    case Field::kMetadata:
      return Set(fields.metadata, ParseBase64(text));
    case Field::kNodeId:
      return Set(fields.node_id, text);
    case Field::kDigest:
      return Set(fields.digest, Digest::Parse(text));
    case Field::kScopes:
    case Field::kAllowedCidrs:
      break;
  }
  return absl::InternalError("a list is set with SetList()");
}

void SetList(Field field, std::vector<std::string> items,
             ImportedToken& token) {
  Change<std::vector<std::string>>& change = field == Field::kScopes
                                                 ? token.fields.scopes
                                                 : token.fields.allowed_cidrs;
  change = std::move(items);
}

absl::Status Reconcile(ImportedToken& token) {
  TokenPatch& fields = token.fields;
  const std::optional<TokenState> state = std::exchange(token.state, {});
  if (!state.has_value()) return absl::OkStatus();
  const std::optional<bool> enabled = fields.enabled.value();
  if (*state == TokenState::kRevoked) {
    token.revoked_at_unknown_time = !fields.revoked_at.value().has_value();
    return absl::OkStatus();
  }
  if (*state == TokenState::kDisabled) {
    if (enabled == true) {
      return absl::InvalidArgumentError("the state is disabled, Enabled true");
    }
    fields.enabled = false;
    return absl::OkStatus();
  }
  if (enabled == false) {
    return absl::InvalidArgumentError("the state is live, Enabled false");
  }
  fields.enabled = true;
  if (fields.revoked_at.IsKeep()) fields.revoked_at = kClear;
  return absl::OkStatus();
}

std::string FieldText(Field field, const Token& token) {
  static const Owner kNobody;
  const Owner& owner = token.owner.has_value() ? *token.owner : kNobody;
  switch (field) {
    case Field::kOwnerName:
      return owner.name;
    case Field::kOwnerEmail:
      return owner.email;
    case Field::kOwnerId:
      return owner.id;
    case Field::kUuid:
      return token.id.ToString();
    case Field::kDescription:
      return token.description;
    case Field::kLastAccessedAt:
      return TimeText(token.last_accessed_at);
    case Field::kIpAddress:
      return token.ip_address;
    case Field::kCreatedAt:
      return Rfc3339(token.created_at);
    case Field::kExpiresAt:
      return TimeText(token.expires_at);
    case Field::kOrganization:
      return token.organization;
    case Field::kKind:
      return token.kind;
    case Field::kName:
      return token.name;
    case Field::kNotBefore:
      return TimeText(token.not_before);
    case Field::kRevokedAt:
      return TimeText(token.revoked_at);
    case Field::kRevokedReason:
      return token.revoked_reason;
    case Field::kEnabled:
      return token.enabled ? "true" : "false";
    case Field::kFamilyId:
      return IdText(token.family_id);
    case Field::kParentId:
      return IdText(token.parent_id);
    case Field::kCreatedBy:
      return token.created_by;
    case Field::kPepperVersion:
      return absl::StrCat(token.pepper_version);
    case Field::kMetadata:
      return absl::Base64Escape(token.metadata);
    case Field::kNodeId:
      return token.node_id;
    case Field::kDigest:
      return token.digest.has_value() ? token.digest->ToString()
                                      : std::string();
    case Field::kScopes:
    case Field::kAllowedCidrs:
    case Field::kState:
      break;
  }
  return {};
}

const std::vector<std::string>& FieldList(Field field, const Token& token) {
  return field == Field::kScopes ? token.scopes : token.allowed_cidrs;
}

}  // namespace tokendb
