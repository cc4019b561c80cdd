// The narrow interface to the ordered key-value store: reads, snapshots,
// ranges and atomic batches over a fixed set of column families. Nothing above
// this folder names a RocksDB type; these classes forward to RocksDB's own
// without a call in between.
#ifndef TOKENDB_SRC_STORAGE_STORE_H_
#define TOKENDB_SRC_STORAGE_STORE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "rocksdb/db.h"
#include "rocksdb/iterator.h"
#include "rocksdb/write_batch.h"
#include "src/storage/dead_prefixes.h"
#include "src/storage/entry_expiry.h"
#include "src/storage/family.h"
#include "src/storage/row_observer.h"
#include "src/storage/slice.h"
#include "src/storage/snapshot_times.h"
#include "src/storage/status.h"
#include "tokendb/options.h"

namespace tokendb {

// Keys from `lower` (included) to `upper` (excluded).
struct KeyRange {
  std::string lower;
  std::string upper;
};

// A value read, without a copy where RocksDB can lend its own.
class PinnedValue {
 public:
  std::string_view view() const { return ToView(slice_); }

 private:
  friend class Store;
  rocksdb::PinnableSlice slice_;
};

// The values of one batched read.
class ValueBatch {
 public:
  size_t size() const { return slices_.size(); }

  // The value of key `i`, absent if there is none. Valid until the next read
  // into this batch.
  absl::StatusOr<std::optional<std::string_view>> Value(size_t i) const {
    if (statuses_[i].ok()) return ToView(slices_[i]);
    if (statuses_[i].IsNotFound()) return std::nullopt;
    return FromRocksDb(statuses_[i], "batched read");
  }

 private:
  friend class Store;
  std::vector<rocksdb::PinnableSlice> slices_;
  std::vector<rocksdb::Status> statuses_;
};

// Changes that take effect together or not at all.
class Batch {
 public:
  void Put(Family family, std::string_view key, std::string_view value) {
    put_into_ |= BitOf(family);
    if (family == observed_) {
      rows_.push_back({std::string(key), std::string(value)});
    }
    Note(batch_.Put(Handle(family), ToSlice(key), ToSlice(value)));
  }
  void Delete(Family family, std::string_view key) {
    if (family == observed_) rows_.push_back({std::string(key), {}});
    Note(batch_.Delete(Handle(family), ToSlice(key)));
  }
  // Adds `delta` to the number in a row of the stat family. Summed here first.
  void Add(std::string_view key, int64_t delta) {
    sums_[std::string(key)] += delta;
  }
  bool IsEmpty() const { return batch_.Count() == 0 && sums_.empty(); }

 private:
  friend class Store;
  using Handles = std::array<rocksdb::ColumnFamilyHandle*, kFamilies.size()>;

  Batch(const Handles& handles, std::optional<Family> observed)
      : handles_(handles), observed_(observed) {}
  static uint32_t BitOf(Family family) {
    return 1U << static_cast<unsigned>(family);
  }
  rocksdb::ColumnFamilyHandle* Handle(Family family) const {
    return handles_[static_cast<size_t>(family)];
  }
  void Note(const rocksdb::Status& status) {
    if (!status.ok() && first_error_.ok()) first_error_ = status;
  }

  const Handles& handles_;
  const std::optional<Family> observed_;
  std::vector<RowObserver::Row> rows_;  // Of that family.
  rocksdb::WriteBatch batch_;
  absl::flat_hash_map<std::string, int64_t> sums_;
  uint32_t put_into_ = 0;        // Families.
  rocksdb::Status first_error_;  // Reported by Store::Commit().
};

// The state of all column families at one moment. Destroy before the store.
class Snapshot {
 public:
  // What is remembered at `as_of`, which is not later than now, is kept from
  // compactions.
  Snapshot(rocksdb::DB* db, SnapshotTimes& times, Millis as_of)
      : times_(times), as_of_(as_of), db_(db) {
    times_.Add(as_of_);
    snapshot_ = db_->GetSnapshot();
  }
  Snapshot(Snapshot&& other) noexcept
      : times_(other.times_),
        as_of_(other.as_of_),
        db_(std::exchange(other.db_, nullptr)),
        snapshot_(other.snapshot_) {}
  Snapshot& operator=(Snapshot&&) = delete;
  ~Snapshot() {
    if (db_ == nullptr) return;
    db_->ReleaseSnapshot(snapshot_);
    times_.Remove(as_of_);
  }

