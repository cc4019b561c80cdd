#ifndef TOKENDB_SRC_STORAGE_CHANGE_FILTER_H_
#define TOKENDB_SRC_STORAGE_CHANGE_FILTER_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "rocksdb/compaction_filter.h"

namespace tokendb {

// Makes the filters through which compactions of the change family drop the
// rows with numbers up to `floor`, which must outlive every compaction.
std::shared_ptr<rocksdb::CompactionFilterFactory> MakeChangeFilterFactory(
    const std::atomic<uint64_t>& floor);

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_CHANGE_FILTER_H_
