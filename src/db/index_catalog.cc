#include "src/db/index_catalog.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/index/keys.h"

namespace tokendb {
namespace {

constexpr std::string_view kRowPrefix = "index/";
constexpr std::string_view kDroppedPrefix = "index-dropped/";
constexpr size_t kRowBytes = 2 + TokenId::kSize + sizeof(uint64_t);

size_t NumberOf(OptionalIndex index) { return static_cast<size_t>(index); }

std::string RowKey(OptionalIndex index) {
  std::string key(kRowPrefix);
  key.push_back(static_cast<char>(KindOf(index)));
  return key;
}

std::string DroppedKey(OptionalIndex index, uint8_t generation) {
  std::string key(kDroppedPrefix);
  key.push_back(static_cast<char>(KindOf(index)));
  key.push_back(static_cast<char>(generation));
  return key;
}

KeyRange EntriesIn(OptionalIndex index, uint8_t generation) {
  std::string prefix = IndexPrefix(KindOf(index), generation);
  std::string end = PrefixEnd(prefix);
  return {std::move(prefix), std::move(end)};
}

}  // namespace

// The right to add or drop an index, which one call at a time has. Not a lock:
// user code is called meanwhile.
class IndexCatalog::Claim {
 public:
  Claim(IndexCatalog& catalog, OptionalIndex index)
      : catalog_(catalog), index_(index) {
    const std::lock_guard lock(catalog_.mutex_);
    held_ = !std::exchange(catalog_.claimed_[NumberOf(index)], true);
  }
  ~Claim() {
    if (!held_) return;
    const std::lock_guard lock(catalog_.mutex_);
    catalog_.claimed_[NumberOf(index_)] = false;
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  absl::Status status() const {
    if (held_) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("index ", AbslView(OptionalIndexName(index_)),
                     " is being added or dropped by another call"));
  }

 private:
  IndexCatalog& catalog_;
  const OptionalIndex index_;
  bool held_ = false;
};

// --- Rows ---

absl::StatusOr<std::unique_ptr<IndexCatalog>> IndexCatalog::Load(
    Store& store, const Sources& sources) {
  std::unique_ptr<IndexCatalog> catalog(new IndexCatalog(store, sources));
  RETURN_IF_ERROR(catalog->ReadRows());
  RETURN_IF_ERROR(catalog->ReadDropped());
  catalog->ReleaseRetired();
  return catalog;
}

absl::Status IndexCatalog::ReadRows() {
  IndexSet set;
  for (const OptionalIndex index : kOptionalIndexes) {
    PinnedValue value;
    ASSIGN_OR_RETURN(const bool found,
                     store_.Get(nullptr, Family::kMeta, RowKey(index), value));
    if (!found) continue;
    const std::string_view bytes = value.view();
    if (bytes.size() != kRowBytes ||
        static_cast<uint8_t>(bytes[0]) >
            static_cast<uint8_t>(IndexState::kReadable) ||
        bytes[1] == 0) {
      return absl::DataLossError(
          absl::StrCat("the row of index ", AbslView(OptionalIndexName(index)),
                       " is malformed"));
    }
    Row& row = rows_[NumberOf(index)];
    row.slot = {static_cast<IndexState>(bytes[0]),
                static_cast<uint8_t>(bytes[1])};
    row.last = IdFromBytes(bytes.substr(2, TokenId::kSize));
    row.built = LoadBig64(bytes.data() + 2 + TokenId::kSize);
    set.Set(index, row.slot);
  }
  sets_.Set(std::make_shared<const IndexSet>(set));
  return absl::OkStatus();
}

absl::Status IndexCatalog::ReadDropped() {
  for (const OptionalIndex index : kOptionalIndexes) {
    const std::string begin = DroppedKey(index, 0);
    Cursor cursor =
        store_.NewCursor(nullptr, Family::kMeta,
                         {begin, PrefixEnd(begin.substr(0, begin.size() - 1))});
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
      dropped_.emplace_back(index, static_cast<uint8_t>(cursor.key().back()));
    }
    RETURN_IF_ERROR(cursor.status());
  }
  return absl::OkStatus();
}

