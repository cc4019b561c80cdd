#ifndef TOKENDB_SRC_STORAGE_STATUS_H_
#define TOKENDB_SRC_STORAGE_STATUS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "rocksdb/status.h"

namespace tokendb {

// Returns what `status` means to a user of tokendb, `action` telling what was
// tried: DataLoss for corruption, ResourceExhausted for a full disk, Internal
// for other failures.
absl::Status FromRocksDb(const rocksdb::Status& status,
                         std::string_view action);

// Returns what `errno` says after `action` failed on the file `path`:
// ResourceExhausted for a full disk, else Internal.
absl::Status FromErrno(std::string_view action, const std::string& path);

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_STATUS_H_
