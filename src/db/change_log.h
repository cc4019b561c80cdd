#ifndef TOKENDB_SRC_DB_CHANGE_LOG_H_
#define TOKENDB_SRC_DB_CHANGE_LOG_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/db/monotone_clock.h"
#include "src/storage/store.h"
#include "tokendb/db.h"

namespace tokendb {

// Numbers the changes of the feed, and says how far back the feed goes.
//
// Changes are committed in another order than they are numbered, since no lock
// is held meanwhile. Readers therefore stop before the first number that was
// given and is not committed yet: what is before it does not change any more.
//
// Invariants: a number is given once, also across a loss of power: a block of
// numbers is reserved on disk before the first of it is given. Times do not go
// back from one number to the next.
//
// Thread-safe.
class ChangeLog {
 public:
  // The numbers of a batch of changes, one after the other. Must not outlive
  // the log.
  class Numbers {
   public:
    Numbers(Numbers&& other) noexcept
        : log_(std::exchange(other.log_, nullptr)),
          first_(other.first_),
          at_(other.at_) {}
    Numbers& operator=(Numbers&&) = delete;
    ~Numbers() {
      if (log_ != nullptr) log_->Fail(first_);
    }

    uint64_t first() const { return first_; }
    absl::Time at() const { return FromMillis(at_); }

    // Called once the batch is committed. Without it the feed ends before these
    // numbers until the database is opened again: a commit that failed may
    // still be in the log, and come to light then.
    void Committed() { std::exchange(log_, nullptr)->Release(first_); }

   private:
    friend class ChangeLog;
    Numbers(ChangeLog& log, uint64_t first, Millis at)
        : log_(&log), first_(first), at_(at) {}

    ChangeLog* log_;
    uint64_t first_;
    Millis at_;
  };

  // Both must outlive this.
  ChangeLog(Store& store, MonotoneClock& clock)
      : store_(store), clock_(clock) {}

  // Reads what the store keeps. `options.retain_changes` replaces it, if set;
  // what that switches on begins now. Writes nothing to a database that never
  // had a feed and is to have none.
  absl::Status Load(const OpenOptions& options);

  // Lets all go that the feed has: every position from before is refused as
  // gone. For changes that are not recorded. Nothing else may be called
  // meanwhile.
  absl::Status BeginAnew();

  // Whether changes are recorded. Nothing else is called without it, besides
  // BeginAnew(), Advance() and DropFiles().
  bool is_on() const { return retain_ > 0; }
  absl::Duration retain() const;

  // Of this database, 8 random bytes.
  const std::string& id() const { return id_; }

  // Gives numbers to `count` changes, which are about to be committed. Writes
  // and syncs once in 65,536 numbers.
  absl::StatusOr<Numbers> Take(uint64_t count);

  // Up to where the feed may be read by a cursor that is opened afterwards.
  struct End {
    uint64_t before = 0;  // All rows with lower numbers are there.
    bool failed = false;  // The commit of this number failed.
  };
  End end() const;

  // The last number that the feed does not have any more. Rows up to it may be
  // there or not. A cursor opened before this is asked has all rows behind it.
  uint64_t floor() const { return floor_; }

  // Lets changes go that were made `retain_changes` ago or earlier: keeps the
  // new floor, and allows compactions to act on it. Reads one row if there are
  // none, else about 20 in a million changes.
  absl::Status Advance();

  // Drops the files in which all changes are gone, and adds them to `report`.
  // One file at most remains that holds both.
  absl::Status DropFiles(ReclaimReport& report);

 private:
  absl::StatusOr<Millis> LoadRows();
  void PutNewBeginning(Batch& batch);
  absl::Status LoadLastTime();
  absl::Status Reserve(uint64_t at_least);
  absl::StatusOr<uint64_t> LastMadeBy(Millis cutoff) const;
  void Release(uint64_t first);
  void Fail(uint64_t first);

  Store& store_;
  MonotoneClock& clock_;
  // Not changed after Load().
  std::string id_;
  Millis retain_ = 0;

  std::atomic<uint64_t> floor_ = 0;
  std::mutex advancing_;  // Held while a floor is kept.
  std::mutex reserving_;  // Held while a block is reserved.

  mutable std::mutex mutex_;  // Guards what follows. Taken last.
  uint64_t next_ = 1;
  uint64_t reserved_ = 0;
  Millis last_time_ = kAlways;
  std::set<uint64_t> pending_;  // The first numbers of uncommitted batches.
  std::set<uint64_t> failed_;   // Those of them whose commit failed.
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_CHANGE_LOG_H_
