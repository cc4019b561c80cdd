#ifndef TOKENDB_SRC_VERIFY_VERIFY_INDEX_H_
#define TOKENDB_SRC_VERIFY_VERIFY_INDEX_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "src/index/digest_row.h"
#include "src/index/scope_sets.h"
#include "src/storage/row_observer.h"
#include "src/storage/store.h"
#include "src/verify/verify_file.h"
#include "src/verify/verify_table.h"
#include "tokendb/options.h"
#include "tokendb/verify.h"

namespace tokendb {

// Answers authentication from memory. Holds what the rows of the digest family
// say, and is told of every change to them after it is committed and before it
// is acknowledged.
//
// Invariants:
// - What the table says of a digest is what its row said at some moment since
//   the last acknowledged change to it. A row read from the store is put into
//   the table only if nothing was said of its digest since before it was read
//   (VerifyTable::Ticket()), so that a slow reader revives nothing.
// - While the index is complete, every row that is not forgotten is in the
//   table. It becomes so when all rows were read, and ceases to be before any
//   entry is lost.
//
// Thread-safe.
class VerifyIndex final : public RowObserver {
 public:
  // `store` must outlive the index, and tell it of changes from now on; nothing
  // is written to it meanwhile. `now` is asked for the time of changes.
  static absl::StatusOr<std::unique_ptr<VerifyIndex>> Create(
      Store& store, const VerifyIndexOptions& options,
      std::function<Millis()> now);
  ~VerifyIndex() override;

  using Key = VerifyTable::Key;
  Key KeyOf(const Digest& digest) const { return table_->KeyOf(digest); }

  // Begin to fetch what Find() will read, in this order.
  void PrefetchHeader(const Key& key) const { table_->PrefetchHeader(key); }
  void PrefetchSlot(const Key& key) const { table_->PrefetchSlot(key); }

  enum class Found : uint8_t {
    kEntry,
    kUnknown,   // No token has this digest.
    kAskStore,  // The index does not know.
  };
  Found Find(const Key& key, VerifyEntry& entry) const {
    switch (table_->Find(key, entry, is_cache_.load(kRelaxed))) {
      case VerifyTable::Found::kYes:
        return entry.ask_store ? Found::kAskStore : Found::kEntry;
      case VerifyTable::Found::kNo:
        // Read after the look-up: an index that lost the entry said so first.
        return complete_.load(std::memory_order_acquire) ? Found::kUnknown
                                                         : Found::kAskStore;
      case VerifyTable::Found::kUnsure:
        break;
    }
    return Found::kAskStore;
  }

  // For who reads a row because the index does not know it: Ticket() before,
  // and Offer() afterwards.
  uint64_t Ticket(const Key& key) const { return table_->Ticket(key); }
  void Offer(const Key& key, uint64_t ticket, const DigestRow& row);

  ScopeSet ScopesOf(const VerifyEntry& entry) const {
    return sets_.SetOf(entry.scopes);
  }

  void Committed(absl::Span<const Row> rows) override;
  void Uncertain(absl::Span<const Row> rows) override;

  // Begins to read all rows, or else what Save() kept, in a thread of its own,
  // if the index is to be complete. Nothing was written since Create().
  void StartFilling(absl::StatusOr<VerifyFile> kept);

  // Waits until that has ended. DeadlineExceeded if it takes longer.
  absl::Status Await(absl::Duration timeout) const;

  VerifyStats Stats() const;

  // Keeps a complete index in a file, so that the next opening need not read
  // all rows. Nothing may be written to the store from now on.
  absl::Status Save() const;

 private:
  static constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

  VerifyIndex(Store& store, const VerifyIndexOptions& options,
              std::unique_ptr<VerifyTable> table, std::function<Millis()> now);

  VerifyEntry EntryOf(const DigestRow& row);
  VerifyEntry EntryOf(const Digest& digest, std::string_view value);
  void Publish(const Digest& digest, const VerifyEntry& entry);
  void CeaseToBeComplete();

  absl::Status FillFromFile(VerifyFile& kept);
  absl::Status FillFromRows();
  // Reads rows behind `last`, and moves it. False at the end.
  absl::StatusOr<bool> FillSome(std::string& last);
  // Puts what was read after `ticket`, or else what is in the store by now.
  absl::Status FillWith(const Digest& digest, VerifyEntry entry,
                        uint64_t ticket);
  void EndFilling(const absl::Status& status, bool from_file);

  Store& store_;
  const VerifyIndexOptions options_;
  const std::unique_ptr<VerifyTable> table_;
  const std::function<Millis()> now_;
  ScopeSets sets_;

  // Whether it holds what is asked for rather than everything: from the
  // beginning, or since not everything had room.
  std::atomic<bool> is_cache_;
  std::atomic<bool> complete_ = false;
  mutable std::mutex mutex_;  // Guards what follows, and changes of the above.
  mutable std::condition_variable changed_;
  bool filling_ = false;
  bool from_file_ = false;
  absl::Status last_error_;

  std::atomic<bool> stopping_ = false;
  std::thread filler_;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_VERIFY_VERIFY_INDEX_H_
