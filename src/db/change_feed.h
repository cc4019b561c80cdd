// Reading the change feed.
//
// A continuation is, in web-safe base64,
//
//   version u8 = 1 | id of the database[8] | number be64 | mark[4] | crc32c of
//   all before, be32
//
// Number and mark, its row's checksum, are those of the last change delivered,
// or the floor and zeros if there was none. A position thus names a change that
// was seen: a copy of the database that went on with other changes, under the
// same numbers, is told from it.
#ifndef TOKENDB_SRC_DB_CHANGE_FEED_H_
#define TOKENDB_SRC_DB_CHANGE_FEED_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "src/db/change_log.h"
#include "src/storage/store.h"
#include "tokendb/changes.h"

namespace tokendb {

// Database::Changes().
absl::StatusOr<ChangePage> ReadChanges(const Store& store, const ChangeLog& log,
                                       std::string_view continuation,
                                       size_t limit);

// Database::ChangesFromNow().
absl::StatusOr<std::string> EndOfChanges(const Store& store,
                                         const ChangeLog& log);

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_CHANGE_FEED_H_
