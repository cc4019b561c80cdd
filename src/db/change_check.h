#ifndef TOKENDB_SRC_DB_CHANGE_CHECK_H_
#define TOKENDB_SRC_DB_CHANGE_CHECK_H_

#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "src/storage/store.h"

namespace tokendb {

// Calls `report` with the key of each row of the change feed that cannot be
// read, or whose number was never reserved, and what is wrong with it; an error
// it returns is returned. Reads all rows.
absl::Status FindWrongChanges(
    const Store& store, const Snapshot& snapshot,
    absl::FunctionRef<absl::Status(std::string_view key, std::string detail)>
        report);

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_CHANGE_CHECK_H_
