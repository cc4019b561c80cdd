#include "src/db/change_log.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/db/change_rows.h"
#include "src/db/period.h"
#include "src/index/change_row.h"

namespace tokendb {
namespace {

constexpr uint64_t kBlock = 65536;

std::string Big64(uint64_t number) {
  std::string bytes;
  AppendBig64(bytes, number);
  return bytes;
}

bool IsMadeBy(const Cursor& row, Millis cutoff) {
  const absl::StatusOr<TokenChange> change =
      ParseChangeRow(row.key(), row.value());
  // What cannot be read is not let go.
  return change.ok() && FloorToMillis(change->at) <= cutoff;
}

}  // namespace

// Returns the period kept, 0 without one.
absl::StatusOr<Millis> ChangeLog::LoadRows() {
  ASSIGN_OR_RETURN(const auto retain,
                   ReadChangesRow(store_, nullptr, kChangesRetainKey));
  ASSIGN_OR_RETURN(const auto id,
                   ReadChangesRow(store_, nullptr, kChangesIdKey));
  ASSIGN_OR_RETURN(const auto reserved,
                   ReadChangesRow(store_, nullptr, kChangesReservedKey));
  ASSIGN_OR_RETURN(const auto floor,
                   ReadChangesRow(store_, nullptr, kChangesFloorKey));
  if (id.has_value()) id_ = Big64(*id);
  reserved_ = reserved.value_or(0);
  floor_ = floor.value_or(0);
  return retain.has_value() ? FromOrderedMillis(*retain) : 0;
}

// One number is left out: no position from before is the floor.
void ChangeLog::PutNewBeginning(Batch& batch) {
  floor_ = ++reserved_;
  batch.Put(Family::kMeta, kChangesReservedKey, Big64(reserved_));
  batch.Put(Family::kMeta, kChangesFloorKey, Big64(floor_));
}

absl::Status ChangeLog::BeginAnew() {
  if (!is_on()) return absl::OkStatus();
  Batch batch = store_.NewBatch();
  const std::lock_guard advancing(advancing_);
  PutNewBeginning(batch);
  next_ = reserved_ + 1;
  RETURN_IF_ERROR(store_.Commit(batch, Durability::kSync));
  store_.AllowDroppingChanges(floor_);
  return absl::OkStatus();
}

absl::Status ChangeLog::Load(const OpenOptions& options) {
  ASSIGN_OR_RETURN(const Millis kept, LoadRows());
  retain_ = kept;
  if (options.retain_changes.has_value()) {
    ASSIGN_OR_RETURN(retain_,
                     PeriodOf(*options.retain_changes, "retain_changes"));
  }
  Batch batch = store_.NewBatch();
  if (retain_ != kept) {
    batch.Put(Family::kMeta, kChangesRetainKey, Big64(OrderedMillis(retain_)));
  }
  if (is_on() && kept == 0) {
    PutNewBeginning(batch);
  } else if (!is_on() && kept != 0) {
    floor_ = reserved_;
    batch.Put(Family::kMeta, kChangesFloorKey, Big64(floor_));
  }
  if (is_on() && id_.empty()) {
    absl::BitGen random;
    id_ = Big64(absl::Uniform<uint64_t>(random));
    batch.Put(Family::kMeta, kChangesIdKey, id_);
  }
  if (!batch.IsEmpty()) {
    RETURN_IF_ERROR(store_.Commit(batch, Durability::kSync));
  }
  next_ = reserved_ + 1;
  store_.AllowDroppingChanges(floor_);
  return LoadLastTime();
}

// A killed process may have kept an earlier time than that of its last change.
absl::Status ChangeLog::LoadLastTime() {
  if (!is_on()) return absl::OkStatus();
  Cursor cursor = store_.NewCursor(nullptr, Family::kChange, {});
  cursor.SeekToLast();
  RETURN_IF_ERROR(cursor.status());
  if (!cursor.Valid()) return absl::OkStatus();
  const absl::StatusOr<TokenChange> last =
      ParseChangeRow(cursor.key(), cursor.value());
  // A damaged row is for its readers to report.
  if (last.ok()) last_time_ = FloorToMillis(last->at);
  return absl::OkStatus();
}

absl::Duration ChangeLog::retain() const { return DurationOf(retain_); }

absl::StatusOr<ChangeLog::Numbers> ChangeLog::Take(uint64_t count) {
  const Millis now = clock_.Now();
  while (true) {
    uint64_t last = 0;
    {
      const std::lock_guard lock(mutex_);
      const uint64_t first = next_;
      last = first + count - 1;
      if (last <= reserved_) {
        next_ += count;
        pending_.insert(first);
        last_time_ = std::max(last_time_, now);
        return Numbers(*this, first, last_time_);
      }
    }
    RETURN_IF_ERROR(Reserve(last));
  }
}

absl::Status ChangeLog::Reserve(uint64_t at_least) {
  const std::lock_guard reserving(reserving_);
  {
    const std::lock_guard lock(mutex_);
    if (at_least <= reserved_) return absl::OkStatus();
  }
  const uint64_t reserved = at_least + kBlock - 1;
  Batch batch = store_.NewBatch();
  batch.Put(Family::kMeta, kChangesReservedKey, Big64(reserved));
  RETURN_IF_ERROR(store_.Commit(batch, Durability::kSync));
  const std::lock_guard lock(mutex_);
  reserved_ = reserved;
  return absl::OkStatus();
}

void ChangeLog::Release(uint64_t first) {
  const std::lock_guard lock(mutex_);
  pending_.erase(first);
}

void ChangeLog::Fail(uint64_t first) {
  const std::lock_guard lock(mutex_);
  failed_.insert(first);
}

ChangeLog::End ChangeLog::end() const {
  const std::lock_guard lock(mutex_);
  if (pending_.empty()) return {.before = next_};
  const uint64_t first = *pending_.begin();
  return {.before = first, .failed = failed_.contains(first)};
}

// Rows are in the order of their times, so that those to go are a beginning.
absl::StatusOr<uint64_t> ChangeLog::LastMadeBy(Millis cutoff) const {
  uint64_t last = floor_;
  // Not beyond what is committed: a row must not come to lie under the floor.
  uint64_t end = this->end().before;
  Cursor cursor =
      store_.NewCursor(nullptr, Family::kChange, {"", ChangeKey(end)});
  uint64_t next = last + 1;
  // All up to `last` go, and none from `end` on.
  while (last + 1 < end) {
    cursor.Seek(ChangeKey(next));
    RETURN_IF_ERROR(cursor.status());
    if (cursor.Valid() && IsMadeBy(cursor, cutoff)) {
      ASSIGN_OR_RETURN(last, ParseChangeKey(cursor.key()));
    } else {
      end = next;
    }
    next = last + (end - last) / 2;
  }
  return last;
}

absl::Status ChangeLog::Advance() {
  if (!is_on()) return absl::OkStatus();
  const std::lock_guard advancing(advancing_);
  const Millis cutoff = Minus(clock_.Now(), retain_);
  ASSIGN_OR_RETURN(const uint64_t next, LastMadeBy(cutoff));
  if (next == floor_) return absl::OkStatus();
  Batch batch = store_.NewBatch();
  batch.Put(Family::kMeta, kChangesFloorKey, Big64(next));
  RETURN_IF_ERROR(store_.Commit(batch, Durability::kSync));
  floor_ = next;
  store_.AllowDroppingChanges(next);
  return absl::OkStatus();
}

absl::Status ChangeLog::DropFiles(ReclaimReport& report) {
  const uint64_t floor = floor_;
  if (floor == 0) return absl::OkStatus();
  const auto wholly_gone = [&]() -> absl::StatusOr<std::vector<Store::File>> {
    ASSIGN_OR_RETURN(std::vector<Store::File> files,
                     store_.Files(Family::kChange, {}));
    std::erase_if(files, [&](const Store::File& file) {
      return file.last_key > ChangeKey(floor);
    });
    return files;
  };
  ASSIGN_OR_RETURN(const std::vector<Store::File> before, wholly_gone());
  if (before.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(store_.DropFilesWithin(
      Family::kChange, {{ChangeKey(0), ChangeKey(floor + 1)}}));
  ASSIGN_OR_RETURN(const std::vector<Store::File> after, wholly_gone());
  report.files_dropped += before.size() - std::min(before.size(), after.size());
  uint64_t bytes = 0;
  for (const Store::File& file : before) bytes += file.bytes;
  // RocksDB leaves those in the first level alone; rewritten they are empty.
  for (const Store::File& file : after) {
    ASSIGN_OR_RETURN(const bool rewritten,
                     store_.RewriteFile(Family::kChange, file,
                                        store_.LastLevel(Family::kChange)));
    if (!rewritten) {
      bytes -= std::min(bytes, file.bytes);
      continue;
    }
    ++report.files_rewritten;
    report.bytes_rewritten += file.bytes;
  }
  report.bytes_reclaimed += bytes;
  return absl::OkStatus();
}

}  // namespace tokendb