IndexCatalog::Row IndexCatalog::RowOf(OptionalIndex index) const {
  const std::lock_guard lock(mutex_);
  return rows_[NumberOf(index)];
}

absl::Status IndexCatalog::Commit(Batch& batch, OptionalIndex index,
                                  const Row& row, Durability durability) {
  std::string value = {static_cast<char>(row.slot.state),
                       static_cast<char>(row.slot.generation)};
  value.append(row.last.bytes());
  AppendBig64(value, row.built);
  batch.Put(Family::kMeta, RowKey(index), value);
  RETURN_IF_ERROR(store_.Commit(batch, durability));
  const std::lock_guard lock(mutex_);
  rows_[NumberOf(index)] = row;
  return absl::OkStatus();
}

void IndexCatalog::Publish(OptionalIndex index, const IndexSet::Slot& slot) {
  const std::lock_guard lock(mutex_);
  const std::shared_ptr<const IndexSet> before = sets_.Get();
  auto after = std::make_shared<IndexSet>(*before);
  after->Set(index, slot);
  sets_.Set(std::move(after));
  former_.emplace_back(before);
}

std::vector<IndexInfo> IndexCatalog::List() const {
  std::vector<IndexInfo> list = {
      {"owner"}, {"scope"}, {"expiry"}, {"creation"}};
  for (const OptionalIndex index : kOptionalIndexes) {
    const Row row = RowOf(index);
    list.push_back({std::string(OptionalIndexName(index)), row.slot.state,
                    row.slot.generation, row.built});
  }
  return list;
}

// --- Adding ---

absl::Status IndexCatalog::Begin(OptionalIndex index) {
  Row row = RowOf(index);
  if (row.slot.state == IndexState::kWriteOnly) return absl::OkStatus();
  if (row.slot.generation == std::numeric_limits<uint8_t>::max()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("index ", AbslView(OptionalIndexName(index)),
                     " was added 255 times, which is the most"));
  }
  row = {.slot = {IndexState::kWriteOnly,
                  static_cast<uint8_t>(row.slot.generation + 1)}};
  Batch batch = store_.NewBatch();
  RETURN_IF_ERROR(Commit(batch, index, row, Durability::kSync));
  Publish(index, row.slot);
  return absl::OkStatus();
}

absl::Status IndexCatalog::Finish(OptionalIndex index) {
  Row row = RowOf(index);
  row.slot.state = IndexState::kReadable;
  // The entries are before it in the log, which is synced up to it.
  Batch batch = store_.NewBatch();
  RETURN_IF_ERROR(Commit(batch, index, row, Durability::kSync));
  Publish(index, row.slot);
  return absl::OkStatus();
}

// Why the index is complete at the end. Changes load the set after they took
// the locks of their tokens. Those that loaded a set without the index are
// waited for; all others write its entries. So a token that the steps below do
// not meet, because it was issued behind them or is deleted, needs nothing from
// them. Of one they meet, they read the newest record under its lock and put
// what that says. A change before the step takes back the entries of the record
// it replaces as if they were there: deleting what is not does no harm. One
// after it finds them.
absl::Status IndexCatalog::Add(OptionalIndex index,
                               const AddIndexOptions& options) {
  if (options.step_tokens < 1 || options.step_tokens > 256) {
    return absl::InvalidArgumentError(absl::StrCat(
        "step_tokens is ", options.step_tokens, "; it must be 1 to 256"));
  }
  const Claim claim(*this, index);
  RETURN_IF_ERROR(claim.status());
  if (RowOf(index).slot.state == IndexState::kReadable) return absl::OkStatus();
  RETURN_IF_ERROR(Begin(index));
  sources_.stripes.WaitForHolders();
  while (true) {
    if (options.stop != nullptr && *options.stop) {
      return absl::CancelledError(
          absl::StrCat("stopped after ", RowOf(index).built,
                       " tokens; adding the index again goes on"));
    }
    ASSIGN_OR_RETURN(const bool more, BuildStep(index, options.step_tokens));
    if (options.progress) options.progress(RowOf(index).built);
    if (!more) break;
  }
  return Finish(index);
}

