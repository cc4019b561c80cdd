// A hash table from digests to what authentication needs to know of their
// tokens, read without locks.
//
// Slots of one cache line are in groups of 16. A group's header of half a line
// has a byte of each slot's hash, so that most lookups touch two lines, and a
// version: odd while the group is being changed, and another one afterwards. A
// reader that meets either has not read anything, and tries again; nothing that
// a reader does is seen by others, but for a bit that says a slot was used.
//
// The groups are in segments, chosen by the hash. A segment has the lock of its
// writers, grows by itself, and counts what it loses (see Ticket()).
//
// Open addressing with linear probing over groups: a key is in the first group
// of its probe sequence that had room when it came, and no group before that
// one has an empty slot, then or later. So a group with an empty slot ends a
// search.
#ifndef TOKENDB_SRC_VERIFY_VERIFY_TABLE_H_
#define TOKENDB_SRC_VERIFY_VERIFY_TABLE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "src/model/liveness.h"
#include "src/model/millis.h"
#include "src/verify/mapped_memory.h"
#include "tokendb/token.h"

namespace tokendb {

// What a slot says of a token.
struct VerifyEntry {
  TokenId id;
  Millis expires_at = kNever;
  uint64_t scopes = 0;  // src/index/scope_sets.h
  bool is_revoked = false;
  bool is_disabled = false;

  // The slot cannot tell, since the token's state changes otherwise than by
  // expiring, or is not known: whoever asks must read the store.
  bool ask_store = false;

  friend bool operator==(const VerifyEntry&, const VerifyEntry&) = default;
};

// For the rule that says whether a token is live. Only of an entry that can
// tell.
inline Validity ValidityOf(const VerifyEntry& entry) {
  return {.expires_at = entry.expires_at,
          .revoked_at = entry.is_revoked ? kAlways : kNever,
          .enabled = !entry.is_disabled};
}

// Four bits of a slot's header, three of which VerifyFile keeps on disk as
// well.
struct VerifyStates {
  static constexpr uint64_t kRevoked = 1;
  static constexpr uint64_t kDisabled = 2;
  static constexpr uint64_t kAskStore = 4;
  static constexpr uint64_t kUsed = 8;  // Of the slot, not of the entry.

  static uint64_t Of(const VerifyEntry& entry) {
    return (entry.is_revoked ? kRevoked : 0) |
           (entry.is_disabled ? kDisabled : 0) |
           (entry.ask_store ? kAskStore : 0);
  }
  static void Set(uint64_t states, VerifyEntry& entry) {
    entry.is_revoked = (states & kRevoked) != 0;
    entry.is_disabled = (states & kDisabled) != 0;
    entry.ask_store = (states & kAskStore) != 0;
  }
};

class VerifyTable {
 public:
  static constexpr size_t kGroupSlots = 16;
  static constexpr size_t kSegments = 32;

  // A digest's place in the table.
  class Key;

  // Reserves address space for `max_bytes` of memory, which is taken only as
  // tokens come. InvalidArgument if that is less than one group for each
  // segment; ResourceExhausted if it cannot be had.
  static absl::StatusOr<std::unique_ptr<VerifyTable>> Create(size_t max_bytes);
  ~VerifyTable() = default;
  VerifyTable(const VerifyTable&) = delete;
  VerifyTable& operator=(const VerifyTable&) = delete;

  Key KeyOf(const Digest& digest) const;

  // --- Reading: no locks, any number of threads ---

  enum class Found : uint8_t {
    kYes,
    kNo,      // It was not in the table at some moment during the call.
    kUnsure,  // Its segment is being rearranged.
  };
  // Also marks what it finds as used, if `mark_used`.
  Found Find(const Key& key, VerifyEntry& entry, bool mark_used) const;

  // Begin to fetch the memory that Find() will read: first the header, and,
  // once that is there, the slot.
  void PrefetchHeader(const Key& key) const;
  void PrefetchSlot(const Key& key) const;

  // --- Writing: one at a time in each segment ---

  // What may be done for a new key if all slots are taken.
  enum class IfFull : uint8_t { kRefuse, kReplace };

  // Makes `entry` what the table says of a key. Drops entries that are
  // forgotten by `cutoff` for room. False if there is none, and then the key is
  // not in the table.
  bool Put(const Key& key, const VerifyEntry& entry, const Cutoff& cutoff,
           IfFull if_full);

  // The same, but does nothing if the key is not there.
  void PutIfPresent(const Key& key, const VerifyEntry& entry);

  void Erase(const Key& key);