 private:
  friend class Store;
  SnapshotTimes& times_;
  Millis as_of_;
  rocksdb::DB* db_;
  const rocksdb::Snapshot* snapshot_ = nullptr;
};

// Walks over a range of keys. Begins unpositioned. Destroy before its
// snapshot.
class Cursor {
 public:
  void SeekToFirst() { iterator_->SeekToFirst(); }
  void SeekToLast() { iterator_->SeekToLast(); }
  // To the first key of the range that is not before `key`.
  void Seek(std::string_view key) { iterator_->Seek(ToSlice(key)); }
  void Next() { iterator_->Next(); }
  void Prev() { iterator_->Prev(); }

  // False at the end of the range and on an error: look at status().
  bool Valid() const { return iterator_->Valid(); }
  absl::Status status() const {
    return FromRocksDb(iterator_->status(), "range read");
  }

  // Valid until the cursor moves.
  std::string_view key() const { return ToView(iterator_->key()); }
  std::string_view value() const { return ToView(iterator_->value()); }

 private:
  friend class Store;
  // RocksDB keeps pointers to the bounds.
  struct Bounds {
    KeyRange range;
    rocksdb::Slice lower;
    rocksdb::Slice upper;
  };
  std::unique_ptr<Bounds> bounds_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

// Which of a store's states one is: the number of changes before it.
struct StoreState {
  std::string identity;  // Of the store; empty if it cannot be read.
  uint64_t sequence = 0;
};

// A cursor's purpose, which decides whether what it reads is kept in the
// cache.
enum class ScanKind : uint8_t { kQuery, kWholeDatabase };

class Store {
 public:
  // Opens the store in the directory `path`; errors as Database::Open().
  // `reader`, which must outlive the store, tells what may be dropped once
  // AllowDropping() was called.
  static absl::StatusOr<std::unique_ptr<Store>> Open(std::string_view path,
                                                     const OpenOptions& options,
                                                     const EntryReader& reader);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  Snapshot TakeSnapshot(Millis as_of) const {
    return Snapshot(db_.get(), snapshot_times_, as_of);
  }

  // The earliest time that an open snapshot reads as of; kNever without one.
  Millis EarliestSnapshot() const { return snapshot_times_.Earliest(); }

  // From now on compactions may drop what is forgotten by `cutoff`.
  void AllowDropping(const Cutoff& cutoff) { cutoff_.Set(cutoff); }

  // The cutoff that was last set.
  Cutoff dropping_cutoff() const { return cutoff_.Get(); }

  // From now on compactions may drop the index entries under these prefixes,
  // all versions of them.
  void AllowDropping(DeadPrefixes prefixes) {
    dead_prefixes_.Set(std::move(prefixes));
  }

  // False if the family holds nothing, in whatever snapshot, and did not since
  // the store was opened: it need not be read then. Counters are not told of.
  bool MayHold(Family family) const {
    return (put_into_.load(std::memory_order_acquire) & Batch::BitOf(family)) !=
           0;
  }

  // From now on compactions may drop changes up to number `floor`. It must not
  // be less than before.
  void AllowDroppingChanges(uint64_t floor) { change_floor_ = floor; }

  // Reads a key into `value`; false if it is not there. A null snapshot reads
  // the latest state.
  absl::StatusOr<bool> Get(const Snapshot* snapshot, Family family,
                           std::string_view key, PinnedValue& value) const;

  // Reads all keys into `values`. Per-key errors are in the values.
  void GetMany(const Snapshot* snapshot, Family family,
               absl::Span<const std::string_view> keys,
               ValueBatch& values) const;

  Cursor NewCursor(const Snapshot* snapshot, Family family, KeyRange range,
                   ScanKind kind = ScanKind::kQuery) const;