// --- Dropping ---

absl::Status IndexCatalog::Drop(OptionalIndex index) {
  const Claim claim(*this, index);
  RETURN_IF_ERROR(claim.status());
  Row row = RowOf(index);
  if (row.slot.state == IndexState::kDisabled) return absl::OkStatus();
  const uint8_t generation = row.slot.generation;
  row = {.slot = {IndexState::kDisabled, generation}};
  Batch batch = store_.NewBatch();
  batch.Put(Family::kMeta, DroppedKey(index, generation), "");
  RETURN_IF_ERROR(Commit(batch, index, row, Durability::kSync));
  Publish(index, row.slot);
  const std::lock_guard lock(mutex_);
  dropped_.emplace_back(index, generation);
  return absl::OkStatus();
}

// Under `mutex_`. A call that began before the index was dropped may still read
// its entries, from a snapshot that compactions do not know of; and a change
// may still write some.
std::vector<std::string> IndexCatalog::ReleasablePrefixes() {
  std::vector<std::shared_ptr<const IndexSet>> in_use = {sets_.Get()};
  std::erase_if(former_, [&](const std::weak_ptr<const IndexSet>& former) {
    auto set = former.lock();
    if (set == nullptr) return true;
    in_use.push_back(std::move(set));
    return false;
  });
  std::vector<std::string> prefixes;
  for (const OptionalIndex index : kOptionalIndexes) {
    unsigned first = std::numeric_limits<unsigned>::max();
    for (const auto& set : in_use) {
      // Before it was added for the first time a set says nothing.
      const bool present = set == in_use.front() || set->IsWritten(index);
      if (present) first = std::min(first, set->Of(index).FirstInUse());
    }
    released_[NumberOf(index)] = first;
    for (unsigned generation = 1; generation < first; ++generation) {
      prefixes.push_back(
          IndexPrefix(KindOf(index), static_cast<uint8_t>(generation)));
    }
  }
  return prefixes;
}

void IndexCatalog::ReleaseRetired() {
  const std::lock_guard lock(mutex_);
  store_.AllowDropping(DeadPrefixes(ReleasablePrefixes()));
}

absl::Status IndexCatalog::ReclaimRetired() {
  ReleaseRetired();
  std::vector<Dropped> dropped;
  {
    const std::lock_guard lock(mutex_);
    std::copy_if(dropped_.begin(), dropped_.end(), std::back_inserter(dropped),
                 [this](const Dropped& each) {
                   return each.second < released_[NumberOf(each.first)];
                 });
  }
  for (const auto& [index, generation] : dropped) {
    const KeyRange range = EntriesIn(index, generation);
    const auto any_left = [&]() -> absl::StatusOr<bool> {
      Cursor cursor = store_.NewCursor(nullptr, Family::kIndex, range,
                                       ScanKind::kWholeDatabase);
      cursor.SeekToFirst();
      RETURN_IF_ERROR(cursor.status());
      return cursor.Valid();
    };
    RETURN_IF_ERROR(store_.DropFilesWithin(Family::kIndex, {&range, 1}));
    ASSIGN_OR_RETURN(bool left, any_left());
    if (left) {
      RETURN_IF_ERROR(store_.CompactWithin(Family::kIndex, range));
      ASSIGN_OR_RETURN(left, any_left());
    }
    if (left) continue;  // The next round tries again.
    Batch batch = store_.NewBatch();
    batch.Delete(Family::kMeta, DroppedKey(index, generation));
    RETURN_IF_ERROR(store_.Commit(batch, Durability::kBuffered));
    const std::lock_guard lock(mutex_);
    std::erase(dropped_, Dropped{index, generation});
  }
  return absl::OkStatus();
}

}  // namespace tokendb
