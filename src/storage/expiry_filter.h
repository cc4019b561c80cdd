#ifndef TOKENDB_SRC_STORAGE_EXPIRY_FILTER_H_
#define TOKENDB_SRC_STORAGE_EXPIRY_FILTER_H_

#include <memory>

#include "rocksdb/compaction_filter.h"
#include "src/storage/dead_prefixes.h"
#include "src/storage/entry_expiry.h"
#include "src/storage/family.h"

namespace tokendb {

// Makes the filters through which compactions of `family` drop what is
// forgotten or, in the index, dead. All must outlive every compaction.
//
// Filters are called for entries that snapshots can see: `cutoff` must stay
// before what any snapshot still reads.
std::shared_ptr<rocksdb::CompactionFilterFactory> MakeExpiryFilterFactory(
    Family family, const EntryReader& reader, const SharedCutoff& cutoff,
    const SharedDeadPrefixes& dead);

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_EXPIRY_FILTER_H_
