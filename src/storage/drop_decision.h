#ifndef TOKENDB_SRC_STORAGE_DROP_DECISION_H_
#define TOKENDB_SRC_STORAGE_DROP_DECISION_H_

#include "rocksdb/compaction_filter.h"
#include "src/storage/entry_expiry.h"
#include "src/storage/family.h"

namespace tokendb {

// How a compaction drops a forgotten entry of `family`.
//
// A filter sees only some versions of a key. A dropped version must leave a
// tombstone (kRemove) wherever an older version in a deeper level may not be
// forgotten, which would come back: where the key holds no expiry, and in the
// index, whose keys do, while the cutoffs of revoked and other tokens lie on
// either side of it. What has expired before both is forgotten in all versions,
// and none needs to leave a trace (kRemoveAndSkipUntil).
//
// Alone in its unit: a test links a wrong one, to show that it is found out.
rocksdb::CompactionFilter::Decision DropDecision(Family family,
                                                 const EntryExpiry& expiry,
                                                 const Cutoff& cutoff);

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_DROP_DECISION_H_
