#include "src/storage/store.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "rocksdb/convenience.h"
#include "rocksdb/version.h"
#include "src/storage/add_operator.h"

namespace tokendb {
namespace {

// What an entry of the index family takes in a compressed file, measured with
// the benchmark's tokens. Estimates compare ranges of one family, so that only
// their order matters.
constexpr uint64_t kFileBytesPerEntry = 34;

rocksdb::ReadOptions ReadOptionsFor(const rocksdb::Snapshot* snapshot) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  options.verify_checksums = true;
  options.async_io = false;
  options.optimize_multiget_for_io = false;
#if ROCKSDB_MAJOR >= 9
  // Moves the iterator's place in the index ahead of what was read.
  options.auto_readahead_size = false;
#endif
  return options;
}

}  // namespace

std::string_view FamilyName(Family family) {
  switch (family) {
    case Family::kMeta:
      return "meta";
    case Family::kToken:
      return "token";
    case Family::kDigest:
      return "digest";
    case Family::kIndex:
      return "index";
    case Family::kHot:
      return "hot";
    case Family::kStat:
      return "stat";
    case Family::kChange:
      return "change";
  }
  return "unknown";
}

Store::~Store() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  db_->DestroyColumnFamilyHandle(default_handle_).PermitUncheckedError();
  // Nothing that was acknowledged is lost if closing fails: it is in the log.
  db_->Close().PermitUncheckedError();
}

void Store::LookForEntries() {
  for (const Family family : kFamilies) {
    Cursor cursor = NewCursor(nullptr, family, {});
    cursor.SeekToFirst();
    // What cannot be read may hold something.
    if (cursor.Valid() || !cursor.status().ok()) {
      put_into_ |= Batch::BitOf(family);
    }
  }
}

absl::StatusOr<bool> Store::Get(const Snapshot* snapshot, Family family,
                                std::string_view key,
                                PinnedValue& value) const {
  value.slice_.Reset();
  const rocksdb::Status status = db_->Get(
      ReadOptionsFor(snapshot == nullptr ? nullptr : snapshot->snapshot_),
      Handle(family), ToSlice(key), &value.slice_);
  if (status.ok()) return true;
  if (status.IsNotFound()) return false;
  return FromRocksDb(status, "read");
}

void Store::GetMany(const Snapshot* snapshot, Family family,
                    absl::Span<const std::string_view> keys,
                    ValueBatch& values) const {
  std::vector<rocksdb::Slice> slices;
  slices.reserve(keys.size());
  for (const std::string_view key : keys) slices.push_back(ToSlice(key));
  values.slices_.clear();
  values.slices_.resize(keys.size());
  values.statuses_.assign(keys.size(), rocksdb::Status());
  db_->MultiGet(
      ReadOptionsFor(snapshot == nullptr ? nullptr : snapshot->snapshot_),
      Handle(family), slices.size(), slices.data(), values.slices_.data(),
      values.statuses_.data());
}

Cursor Store::NewCursor(const Snapshot* snapshot, Family family, KeyRange range,
                        ScanKind kind) const {
  Cursor cursor;
  cursor.bounds_ = std::make_unique<Cursor::Bounds>();
  cursor.bounds_->range = std::move(range);
  cursor.bounds_->lower = ToSlice(cursor.bounds_->range.lower);
  cursor.bounds_->upper = ToSlice(cursor.bounds_->range.upper);
  rocksdb::ReadOptions options =
      ReadOptionsFor(snapshot == nullptr ? nullptr : snapshot->snapshot_);
  options.iterate_lower_bound = &cursor.bounds_->lower;
  // An empty upper bound is the end of the family.
  if (!cursor.bounds_->range.upper.empty()) {
    options.iterate_upper_bound = &cursor.bounds_->upper;
  }
  options.fill_cache = kind == ScanKind::kQuery;
  cursor.iterator_.reset(db_->NewIterator(options, Handle(family)));
  return cursor;
}

absl::Status Store::Commit(Batch& batch, Durability durability) {
  for (const auto& [key, sum] : batch.sums_) {
    if (sum == 0) continue;
    batch.Note(
        batch.batch_.Merge(Handle(Family::kStat), key, EncodeCount(sum)));
  }
  batch.sums_.clear();
  if (!batch.first_error_.ok()) {
    return FromRocksDb(batch.first_error_, "write batch");
  }
  // Before the entries can be read.
  if ((batch.put_into_ & ~put_into_.load(std::memory_order_relaxed)) != 0) {
    put_into_.fetch_or(batch.put_into_, std::memory_order_acq_rel);
  }
  rocksdb::WriteOptions options;
  options.sync = durability == Durability::kSync;
  const rocksdb::Status written = db_->Write(options, &batch.batch_);
  if (!batch.rows_.empty() && observer_ != nullptr) {
    if (written.ok()) {
      observer_->Committed(batch.rows_);
    } else {
      observer_->Uncertain(batch.rows_);
    }
  }
  return FromRocksDb(written, "write");
}

void Store::Observe(Family family, RowObserver* observer) {
  observer_ = observer;
  observed_.reset();
  if (observer != nullptr) observed_ = family;
}

std::string Store::VerifyFilePath() const {
  return absl::StrCat(db_->GetName(), "/verify");
}

StoreState Store::CurrentState() const {
  StoreState state{.identity = {}, .sequence = LastSequence()};
  const rocksdb::Status status = db_->GetDbIdentity(state.identity);
  if (!status.ok()) state.identity.clear();
  return state;
}

uint64_t Store::EstimateEntries(Family family, const KeyRange& range) const {
  const rocksdb::Range bounds(ToSlice(range.lower), ToSlice(range.upper));
  uint64_t in_memory = 0;
  uint64_t memory_bytes = 0;
  db_->GetApproximateMemTableStats(Handle(family), bounds, &in_memory,
                                   &memory_bytes);
  uint64_t file_bytes = 0;
  rocksdb::SizeApproximationOptions options;
  options.include_files = true;
  options.include_memtables = false;
  const rocksdb::Status status = db_->GetApproximateSizes(
      options, Handle(family), &bounds, 1, &file_bytes);
  if (!status.ok()) file_bytes = 0;  // An estimate only: any will do.
  return in_memory + file_bytes / kFileBytesPerEntry;
}

absl::Status Store::Flush() {
  rocksdb::FlushOptions options;
  options.wait = true;
  const std::vector<rocksdb::ColumnFamilyHandle*> handles(handles_.begin(),
                                                          handles_.end());
  const rocksdb::Status synced = db_->FlushWAL(/*sync=*/true);
  if (!synced.ok()) return FromRocksDb(synced, "sync of the log");
  return FromRocksDb(db_->Flush(options, handles), "flush");
}

absl::Status Store::Compact() {
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction =
      rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    const rocksdb::Status status =
        db_->CompactRange(options, handle, nullptr, nullptr);
    if (!status.ok()) return FromRocksDb(status, "compaction");
  }
  return absl::OkStatus();
}

Store::FamilySize Store::SizeOf(Family family) const {
  // A property that cannot be had counts as zero.
  const auto property = [&](const std::string& name) {
    uint64_t value = 0;
    db_->GetIntProperty(Handle(family), name, &value);
    return value;
  };
  return {
      .estimated_entries = property(rocksdb::DB::Properties::kEstimateNumKeys),
      .file_bytes = property(rocksdb::DB::Properties::kLiveSstFilesSize),
      .memory_bytes = property(rocksdb::DB::Properties::kSizeAllMemTables),
  };
}

std::string Store::EngineName() {
  return absl::StrCat("RocksDB ", rocksdb::GetRocksVersionAsString());
}

}  // namespace tokendb
