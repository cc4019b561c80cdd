// The options that say which tokens a command is about.
#ifndef TOKENDB_SRC_CLI_FILTERS_H_
#define TOKENDB_SRC_CLI_FILTERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokendb/query.h"

namespace tokendb::cli {

struct FilterOptions {
  std::vector<std::string> ids;
  std::vector<std::string> owners;
  bool without_owner = false;
  std::vector<std::string> scopes;
  std::vector<std::string> any_scopes;
  std::vector<std::string> no_scopes;
  bool exact_scopes = false;
  std::string expires_after;
  std::string expires_before;
  bool never_expires = false;
  bool expires_some_time = false;
  std::string created_after;
  std::string created_before;
  std::string last_accessed_after;
  std::string last_accessed_before;
  std::string unused_since;
  std::string states = "live";
  std::string text;
  std::string organization;
  std::string kind;
  std::string ip_address;
  std::string digest;
  uint64_t max_examined = 0;  // 0: no bound.
  std::string max_time;
};

// What a command's filters leave out.
enum class FilterSet {
  kAll,
  kWithoutExpiry,  // The command sets the range itself.
  kWithoutStates,  // The command does not look at states.
};

void AddFilters(CLI::App& command, FilterOptions& options,
                FilterSet set = FilterSet::kAll);

// --order, --desc, --limit, --continuation.
struct PageOptions {
  std::string order = "expiry";
  bool descending = false;
  uint64_t limit = 100;
  std::string continuation;
};
void AddPaging(CLI::App& command, PageOptions& options);
void ApplyPaging(const PageOptions& options, Query& query);

// Bounds on work: --max-examined, --max-time.
void AddBounds(CLI::App& command, FilterOptions& options);

// Whether any option besides --state was given.
bool HasCondition(const FilterOptions& options);

// InvalidArgument, naming the option, for values that cannot be read.
// Relative times count from `now`.
absl::StatusOr<Query> MakeQuery(const FilterOptions& options, absl::Time now);

}  // namespace tokendb::cli

#endif  // TOKENDB_SRC_CLI_FILTERS_H_
