#ifndef TOKENDB_SRC_DB_RETENTION_H_
#define TOKENDB_SRC_DB_RETENTION_H_

#include <mutex>

#include "absl/status/status.h"
#include "src/db/monotone_clock.h"
#include "src/model/liveness.h"
#include "src/storage/store.h"
#include "tokendb/options.h"

namespace tokendb {

// What the database forgets, and when compactions may take its space.
//
// Two cutoffs: At(now) says what calls do not report any more, and moves with
// the time. The kept one, which lags behind, is on disk in the meta family
// before compactions act on it, so that what was forgotten stays so after a
// restart with an earlier clock or a longer retention.
//
// Invariant: kept cutoff <= At(now) of every call under way, see Advance().
//
// Thread-safe.
class Retention {
 public:
  // Both must outlive this.
  Retention(Store& store, MonotoneClock& clock)
      : store_(store), clock_(clock) {}

  // Reads what the store keeps. `options` that are set replace it.
  absl::Status Load(const OpenOptions& options);

  // What is forgotten at `now`.
  Cutoff At(Millis now) const;

  // Keeps the cutoff of the present, less what open snapshots still read, and
  // allows compactions to act on it.
  absl::Status Advance();

  // Of Advance().
  Cutoff kept() const { return kept_.Get(); }

  absl::Duration retain_expired() const {
    return absl::Milliseconds(retain_expired_);
  }
  absl::Duration retain_revoked() const {
    return absl::Milliseconds(retain_revoked_);
  }

 private:
  Cutoff Before(Millis now) const;

  Store& store_;
  MonotoneClock& clock_;
  // Not changed after Load().
  Millis retain_expired_ = 0;
  Millis retain_revoked_ = 0;

  std::mutex advancing_;  // Held while a cutoff is kept.
  SharedCutoff kept_;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_RETENTION_H_
