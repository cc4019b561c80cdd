#include "src/verify/verify_index.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/index/keys.h"

namespace tokendb {
namespace {

// Rows read from one cursor: the tickets taken before it grow old.
constexpr size_t kRowsPerStep = 2048;

// Sets of scopes take up to this part of the memory.
constexpr size_t kSetsPart = 16;

}  // namespace

absl::StatusOr<std::unique_ptr<VerifyIndex>> VerifyIndex::Create(
    Store& store, const VerifyIndexOptions& options,
    std::function<Millis()> now) {
  const size_t for_sets = options.max_bytes / kSetsPart;
  ASSIGN_OR_RETURN(std::unique_ptr<VerifyTable> table,
                   VerifyTable::Create(options.max_bytes - for_sets));
  std::unique_ptr<VerifyIndex> index(
      new VerifyIndex(store, options, std::move(table), std::move(now)));
  store.Observe(Family::kDigest, index.get());
  return index;
}

VerifyIndex::VerifyIndex(Store& store, const VerifyIndexOptions& options,
                         std::unique_ptr<VerifyTable> table,
                         std::function<Millis()> now)
    : store_(store),
      options_(options),
      table_(std::move(table)),
      now_(std::move(now)),
      sets_(options.max_bytes / kSetsPart),
      is_cache_(options.mode == VerifyMode::kBounded) {}

VerifyIndex::~VerifyIndex() {
  stopping_ = true;
  if (filler_.joinable()) filler_.join();
  store_.Observe(Family::kDigest, nullptr);
}

// --- What the index says ---

VerifyEntry VerifyIndex::EntryOf(const DigestRow& row) {
  const Validity& validity = row.validity;
  VerifyEntry entry{.id = row.id,
                    .expires_at = validity.expires_at,
                    .is_disabled = !validity.enabled};
  if (validity.revoked_at != kNever || validity.not_before != kAlways) {
    // The time never runs back: what has begun has begun for ever.
    const Millis now = now_();
    entry.is_revoked = validity.revoked_at <= now;
    entry.ask_store =
        validity.not_before > now ||
        (validity.revoked_at != kNever && validity.revoked_at > now);
  }
  if (const auto bits = sets_.BitsOf(row.scopes); bits.has_value()) {
    entry.scopes = *bits;
  } else {
    entry.ask_store = true;
  }
  return entry;
}

VerifyEntry VerifyIndex::EntryOf(const Digest& digest, std::string_view value) {
  const absl::StatusOr<DigestRow> row = ParseDigestRow(digest, value);
  // Who asks the store is told what is wrong with the row.
  return row.ok() ? EntryOf(*row) : VerifyEntry{.ask_store = true};
}

// --- Changes ---

void VerifyIndex::Publish(const Digest& digest, const VerifyEntry& entry) {
  const Key key = table_->KeyOf(digest);
  if (is_cache_) {
    table_->PutIfPresent(key, entry);
    return;
  }
  if (!table_->Put(key, entry, store_.dropping_cutoff(),
                   VerifyTable::IfFull::kRefuse)) {
    CeaseToBeComplete();
  }
}

void VerifyIndex::CeaseToBeComplete() {
  const std::lock_guard lock(mutex_);
  // In this order: nothing is replaced while it counts as complete.
  complete_.store(false, std::memory_order_release);
  is_cache_ = true;
  if (last_error_.ok()) {
    last_error_ = absl::ResourceExhaustedError(
        absl::StrCat(options_.max_bytes, " bytes do not hold all tokens"));
  }
}

void VerifyIndex::Committed(absl::Span<const Row> rows) {
  for (const Row& row : rows) {
    const Digest digest = DigestFromBytes(row.key);
    if (row.value.has_value()) {
      Publish(digest, EntryOf(digest, *row.value));
    } else {
      table_->Erase(table_->KeyOf(digest));
    }
  }
}

void VerifyIndex::Uncertain(absl::Span<const Row> rows) {
  for (const Row& row : rows) {
    Publish(DigestFromBytes(row.key), VerifyEntry{.ask_store = true});
  }
}

void VerifyIndex::Offer(const Key& key, uint64_t ticket, const DigestRow& row) {
  // Else the index is told of everything.
  if (!is_cache_) return;
  table_->Fill(key, EntryOf(row), ticket, store_.dropping_cutoff(),
               VerifyTable::IfFull::kReplace);
}

// --- Filling ---

void VerifyIndex::StartFilling(absl::StatusOr<VerifyFile> kept) {
  if (options_.mode != VerifyMode::kComplete) return;
  filling_ = true;
  filler_ = std::thread([this, kept = std::move(kept)]() mutable {
    table_->Reserve(store_.SizeOf(Family::kDigest).estimated_entries);
    const bool done = kept.ok() && FillFromFile(*kept).ok();
    EndFilling(done ? absl::OkStatus() : FillFromRows(), done);
  });
}

void VerifyIndex::EndFilling(const absl::Status& status, bool from_file) {
  {
    const std::lock_guard lock(mutex_);
    filling_ = false;
    from_file_ = from_file;
    if (last_error_.ok()) last_error_ = status;
    if (status.ok() && !is_cache_) {
      complete_.store(true, std::memory_order_release);
    }
  }
  changed_.notify_all();
}

absl::Status VerifyIndex::Await(absl::Duration timeout) const {
  std::unique_lock lock(mutex_);
  // A day at a time: the system's clocks do not count to infinity.
  const auto wait =
      absl::ToChronoMilliseconds(std::min(timeout, absl::Hours(24)));
  if (!changed_.wait_for(lock, wait, [this] { return !filling_; })) {
    return absl::DeadlineExceededError("the verify index is being filled");
  }
  return absl::OkStatus();
}

// The file has the rows as they were when the store was opened, when all
// tickets were 0: what was changed since is there, or has changed its ticket.
absl::Status VerifyIndex::FillFromFile(VerifyFile& kept) {
  return kept.Read([&](const Digest& digest, const VerifyEntry& entry,
                       absl::Span<const uint32_t> scopes) {
    VerifyEntry complete = entry;
    const auto bits = sets_.BitsOf(scopes);
    complete.scopes = bits.value_or(0);
    complete.ask_store |= !bits.has_value();
    return FillWith(digest, complete, /*ticket=*/0);
  });
}

absl::Status VerifyIndex::FillFromRows() {
  std::string last;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, FillSome(last));
    if (!more) return absl::OkStatus();
  }
}

