#ifndef TOKENDB_SRC_QUERY_PLAN_H_
#define TOKENDB_SRC_QUERY_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/index/index_set.h"
#include "src/query/conditions.h"
#include "src/query/position.h"
#include "src/storage/store.h"
#include "tokendb/query.h"

namespace tokendb {

// What is read to find a query's tokens.
enum class Driver : uint8_t {
  kNothing,       // No token can match.
  kIds,           // The records of `ids`.
  kDigest,        // The digest's row and record.
  kOwner,         // Owner index, the owners' terms.
  kScopeAllOf,    // Scope index, the term of one of all_of.
  kScopeAnyOf,    // Scope index, the terms of any_of.
  kExpiry,        // Expiry index.
  kCreation,      // Creation index.
  kAllOwners,     // Owner index, all terms: for counts by owner only.
  kOrganization,  // Organization index, if it is readable.
  kKind,          // Kind index, if it is readable.
};

std::string_view DriverName(Driver driver);

struct DriverOption {
  Driver driver = Driver::kNothing;

  // Generation, index and term of each range to read.
  std::vector<std::string> prefixes;

  uint64_t estimated_entries = 0;
  double cost = 0;
};

struct Plan {
  DriverOption chosen;
  std::vector<DriverOption> considered;  // The cheapest first.

  // Whether the driver delivers the order asked for.
  bool ordered = true;
};

// What the plan is for.
enum class Purpose : uint8_t {
  kPage,          // The first tokens in order.
  kStream,        // All tokens in order, in bounded memory.
  kCount,         // All tokens in any order.
  kCountByOwner,  // All tokens in any order, with their owners.
};

enum class Estimates : uint8_t {
  kWhenChoosing,  // Not if there is only one way.
  kAlways,        // For an explanation.
};

// Chooses the driver that examines the fewest entries.
//
// Every order has a driver that delivers it, and only such a driver is chosen
// when work is bounded or memory is: an unordered one must be read to its end
// before its first result is known.
Plan MakePlan(const Store& store, const IndexSet& indexes,
              const Conditions& conditions, Purpose purpose,
              Estimates estimates);

// Returns the ranges of `option`, without what lies at or before `after` if
// the driver is ordered. Empty ones are left out.
std::vector<KeyRange> RangesOf(const DriverOption& option,
                               const Conditions& conditions,
                               const std::optional<Position>& after);

// The order in which the driver's entries come.
Order OrderOf(Driver driver);

// The condition that the driver's ranges decide.
DecidedBy ConditionOf(Driver driver);

}  // namespace tokendb

#endif  // TOKENDB_SRC_QUERY_PLAN_H_
