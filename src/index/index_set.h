// Which indexes there are. Owner, scope, expiry and creation always are, in
// generation 1; the optional ones are added and dropped while the database is
// open. A dropped index leaves its entries behind: an index that is added again
// gets a new generation, so that they are never taken for its own.
#ifndef TOKENDB_SRC_INDEX_INDEX_SET_H_
#define TOKENDB_SRC_INDEX_INDEX_SET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/index/keys.h"
#include "src/storage/store.h"
#include "tokendb/index.h"

namespace tokendb {

inline constexpr std::array kOptionalIndexes = {OptionalIndex::kOrganization,
                                                OptionalIndex::kKind};

IndexKind KindOf(OptionalIndex index);

// The states of all optional indexes at one moment. Immutable once shared.
class IndexSet {
 public:
  struct Slot {
    IndexState state = IndexState::kDisabled;
    uint8_t generation = 0;  // The last one there was; 0: none yet.

    // The first generation whose entries may still be of use: all before it
    // are dead for good.
    unsigned FirstInUse() const {
      return state == IndexState::kDisabled ? generation + 1U : generation;
    }
  };

  // Without optional indexes.
  IndexSet() = default;

  void Set(OptionalIndex index, const Slot& slot) { At(index) = slot; }
  const Slot& Of(OptionalIndex index) const {
    return slots_[static_cast<size_t>(index)];
  }
  bool IsWritten(OptionalIndex index) const {
    return Of(index).state != IndexState::kDisabled;
  }
  bool IsReadable(OptionalIndex index) const {
    return Of(index).state == IndexState::kReadable;
  }

  // Generation and index of the present entries of `index`, which is written.
  std::string PrefixOf(OptionalIndex index) const;
  // The same and the term of `text`; empty: of tokens that have none.
  std::string TermPrefix(OptionalIndex index, std::string_view text) const;

  // Whether an index key belongs to an index that was dropped.
  bool IsRetired(std::string_view key) const;

  // Whether an index key belongs to an index that may lack entries.
  bool IsIncomplete(std::string_view key) const;

 private:
  Slot& At(OptionalIndex index) { return slots_[static_cast<size_t>(index)]; }
  // The optional index of a key; nothing if it is of none.
  static std::optional<OptionalIndex> OptionalOf(std::string_view key);

  std::array<Slot, kOptionalIndexes.size()> slots_;
};

// The set that holds now.
//
// Thread-safe.
class SharedIndexSet {
 public:
  std::shared_ptr<const IndexSet> Get() const {
    const std::lock_guard lock(mutex_);
    return set_;
  }
  void Set(std::shared_ptr<const IndexSet> set) {
    const std::lock_guard lock(mutex_);
    set_.swap(set);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const IndexSet> set_ = std::make_shared<const IndexSet>();
};

// A snapshot, and the set that held when it was taken.
struct IndexedSnapshot {
  std::shared_ptr<const IndexSet> indexes;
  Snapshot snapshot;
};

// Invariant: every index that is readable in the set is complete in the
// snapshot, and is kept from compactions while the set lives.
IndexedSnapshot TakeIndexedSnapshot(const Store& store,
                                    const SharedIndexSet& shared, Millis as_of);

}  // namespace tokendb

#endif  // TOKENDB_SRC_INDEX_INDEX_SET_H_
