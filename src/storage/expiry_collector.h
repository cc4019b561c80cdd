#ifndef TOKENDB_SRC_STORAGE_EXPIRY_COLLECTOR_H_
#define TOKENDB_SRC_STORAGE_EXPIRY_COLLECTOR_H_

#include <memory>
#include <optional>

#include "rocksdb/table_properties.h"
#include "src/storage/entry_expiry.h"
#include "src/storage/expiry_histogram.h"
#include "src/storage/family.h"

namespace tokendb {

// Adds the ExpiryHistogram of each new file of `family` to its properties.
// `reader` must outlive the factory.
std::shared_ptr<rocksdb::TablePropertiesCollectorFactory>
MakeExpiryCollectorFactory(Family family, const EntryReader& reader);

// Nothing for files without one.
std::optional<ExpiryHistogram> FindExpiryHistogram(
    const rocksdb::TableProperties& properties);

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_EXPIRY_COLLECTOR_H_
