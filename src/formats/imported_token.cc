#include "src/formats/imported_token.h"

#include <array>
#include <cstring>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "src/base/status_macros.h"
#include "src/formats/time_text.h"
#include "src/model/millis.h"

namespace tokendb {
namespace {

// Lengths in front keep ("ab", "c") and ("a", "bc") apart.
void AppendPart(std::string& content, const Change<std::string>& part) {
  const std::string text = part.value().value_or("");
  AppendVarint(content, text.size());
  content.append(text);
}

std::string IdentifyingContent(const ImportedToken& token) {
  std::string content = "tokendb imported token";
  content.push_back('\0');
  if (token.fields.digest.value().has_value()) {
    content.append(token.fields.digest.value()->bytes());
    return content;
  }
  AppendPart(content, token.owner_id);
  AppendPart(content, token.fields.organization);
  AppendPart(content, token.fields.kind);
  AppendPart(content, token.fields.name);
  AppendPart(content, token.fields.description);
  if (token.created_at.has_value()) {
    AppendBig64(content, OrderedMillis(FloorToMillis(*token.created_at)));
  }
  return content;
}

// Puts the part on top of what is there.
void Assign(const Change<std::string>& part, std::string& text) {
  if (!part.IsKeep()) text = part.value().value_or("");
}

absl::StatusOr<Change<Owner>> OwnerChange(const ImportedToken& imported,
                                          const Token* current) {
  const bool untouched = imported.owner_id.IsKeep() &&
                         imported.owner_name.IsKeep() &&
                         imported.owner_email.IsKeep();
  if (untouched) return Change<Owner>();
  Owner owner;
  if (current != nullptr && current->owner.has_value()) owner = *current->owner;
  const bool cleared = imported.owner_id.IsClear();
  if (cleared) owner = Owner();
  // The names known of one owner say nothing about another.
  if (imported.owner_id.value().has_value() &&
      *imported.owner_id.value() != owner.id) {
    owner = Owner();
  }
  Assign(imported.owner_id, owner.id);
  Assign(imported.owner_name, owner.name);
  Assign(imported.owner_email, owner.email);
  if (!owner.id.empty()) return Change<Owner>(std::move(owner));
  if (!owner.name.empty() || !owner.email.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the owner \"", owner.name, "\" has no id"));
  }
  return Change<Owner>(kClear);
}

absl::Status CheckCreation(const ImportedToken& imported,
                           const Token* current) {
  if (current == nullptr || !imported.created_at.has_value() ||
      FloorToMillis(*imported.created_at) ==
          FloorToMillis(current->created_at)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "the token ", current->id.ToString(), " was created at ",
      Rfc3339(current->created_at), " according to the database, at ",
      Rfc3339(*imported.created_at),
      " according to the file; the creation time cannot be changed"));
}

}  // namespace

void CompleteId(ImportedToken& token) {
  if (!token.id.IsNil()) return;
  // SHA-256, under the name of its main use. The content is never empty, the
  // only error there is.
  const absl::StatusOr<Digest> hash =
      Digest::OfSecret(IdentifyingContent(token));
  if (!hash.ok()) return;
  std::array<char, TokenId::kSize> bytes;
  std::memcpy(bytes.data(), hash->bytes().data(), bytes.size());
  bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x80);  // Version 8.
  bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);  // RFC variant.
  token.id = TokenId(bytes);
}

absl::StatusOr<TokenPatch> PatchFor(const ImportedToken& imported,
                                    const Token* current, absl::Time now) {
  RETURN_IF_ERROR(CheckCreation(imported, current));
  TokenPatch patch = imported.fields;
  ASSIGN_OR_RETURN(patch.owner, OwnerChange(imported, current));
  if (imported.revoked_at_unknown_time) {
    if (current != nullptr && current->revoked_at.has_value()) {
      patch.revoked_at = {};
    } else if (imported.created_at.has_value()) {
      patch.revoked_at = *imported.created_at;
    } else {
      patch.revoked_at = current != nullptr ? current->created_at : now;
    }
  }
  return patch;
}

absl::StatusOr<Token> NewToken(const ImportedToken& imported, absl::Time now) {
  ASSIGN_OR_RETURN(const TokenPatch patch, PatchFor(imported, nullptr, now));
  Token token;
  token.id = imported.id;
  if (imported.created_at.has_value()) token.created_at = *imported.created_at;
  return Apply(patch, std::move(token));
}

}  // namespace tokendb
