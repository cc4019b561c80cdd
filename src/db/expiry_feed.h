// What has expired, in order, and what expires next.
#ifndef TOKENDB_SRC_DB_EXPIRY_FEED_H_
#define TOKENDB_SRC_DB_EXPIRY_FEED_H_

#include <optional>

#include "absl/status/statusor.h"
#include "src/model/millis.h"
#include "src/query/hit_stream.h"
#include "src/storage/store.h"
#include "tokendb/query.h"

namespace tokendb {

// Database::ExpiredBetween().
absl::StatusOr<ExpiredPage> ListExpired(const ReadView& view, Millis now,
                                        absl::Time from, absl::Time before,
                                        const ExpiredOptions& options);

// Database::NextExpiry().
absl::StatusOr<std::optional<absl::Time>> FindNextExpiry(const Store& store,
                                                         Millis now);

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_EXPIRY_FEED_H_
