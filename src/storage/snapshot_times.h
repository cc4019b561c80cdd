#ifndef TOKENDB_SRC_STORAGE_SNAPSHOT_TIMES_H_
#define TOKENDB_SRC_STORAGE_SNAPSHOT_TIMES_H_

#include <mutex>
#include <set>

#include "src/model/millis.h"

namespace tokendb {

// The times that open snapshots read as of. RocksDB's compaction filters do not
// know of snapshots: whoever decides what they may drop must.
//
// Thread-safe.
class SnapshotTimes {
 public:
  void Add(Millis as_of) {
    const std::lock_guard lock(mutex_);
    times_.insert(as_of);
  }
  void Remove(Millis as_of) {
    const std::lock_guard lock(mutex_);
    times_.erase(times_.find(as_of));
  }

  // kNever if there is none.
  Millis Earliest() const {
    const std::lock_guard lock(mutex_);
    return times_.empty() ? kNever : *times_.begin();
  }

 private:
  mutable std::mutex mutex_;
  std::multiset<Millis> times_;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_SNAPSHOT_TIMES_H_
