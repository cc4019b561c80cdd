#ifndef TOKENDB_SRC_DB_RECLAIMER_H_
#define TOKENDB_SRC_DB_RECLAIMER_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/base/periodic_thread.h"
#include "src/db/change_log.h"
#include "src/db/index_catalog.h"
#include "src/db/retention.h"
#include "src/index/scope_dictionary.h"
#include "src/storage/store.h"
#include "tokendb/db.h"

namespace tokendb {

// Takes the space of forgotten tokens back without deleting anything: drops
// index files in whose range all is forgotten, and rewrites the files of which
// a large part is, through the compaction filters; likewise of indexes that
// were dropped. RocksDB's own compactions
// come to most files only when new data does.
//
// Thread-safe.
class Reclaimer {
 public:
  // All must outlive this.
  Reclaimer(Store& store, Retention& retention, MonotoneClock& clock,
            const ScopeDictionary& scopes, IndexCatalog& indexes,
            ChangeLog& changes, const ReclaimOptions& options);
  // Waits for the file that is being rewritten.
  ~Reclaimer() = default;
  Reclaimer(const Reclaimer&) = delete;
  Reclaimer& operator=(const Reclaimer&) = delete;

  // One round now, at full speed, also while paused. Waits for a round under
  // way.
  absl::StatusOr<ReclaimReport> RunOnce();

  void Pause();
  void Resume();

  absl::StatusOr<ReclaimStats> Stats() const;

 private:
  enum class Pace : uint8_t { kFull, kLimited };
  struct Candidate {
    Family family;
    Store::File file;
  };
  struct Resident {
    std::set<std::string> names;
    uint64_t bytes = 0;  // Of all files.
    uint64_t forgotten = 0;
    uint64_t waiting = 0;  // Files worth rewriting.
    std::optional<Candidate> best;
  };

  void Work();
  absl::StatusOr<ReclaimReport> Round(Pace pace);
  absl::Status DropIndexFiles(const Cutoff& cutoff, ReclaimReport& report);
  // What the files hold that is forgotten by `cutoff`, and the best candidate
  // of those in `eligible`.
  absl::StatusOr<Resident> Look(const Cutoff& cutoff,
                                const std::set<std::string>& eligible) const;
  bool MayGoOn() const;

  Store& store_;
  Retention& retention_;
  MonotoneClock& clock_;
  const ScopeDictionary& scopes_;
  IndexCatalog& indexes_;
  ChangeLog& changes_;
  const ReclaimOptions options_;

  std::mutex rounds_;            // Held for a round.
  uint64_t quiet_sequence_ = 0;  // At the end of the last round. In rounds_.

  mutable std::mutex mutex_;  // Guards what follows.
  bool paused_ = false;
  ReclaimReport total_;
  uint64_t rounds_done_ = 0;
  absl::Status last_error_;

  PeriodicThread thread_;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_RECLAIMER_H_
