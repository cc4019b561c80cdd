// Every RocksDB option that matters, passed explicitly: defaults change
// between versions.
#ifndef TOKENDB_SRC_STORAGE_ROCKSDB_OPTIONS_H_
#define TOKENDB_SRC_STORAGE_ROCKSDB_OPTIONS_H_

#include <memory>

#include "rocksdb/cache.h"
#include "rocksdb/options.h"
#include "src/storage/store.h"
#include "tokendb/options.h"

namespace tokendb {

rocksdb::DBOptions MakeDbOptions(const OpenOptions& options);

// `cache` is shared by all families.
rocksdb::ColumnFamilyOptions MakeFamilyOptions(
    Family family, const OpenOptions& options,
    const std::shared_ptr<rocksdb::Cache>& cache);

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_ROCKSDB_OPTIONS_H_
