#ifndef TOKENDB_SCOPE_H_
#define TOKENDB_SCOPE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/types/span.h"

namespace tokendb {

// One scope of Buildkite's GraphQL enum APIAccessTokenScopes.
struct BuildkiteScope {
  std::string_view enum_name;  // "READ_BUILDS", as GraphQL spells it.
  std::string_view name;  // "read_builds", as REST and the audit export do.
};

// All scopes of the enum, sorted by `enum_name`.
//
// The table is a convenience for naming and spelling; tokendb itself takes any
// text of 1 to 255 bytes as a scope and compares it byte by byte.
absl::Span<const BuildkiteScope> BuildkiteScopes();

// Returns the scope with this name in either spelling, or nothing.
std::optional<BuildkiteScope> FindBuildkiteScope(std::string_view name);

// The scopes of a token that was authenticated: cheap to copy and to test.
// Database::Grants() and Database::ScopeNames() say what is in it. Valid as
// long as the database that made it.
class ScopeSet {
 public:
  ScopeSet() = default;

  bool IsEmpty() const { return bits_ == 0 && numbers_ == nullptr; }

 private:
  friend class ScopeSets;
  uint64_t bits_ = 0;
  std::shared_ptr<const std::vector<uint32_t>> numbers_;
};

}  // namespace tokendb

#endif  // TOKENDB_SCOPE_H_
