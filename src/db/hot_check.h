#ifndef TOKENDB_SRC_DB_HOT_CHECK_H_
#define TOKENDB_SRC_DB_HOT_CHECK_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "src/db/check.h"
#include "src/query/hit_stream.h"

namespace tokendb {

// Calls `report` with each hot row that cannot be read, that is of no record,
// or that says another expiry or revocation than its record. Reads all rows,
// and the record of each.
absl::Status CheckHotRows(
    const ReadView& view,
    absl::FunctionRef<absl::Status(const Difference&)> report);

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_HOT_CHECK_H_
