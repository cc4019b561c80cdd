#ifndef TOKENDB_SRC_DB_COUNTER_CHECK_H_
#define TOKENDB_SRC_DB_COUNTER_CHECK_H_

#include <cstdint>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "src/query/hit_stream.h"

namespace tokendb {

// A counter that is not what the records say.
struct WrongCounter {
  std::string_view key;
  int64_t actual = 0;
  int64_t expected = 0;
};

// Calls `report` with each counter that is wrong in `view` at `now`, as far as
// counters are read from then on. Reads all records and all counters, several
// times if there are more than a million counters: so many are held in memory.
// DataLoss if a record cannot be read: what it counts for is then not known.
absl::Status FindWrongCounters(
    const ReadView& view, Millis now,
    absl::FunctionRef<absl::Status(const WrongCounter&)> report);

// Puts wrong counters right, also while tokens change: what is missing at one
// snapshot is added, and sums do not depend on the order. Returns how many.
absl::StatusOr<uint64_t> RepairCounters(Store& store, const ReadView& view,
                                        Millis now);

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_COUNTER_CHECK_H_
