#ifndef TOKENDB_SRC_DB_MONOTONE_CLOCK_H_
#define TOKENDB_SRC_DB_MONOTONE_CLOCK_H_

#include <atomic>
#include <mutex>

#include "absl/status/status.h"
#include "src/model/millis.h"
#include "src/storage/store.h"
#include "tokendb/clock.h"

namespace tokendb {

// The time a database acts on: the clock's, but never earlier than before. The
// highest time is kept in the meta family under "clock" (OrderedMillis, be64),
// written once a second at most.
//
// Thread-safe.
class MonotoneClock {
 public:
  // Both must outlive this.
  MonotoneClock(const Clock& clock, Store& store)
      : clock_(clock), store_(store) {}

  // Begins with the time kept in the store, or the clock's if that is later.
  absl::Status Load();

  // Returns the time, and keeps it if the one kept is more than a second old.
  Millis Now();

  // The highest time that an earlier process kept; kAlways if there is none.
  Millis resumed() const { return resumed_; }

  // Keeps the highest time so far.
  absl::Status Save();

 private:
  absl::Status Write(Millis time);  // Under `keeping_`.

  const Clock& clock_;
  Store& store_;
  Millis resumed_ = kAlways;
  std::atomic<Millis> highest_ = kAlways;
  std::atomic<Millis> kept_ = kAlways;
  std::mutex keeping_;  // See src/index/scope_dictionary.h.
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_MONOTONE_CLOCK_H_