  // A number that changes whenever the key's segment ceases to say something:
  // when a key is erased or replaced, and when PutIfPresent() does nothing.
  //
  // Who reads a row from the store to put it here takes the ticket first, and
  // gives it to Fill(). The row is then put only if nothing newer was said of
  // the key meanwhile: neither is it there, nor was it there and was lost.
  uint64_t Ticket(const Key& key) const;

  // The tickets of all segments, for many rows that are read at once.
  using Tickets = std::array<uint64_t, kSegments>;
  Tickets AllTickets() const;

  enum class Filled : uint8_t {
    kYes,      // Or the key was there, with what is newer.
    kTooLate,  // The ticket has changed: read the row again.
    kFull,
  };
  Filled Fill(const Key& key, const VerifyEntry& entry, uint64_t ticket,
              const Cutoff& cutoff, IfFull if_full);

  // Makes room for `tokens` entries, as far as memory goes.
  void Reserve(uint64_t tokens);

  // --- The whole ---

  // Calls `visit` with all entries, each segment under its lock.
  void ForEach(
      absl::FunctionRef<void(const Digest&, const VerifyEntry&)> visit) const;

  uint64_t size() const;
  uint64_t slots() const;

  // Of headers and slots in use.
  uint64_t bytes() const;

 private:
  struct alignas(32) Header {
    std::array<std::atomic<uint64_t>, 2> tags;  // A byte for each slot.
    std::atomic<uint64_t> states;               // Four bits for each slot.
    std::atomic<uint32_t> version;
    uint32_t unused;
  };
  struct alignas(64) Slot {
    std::array<std::atomic<uint64_t>, 4> digest;
    std::array<std::atomic<uint64_t>, 2> id;
    std::atomic<uint64_t> expires_at;
    std::atomic<uint64_t> scopes;
  };
  static constexpr size_t kGroupBytes =
      sizeof(Header) + kGroupSlots * sizeof(Slot);

  struct alignas(64) Segment {
    // For readers. `generation` is odd while entries are moved.
    std::atomic<uint64_t> generation = 0;
    std::atomic<uint32_t> groups = 1;
    Header* headers = nullptr;
    Slot* slots = nullptr;

    // For writers.
    alignas(64) mutable std::mutex mutex;
    std::atomic<uint64_t> ticket = 0;
    std::atomic<uint64_t> full = 0;  // Slots with an entry.
    uint64_t deleted = 0;            // Slots that had one.
  };

  // A slot by number in its segment.
  struct Place {
    size_t slot = 0;
    bool present = false;
    bool is_new = false;  // Neither an entry nor a deleted one.
  };
  class GroupChange;
  enum class Probe : uint8_t { kFound, kGoOn, kEnd, kDisturbed };

  VerifyTable(MappedMemory headers, MappedMemory slots, uint32_t max_groups);

  Segment& SegmentOf(const Key& key) const;
  Probe ProbeGroup(const Segment& segment, size_t group, const Key& key,
                   VerifyEntry& entry, bool mark_used) const;

  // All under the segment's lock.
  static Place Locate(const Segment& segment, const Key& key);
  std::optional<Place> MakeRoom(Segment& segment, const Key& key,
                                const Place& place, const Cutoff& cutoff,
                                IfFull if_full);
  static std::optional<Place> ChooseVictim(Segment& segment, const Key& key);
  static void Write(Segment& segment, const Place& place, const Key& key,
                    const VerifyEntry& entry);
  void Rearrange(Segment& segment, uint32_t groups, const Cutoff& cutoff);
  static VerifyEntry ReadSlot(const Segment& segment, size_t slot);
  static Digest ReadDigest(const Slot& slot);
  void AdviseHugePages(Segment& segment, uint32_t groups) const;

  const MappedMemory headers_;
  const MappedMemory slots_;
  const uint32_t max_groups_;  // Of a segment.
  const std::array<uint64_t, 2> seed_;
  mutable std::array<Segment, kSegments> segments_;
};

class VerifyTable::Key {
 public:
  const std::array<uint64_t, 4>& words() const { return words_; }
  uint64_t TicketIn(const Tickets& tickets) const { return tickets[Segment()]; }

 private:
  friend class VerifyTable;
  std::array<uint64_t, 4> words_;
  uint64_t hash_ = 0;

  size_t Segment() const { return hash_ % kSegments; }
  uint8_t Tag() const {
    // 0 and 1 are kEmpty and kDeleted.
    const auto tag = static_cast<uint8_t>(hash_ >> 8);
    return tag < 2 ? static_cast<uint8_t>(tag + 2) : tag;
  }
  size_t Group(uint32_t groups) const { return (hash_ >> 32) * groups >> 32; }
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_VERIFY_VERIFY_TABLE_H_
