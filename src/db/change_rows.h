// The rows of the change feed in the meta family.
#ifndef TOKENDB_SRC_DB_CHANGE_ROWS_H_
#define TOKENDB_SRC_DB_CHANGE_ROWS_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "src/storage/store.h"

namespace tokendb {

inline constexpr std::string_view kChangesRetainKey = "changes/retain";
inline constexpr std::string_view kChangesIdKey = "changes/id";
inline constexpr std::string_view kChangesReservedKey = "changes/reserved";
inline constexpr std::string_view kChangesFloorKey = "changes/floor";

// The number in one of these rows, if it is there. DataLoss if it is malformed.
absl::StatusOr<std::optional<uint64_t>> ReadChangesRow(const Store& store,
                                                       const Snapshot* snapshot,
                                                       std::string_view key);

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_CHANGE_ROWS_H_
