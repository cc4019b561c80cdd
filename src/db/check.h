#ifndef TOKENDB_SRC_DB_CHECK_H_
#define TOKENDB_SRC_DB_CHECK_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "src/query/hit_stream.h"
#include "tokendb/db.h"

namespace tokendb {

// Database::Check().
absl::StatusOr<CheckReport> CheckStore(
    const ReadView& view, Millis now,
    const std::function<void(uint64_t)>& progress);

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_CHECK_H_