  Batch NewBatch() const { return Batch(handles_, observed_); }

  // Makes the changes of `batch`.
  absl::Status Commit(Batch& batch, Durability durability);

  // From now on `observer` is told of changes to `family`; null: nobody is.
  // Nobody may be writing. Table files that are added are not told of.
  void Observe(Family family, RowObserver* observer);

  // Guesses how many entries are in `range`, reading no data.
  uint64_t EstimateEntries(Family family, const KeyRange& range) const;

  absl::Status Flush();
  absl::Status Compact();

  // A table file, and which part of its bytes is forgotten by a cutoff: 0 to 1.
  struct File {
    std::string name;
    int level = 0;
    uint64_t bytes = 0;
    double forgotten_part = 0;
    std::string last_key;

    uint64_t forgotten_bytes() const {
      return static_cast<uint64_t>(static_cast<double>(bytes) * forgotten_part);
    }
  };
  // Reads properties that are in memory.
  absl::StatusOr<std::vector<File>> Files(Family family,
                                          const Cutoff& cutoff) const;

  // Compacts a file, with those it overlaps on the way, into `level`, which is
  // not above the file's; false if that is not possible now, because another
  // compaction was there first. Takes as long as reading and writing them.
  absl::StatusOr<bool> RewriteFile(Family family, const File& file, int level);

  // The deepest level that has files; the last one there is if that is 0. What
  // is dropped there leaves no tombstone.
  int LastLevel(Family family) const;

  // Drops the files that lie wholly within one of `ranges`, without reading
  // them. All keys that `ranges` could hold must be forgotten, since files with
  // other keys may be put there at any time.
  absl::Status DropFilesWithin(Family family,
                               absl::Span<const KeyRange> ranges);

  // Rewrites the files that have keys in `range`. Takes as long as reading and
  // writing them.
  absl::Status CompactWithin(Family family, const KeyRange& range);

  // Table files made by a TableWriter.
  struct Tables {
    Family family;
    std::vector<std::string> files;
  };
  // Moves files with any number of entries into the store: all of them are
  // there, and durable, or none, also after a crash. The files of a family do
  // not overlap. Nobody may use the store meanwhile. Syncs earlier writes too.
  absl::Status AddTables(absl::Span<const Tables> tables);

  // Where such files are made. What is there when a store is opened is left
  // over, and removed.
  std::string LoadDirectory() const;
  absl::Status RemoveLoadDirectory();

  // Where the verify index may be kept.
  std::string VerifyFilePath() const;

  // As it is now, and as it was when it was opened.
  StoreState CurrentState() const;
  const StoreState& opened_state() const { return opened_state_; }

  // Grows with every write.
  uint64_t LastSequence() const { return db_->GetLatestSequenceNumber(); }
  // Whether there are entries that are in no file yet, besides settings.
  bool HasUnflushedEntries() const;

  struct FamilySize {
    uint64_t estimated_entries = 0;
    uint64_t file_bytes = 0;
    uint64_t memory_bytes = 0;
  };
  FamilySize SizeOf(Family family) const;

  // "RocksDB 7.8.3".
  static std::string EngineName();

 private:
  friend class TableWriter;
  explicit Store(const EntryReader& reader) : reader_(reader) {}
  rocksdb::ColumnFamilyHandle* Handle(Family family) const {
    return handles_[static_cast<size_t>(family)];
  }

  // Finds out which families hold something.
  void LookForEntries();

  const EntryReader& reader_;
  std::atomic<uint32_t> put_into_ = 0;  // See MayHold().
  mutable SnapshotTimes snapshot_times_;
  // Read by compactions: these outlive the database below.
  SharedCutoff cutoff_;
  SharedDeadPrefixes dead_prefixes_;
  std::atomic<uint64_t> change_floor_ = 0;
  std::unique_ptr<rocksdb::DB> db_;
  Batch::Handles handles_{};
  std::optional<Family> observed_;
  RowObserver* observer_ = nullptr;
  StoreState opened_state_;
  rocksdb::ColumnFamilyHandle* default_handle_ = nullptr;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_STORE_H_
