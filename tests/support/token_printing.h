// How GoogleTest prints a token when an expectation fails.
#ifndef TOKENDB_TESTS_SUPPORT_TOKEN_PRINTING_H_
#define TOKENDB_TESTS_SUPPORT_TOKEN_PRINTING_H_

#include <ostream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/time/time.h"
#include "tokendb/token.h"

namespace tokendb {

// Found by its argument's namespace. Fields at their default are left out.
inline void PrintTo(const Token& token, std::ostream* out) {
  const auto text = [out](const char* name, const std::string& value) {
    if (value.empty()) return;
    *out << " " << name << "=\"" << absl::CEscape(value.substr(0, 60)) << "\"";
    if (value.size() > 60) *out << "... (" << value.size() << " bytes)";
  };
  const auto time = [out](const char* name, const auto& value) {
    if (value.has_value()) *out << " " << name << "=" << *value;
  };
  *out << "{" << token.id << " v" << token.version;
  if (token.digest.has_value()) *out << " digest=" << *token.digest;
  if (token.owner.has_value()) text("owner", token.owner->id);
  text("description", token.description);
  *out << " scopes=[";
  for (const std::string& scope : token.scopes) text("", scope);
  *out << " ] created=" << token.created_at;
  time("expires", token.expires_at);
  time("accessed", token.last_accessed_at);
  time("not_before", token.not_before);
  time("revoked", token.revoked_at);
  text("reason", token.revoked_reason);
  text("kind", token.kind);
  text("organization", token.organization);
  text("ip", token.ip_address);
  text("metadata", token.metadata);
  if (!token.enabled) *out << " disabled";
  *out << "}";
}

inline void PrintTo(TokenState state, std::ostream* out) {
  *out << TokenStateName(state);
}

}  // namespace tokendb

#endif  // TOKENDB_TESTS_SUPPORT_TOKEN_PRINTING_H_
