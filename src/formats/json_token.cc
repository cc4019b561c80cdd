// A token in JSON. Keys are those of Buildkite's OrganizationAPIAccessToken
// (id, uuid, description, createdAt, expiresAt, lastAccessedAt, ipAddress,
// scopes, owner {id, name, email}) and, in JSON lines, tokendb's own (see
// fields.cc). null clears a field. A scope in the upper-case spelling of
// Buildkite's enum is stored in its lower-case one.
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "src/base/text.h"
#include "src/formats/fields.h"
#include "src/formats/json_value.h"
#include "tokendb/scope.h"

namespace tokendb {
namespace {

using Type = JsonValue::Type;
using Problem = std::optional<InputError>;

Problem Bad(Position position, const std::string& key, std::string_view why) {
  return InputError{.position = position,
                    .message = absl::StrCat("\"", absl::CHexEscape(key), "\" ",
                                            AbslView(why))};
}

std::string StoredScope(const std::string& scope) {
  const std::optional<BuildkiteScope> known = FindBuildkiteScope(scope);
  return known.has_value() ? std::string(known->name) : scope;
}

Problem ReadList(const FieldInfo& info, const JsonMember& member,
                 ImportedToken& token) {
  if (member.value.type != Type::kArray) {
    return Bad(member.value.position, member.key, "must be an array of texts");
  }
  std::vector<std::string> items;
  for (const JsonValue& item : member.value.items) {
    if (item.type != Type::kText) {
      return Bad(item.position, member.key, "must be an array of texts");
    }
    items.push_back(info.field == Field::kScopes ? StoredScope(item.text)
                                                 : item.text);
  }
  SetList(info.field, std::move(items), token);
  return std::nullopt;
}

Type ExpectedType(FieldType type) {
  switch (type) {
    case FieldType::kBool:
      return Type::kBool;
    case FieldType::kNumber:
      return Type::kNumber;
    default:
      return Type::kText;
  }
}

const char* ExpectedText(FieldType type) {
  switch (type) {
    case FieldType::kBool:
      return "must be true or false";
    case FieldType::kNumber:
      return "must be a number";
    default:
      return "must be a text";
  }
}

Problem ReadField(const FieldInfo& info, const JsonMember& member,
                  ImportedToken& token) {
  const JsonValue& value = member.value;
  if (value.type == Type::kNull) {
    if (info.type == FieldType::kList) {
      SetList(info.field, {}, token);
      return std::nullopt;
    }
    const absl::Status cleared = SetField(info.field, "", token);
    if (cleared.ok()) return std::nullopt;
    return Bad(value.position, member.key, std::string(cleared.message()));
  }
  if (info.type == FieldType::kList) return ReadList(info, member, token);
  if (value.type != ExpectedType(info.type)) {
    return Bad(value.position, member.key, ExpectedText(info.type));
  }
  // Only a text may be empty; elsewhere null says that there is no value.
  if (value.text.empty() && info.type != FieldType::kText) {
    return Bad(value.position, member.key, "is empty");
  }
  const absl::Status status = SetField(info.field, value.text, token);
  if (status.ok()) return std::nullopt;
  return Bad(value.position, member.key,
             absl::StrCat("is wrong: ", status.message()));
}

Problem ReadOwner(const JsonMember& member, ImportedToken& token) {
  if (member.value.type == Type::kNull) {
    token.owner_id = kClear;
    return std::nullopt;
  }
  if (member.value.type != Type::kObject) {
    return Bad(member.value.position, member.key, "must be an object");
  }
  for (const JsonMember& part : member.value.members) {
    Change<std::string>* change = nullptr;
    if (part.key == "id") change = &token.owner_id;
    if (part.key == "name") change = &token.owner_name;
    if (part.key == "email") change = &token.owner_email;
    if (part.key == "__typename") continue;
    if (change == nullptr) {
      return Bad(part.position, part.key, "is no key of an owner");
    }
    if (part.value.type == Type::kNull) {
      *change = kClear;
    } else if (part.value.type == Type::kText) {
      *change = part.value.text;
    } else {
      return Bad(part.value.position, part.key, "must be a text");
    }
  }
  return std::nullopt;
}

// Whether the field is one of Buildkite's.
bool IsBuildkiteField(Field field) {
  switch (field) {
    case Field::kUuid:
    case Field::kDescription:
    case Field::kLastAccessedAt:
    case Field::kIpAddress:
    case Field::kCreatedAt:
    case Field::kScopes:
    case Field::kExpiresAt:
    case Field::kNodeId:
      return true;
    default:
      return false;
  }
}

Problem ReadMember(const JsonMember& member, JsonTokenShape shape,
                   ImportedToken& token) {
  if (member.key == "owner") return ReadOwner(member, token);
  const bool graphql = shape == JsonTokenShape::kGraphQl;
  if (member.key == (graphql ? "__typename" : "version")) return std::nullopt;
  const FieldInfo* info = FindKey(member.key);
  if (info == nullptr || (graphql && !IsBuildkiteField(info->field))) {
    return Bad(member.position, member.key, "is no key of a token");
  }
  return ReadField(*info, member, token);
}

// Buildkite's ids are base64 of "TypeName---UUID".
void IdFromNodeId(ImportedToken& token) {
  std::string text;
  if (!token.fields.node_id.value().has_value() ||
      !absl::Base64Unescape(*token.fields.node_id.value(), &text)) {
    return;
  }
  const size_t separator = text.find("---");
  if (separator == std::string::npos) return;
  const absl::StatusOr<TokenId> id = TokenId::Parse(text.substr(separator + 3));
  if (id.ok()) token.id = *id;
}

}  // namespace

std::optional<InputError> TokenFromJson(const JsonValue& object,
                                        JsonTokenShape shape,
                                        ImportedToken& token) {
  token.position = object.position;
  if (object.type != Type::kObject) {
    return InputError{.position = object.position,
                      .message = "a token must be an object"};
  }
  for (const JsonMember& member : object.members) {
    Problem problem = ReadMember(member, shape, token);
    if (problem.has_value()) return problem;
  }
  if (token.id.IsNil() && shape == JsonTokenShape::kGraphQl) {
    IdFromNodeId(token);
    if (token.id.IsNil()) {
      return InputError{.position = object.position,
                        .message = "the token has no \"uuid\""};
    }
  }
  CompleteId(token);
  return std::nullopt;
}

}  // namespace tokendb
