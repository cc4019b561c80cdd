// The fields of a token under the names they have in files.
#ifndef TOKENDB_SRC_FORMATS_FIELDS_H_
#define TOKENDB_SRC_FORMATS_FIELDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "src/formats/imported_token.h"
#include "tokendb/token.h"

namespace tokendb {

enum class Field : uint8_t {
  kOwnerName,
  kOwnerEmail,
  kOwnerId,
  kUuid,
  kDescription,
  kLastAccessedAt,
  kIpAddress,
  kCreatedAt,
  kScopes,
  kExpiresAt,
  kOrganization,
  kKind,
  kName,
  kNotBefore,
  kRevokedAt,
  kRevokedReason,
  kEnabled,
  kFamilyId,
  kParentId,
  kCreatedBy,
  kAllowedCidrs,
  kPepperVersion,
  kMetadata,
  kNodeId,
  kDigest,
  kState,  // Read only: what it says is in other fields.
};

// What a field's value is in JSON.
enum class FieldType : uint8_t { kText, kTime, kCode, kList, kBool, kNumber };

struct FieldInfo {
  Field field;
  FieldType type;
  std::string_view column;  // In CSV.
  std::string_view key;     // In JSON; empty for the owner's parts.
};

// In the order of CSV's columns: Buildkite's audit export first.
absl::Span<const FieldInfo> Fields();

// Columns are compared without regard to case, keys exactly. Null if there is
// none.
const FieldInfo* FindColumn(std::string_view column);
const FieldInfo* FindKey(std::string_view key);

// Sets a field other than a list from its text. An empty one clears the field,
// except that
// - an empty id or creation time says nothing,
// - an empty state says nothing either, so that a file imported again does not
//   bring a token back that was revoked since.
// InvalidArgument if the text is no value of the field.
absl::Status SetField(Field field, std::string_view text, ImportedToken& token);

// Sets a list field.
void SetList(Field field, std::vector<std::string> items, ImportedToken& token);

// Settles what columns say about each other once all are set: a revoked token
// with a time of revocation was revoked then. InvalidArgument if the state
// contradicts another field.
absl::Status Reconcile(ImportedToken& token);

// The value of a field that is no list as SetField() reads it; empty if the
// token does not have it.
std::string FieldText(Field field, const Token& token);

// The value of a list field.
const std::vector<std::string>& FieldList(Field field, const Token& token);

}  // namespace tokendb

#endif  // TOKENDB_SRC_FORMATS_FIELDS_H_
