#ifndef TOKENDB_SRC_DB_CHECK_H_
#define TOKENDB_SRC_DB_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/query/hit_stream.h"
#include "src/storage/family.h"
#include "tokendb/db.h"

namespace tokendb {

// A difference between a record and its entries.
struct Difference {
  CheckProblem::Kind kind;
  Family family;
  std::string_view key;
  // The token whose record it is, that has the entry, or that the entry names;
  // nil if it names none.
  TokenId id;
  std::string detail;
};

// Problems that a report lists.
inline constexpr size_t kMaxProblems = 1000;

// The token that an entry names, if it can be read.
std::optional<TokenId> IdNamedBy(Family family, std::string_view key,
                                 std::string_view value);

CheckProblem ProblemOf(const Difference& difference);

struct Compared {
  uint64_t records = 0;
  uint64_t entries = 0;
  uint64_t unreadable = 0;  // Of the records.
};

// Calls `report` with each difference in `view`, but for counters; an error it
// returns ends the comparison. Differences of records come first, then entries
// that no record has. In bounded memory.
absl::StatusOr<Compared> FindDifferences(
    const ReadView& view, const std::function<void(uint64_t)>& progress,
    absl::FunctionRef<absl::Status(const Difference&)> report);

// Database::Check().
absl::StatusOr<CheckReport> CheckStore(
    const ReadView& view, Millis now,
    const std::function<void(uint64_t)>& progress);

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_CHECK_H_
