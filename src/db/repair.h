#ifndef TOKENDB_SRC_DB_REPAIR_H_
#define TOKENDB_SRC_DB_REPAIR_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "src/index/index_set.h"
#include "src/index/scope_dictionary.h"
#include "src/query/hit_stream.h"
#include "src/storage/store.h"
#include "src/storage/stripes.h"
#include "tokendb/db.h"

namespace tokendb {

// What repairs write to, with the locks that all changes of tokens take.
struct RepairTarget {
  Store& store;
  ScopeDictionary& scopes;
  const SharedIndexSet& indexes;
  Stripes& stripes;
};

// Database::Repair(): of what differs in `view`.
absl::StatusOr<RepairReport> RepairStore(
    const RepairTarget& target, const ReadView& view, Millis now,
    const std::function<void(uint64_t)>& progress);

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_REPAIR_H_
