#ifndef TOKENDB_SRC_DB_MONOTONE_CLOCK_H_
#define TOKENDB_SRC_DB_MONOTONE_CLOCK_H_

#include <atomic>

#include "absl/status/status.h"
#include "src/model/millis.h"
#include "src/storage/store.h"
#include "tokendb/clock.h"

namespace tokendb {

// The time a database acts on: the clock's, but never earlier than before. The
// highest time is kept in the meta family under "clock" (OrderedMillis, be64),
// written with the changes made, at most once a second.
//
// Thread-safe.
class MonotoneClock {
 public:
  // `clock` must outlive this.
  explicit MonotoneClock(const Clock& clock) : clock_(clock) {}

  // Begins with the time kept in `store`, or the clock's if that is later.
  absl::Status Load(const Store& store);

  Millis Now();

  // Adds the time to `batch` if the one kept is more than a second old.
  void Keep(Batch& batch);

  // Keeps the time as it is now.
  absl::Status Save(Store& store);

 private:
  const Clock& clock_;
  std::atomic<Millis> highest_ = kAlways;
  std::atomic<Millis> kept_ = kAlways;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_MONOTONE_CLOCK_H_