absl::StatusOr<bool> VerifyIndex::FillSome(std::string& last) {
  const VerifyTable::Tickets tickets = table_->AllTickets();
  // Behind `last`: the least key that is greater.
  Cursor cursor = store_.NewCursor(
      nullptr, Family::kDigest,
      {last.empty() ? "" : absl::StrCat(last, std::string(1, '\0')), ""},
      ScanKind::kWholeDatabase);
  size_t rows = 0;
  for (cursor.SeekToFirst(); cursor.Valid() && rows < kRowsPerStep;
       cursor.Next(), ++rows) {
    last.assign(cursor.key());
    if (last.size() != Digest::kSize) continue;  // Check() reports it.
    const Digest digest = DigestFromBytes(last);
    RETURN_IF_ERROR(FillWith(digest, EntryOf(digest, cursor.value()),
                             table_->KeyOf(digest).TicketIn(tickets)));
  }
  RETURN_IF_ERROR(cursor.status());
  return rows == kRowsPerStep;
}

absl::Status VerifyIndex::FillWith(const Digest& digest, VerifyEntry entry,
                                   uint64_t ticket) {
  const Key key = table_->KeyOf(digest);
  PinnedValue value;
  while (!stopping_) {
    switch (table_->Fill(key, entry, ticket, store_.dropping_cutoff(),
                         VerifyTable::IfFull::kRefuse)) {
      case VerifyTable::Filled::kYes:
        return absl::OkStatus();
      case VerifyTable::Filled::kFull:
        CeaseToBeComplete();
        return absl::ResourceExhaustedError("the verify index is full");
      case VerifyTable::Filled::kTooLate:
        break;
    }
    ticket = table_->Ticket(key);
    ASSIGN_OR_RETURN(const bool found, store_.Get(nullptr, Family::kDigest,
                                                  digest.bytes(), value));
    if (!found) return absl::OkStatus();
    entry = EntryOf(digest, value.view());
  }
  return absl::CancelledError("the database is being closed");
}

// --- Reports ---

VerifyStats VerifyIndex::Stats() const {
  VerifyStats stats{.is_on = true,
                    .is_complete = complete_,
                    .tokens = table_->size(),
                    .slots = table_->slots(),
                    .bytes = table_->bytes() + sets_.bytes(),
                    .max_bytes = options_.max_bytes};
  const std::lock_guard lock(mutex_);
  stats.is_filling = filling_;
  stats.is_from_file = from_file_;
  stats.last_error = last_error_;
  return stats;
}

absl::Status VerifyIndex::Save() const {
  const StoreState state = store_.CurrentState();
  if (!complete_ || state.identity.empty()) return absl::OkStatus();
  return WriteVerifyFile(
      store_.VerifyFilePath(), state, *table_,
      [&](uint64_t bits) { return ScopeSets::NumbersOf(sets_.SetOf(bits)); });
}

}  // namespace tokendb
