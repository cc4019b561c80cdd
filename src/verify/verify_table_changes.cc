// What changes a VerifyTable: under the locks of its segments.
#include <algorithm>
#include <utility>
#include <vector>

#include "src/verify/header_words.h"
#include "src/verify/verify_table.h"

namespace tokendb {
namespace {

// A group of 16 is this full on average when its segment has to grow, after
// that, and when the number of tokens is known. The first costs probes, the
// second memory: 66 bytes a slot, hence 75 to 89 a token.
constexpr uint64_t kMaxFullOfGroup = 14;
constexpr double kFullAfterGrowth = 11.9;
constexpr double kFullOnceFilled = 13;

bool MayBeDropped(const VerifyEntry& entry, const Cutoff& cutoff) {
  // What is not known to be revoked may be.
  return entry.ask_store ? entry.expires_at <= cutoff.Earlier()
                         : IsForgotten(ValidityOf(entry), cutoff);
}

}  // namespace

// Makes the version of a group odd, and even again at its end. Loads of readers
// acquire and stores below release, each one: so a reader that saw one of the
// stores also sees that the version has changed.
class VerifyTable::GroupChange {
 public:
  explicit GroupChange(Header& header)
      : header_(header),
        version_(header.version.load(std::memory_order_relaxed)) {
    header_.version.store(version_ + 1, std::memory_order_relaxed);
  }
  ~GroupChange() {
    header_.version.store(version_ + 2, std::memory_order_release);
  }
  GroupChange(const GroupChange&) = delete;
  GroupChange& operator=(const GroupChange&) = delete;

  void SetTag(size_t slot, uint8_t tag) {
    std::atomic<uint64_t>& word = header_.tags[slot / kWordSlots];
    const size_t shift = slot % kWordSlots * 8;
    const uint64_t others =
        word.load(std::memory_order_relaxed) & ~(uint64_t{0xFF} << shift);
    word.store(others | uint64_t{tag} << shift, std::memory_order_release);
  }

  // Readers may set the bit of use at the same time.
  void SetStates(size_t slot, uint64_t states) {
    const uint64_t mask = uint64_t{0xF} << ShiftOf(slot);
    uint64_t old = header_.states.load(std::memory_order_relaxed);
    while (!header_.states.compare_exchange_weak(
        old, (old & ~mask) | states << ShiftOf(slot), std::memory_order_release,
        std::memory_order_relaxed)) {
    }
  }

 private:
  Header& header_;
  const uint32_t version_;
};

// --- Writing ---

// Also where a new key would go: the first free slot of its probe sequence.
VerifyTable::Place VerifyTable::Locate(const Segment& segment, const Key& key) {
  const uint32_t groups = segment.groups.load(std::memory_order_relaxed);
  size_t group = key.Group(groups);
  std::optional<Place> free;
  for (uint32_t probed = 0; probed < groups; ++probed) {
    const Header& header = segment.headers[group];
    bool has_empty = false;
    for (size_t index = 0; index < kGroupSlots; ++index) {
      const uint8_t tag =
          TagOf(header.tags[index / kWordSlots].load(std::memory_order_relaxed),
                index % kWordSlots);
      const size_t slot = group * kGroupSlots + index;
      if (tag == kEmpty || tag == kDeleted) {
        has_empty |= tag == kEmpty;
        if (!free.has_value()) free = Place{slot, false, tag == kEmpty};
        continue;
      }
      if (tag != key.Tag()) continue;
      bool same = true;
      for (size_t i = 0; i < key.words().size(); ++i) {
        same &= segment.slots[slot].digest[i].load(std::memory_order_relaxed) ==
                key.words()[i];
      }
      if (same) return {.slot = slot, .present = true};
    }
    if (has_empty) break;
    group = group + 1 == groups ? 0 : group + 1;
  }
  // There always is one: a segment is never filled to its last slot.
  return *free;
}

void VerifyTable::Write(Segment& segment, const Place& place, const Key& key,
                        const VerifyEntry& entry) {
  GroupChange change(segment.headers[place.slot / kGroupSlots]);
  Slot& slot = segment.slots[place.slot];
  const size_t index = place.slot % kGroupSlots;
  if (!place.present) {
    for (size_t i = 0; i < key.words().size(); ++i) {
      slot.digest[i].store(key.words()[i], std::memory_order_release);
    }
    if (!place.is_new) --segment.deleted;
    segment.full.fetch_add(1, std::memory_order_relaxed);
  }
  slot.id[0].store(LoadWord(entry.id.bytes().data()),
                   std::memory_order_release);
  slot.id[1].store(LoadWord(entry.id.bytes().data() + sizeof(uint64_t)),
                   std::memory_order_release);
  slot.expires_at.store(static_cast<uint64_t>(entry.expires_at),
                        std::memory_order_release);
  slot.scopes.store(entry.scopes, std::memory_order_release);
  change.SetStates(index, VerifyStates::Of(entry));
  change.SetTag(index, key.Tag());
}

bool VerifyTable::Put(const Key& key, const VerifyEntry& entry,
                      const Cutoff& cutoff, IfFull if_full) {
  Segment& segment = SegmentOf(key);
  const std::lock_guard lock(segment.mutex);
  std::optional<Place> place = Locate(segment, key);
  if (!place->present) {
    place = MakeRoom(segment, key, *place, cutoff, if_full);
  }
  if (!place.has_value()) {
    ++segment.ticket;
    return false;
  }
  Write(segment, *place, key, entry);
  return true;
}

void VerifyTable::PutIfPresent(const Key& key, const VerifyEntry& entry) {
  Segment& segment = SegmentOf(key);
  const std::lock_guard lock(segment.mutex);
  const Place place = Locate(segment, key);
  if (place.present) {
    Write(segment, place, key, entry);
  } else {
    ++segment.ticket;
  }
}

void VerifyTable::Erase(const Key& key) {
  Segment& segment = SegmentOf(key);
  const std::lock_guard lock(segment.mutex);
  ++segment.ticket;
  const Place place = Locate(segment, key);
  if (!place.present) return;
  Header& header = segment.headers[place.slot / kGroupSlots];
  // A group that never was full ends searches already: no key is behind it.
  const bool ends_searches =
      MatchTags(header.tags[0].load(std::memory_order_relaxed), kEmpty) != 0 ||
      MatchTags(header.tags[1].load(std::memory_order_relaxed), kEmpty) != 0;
  GroupChange(header).SetTag(place.slot % kGroupSlots,
                             ends_searches ? kEmpty : kDeleted);
  if (!ends_searches) ++segment.deleted;
  segment.full.fetch_sub(1, std::memory_order_relaxed);
}

uint64_t VerifyTable::Ticket(const Key& key) const {
  return SegmentOf(key).ticket.load(std::memory_order_acquire);
}

VerifyTable::Tickets VerifyTable::AllTickets() const {
  Tickets tickets;
  for (size_t i = 0; i < kSegments; ++i) {
    tickets[i] = segments_[i].ticket.load(std::memory_order_acquire);
  }
  return tickets;
}

VerifyTable::Filled VerifyTable::Fill(const Key& key, const VerifyEntry& entry,
                                      uint64_t ticket, const Cutoff& cutoff,
                                      IfFull if_full) {
  Segment& segment = SegmentOf(key);
  const std::lock_guard lock(segment.mutex);
  std::optional<Place> place = Locate(segment, key);
  if (place->present) return Filled::kYes;
  if (segment.ticket != ticket) return Filled::kTooLate;
  place = MakeRoom(segment, key, *place, cutoff, if_full);
  if (!place.has_value()) return Filled::kFull;
  // Room that was made by losing others, who are not `key`, changed the ticket.
  Write(segment, *place, key, entry);
  return Filled::kYes;
}

// --- Room ---

// Where a new key, whose place would be `place`, may go.
std::optional<VerifyTable::Place> VerifyTable::MakeRoom(Segment& segment,
                                                        const Key& key,
                                                        const Place& place,
                                                        const Cutoff& cutoff,
                                                        IfFull if_full) {
  const auto taken = [&] {
    return segment.full.load(std::memory_order_relaxed) + segment.deleted;
  };
  const auto limit = [&] {
    return uint64_t{segment.groups.load(std::memory_order_relaxed)} *
           kMaxFullOfGroup;
  };
  if (!place.is_new || taken() < limit()) return place;
  const uint64_t full = segment.full.load(std::memory_order_relaxed);
  const auto wanted =
      static_cast<uint64_t>(static_cast<double>(full + 1) / kFullAfterGrowth) +
      1;
  const uint32_t groups = segment.groups.load(std::memory_order_relaxed);
  // As large as it can be: worth it only for many deleted slots.
  const bool can_grow = groups < max_groups_;
  if (can_grow || segment.deleted >= limit() / 8) {
    Rearrange(segment,
              static_cast<uint32_t>(std::min<uint64_t>(
                  std::max<uint64_t>(wanted, groups), max_groups_)),
              cutoff);
    if (taken() < limit()) return Locate(segment, key);
  }
  if (if_full == IfFull::kRefuse) return std::nullopt;
  return ChooseVictim(segment, key);
}

// The clock algorithm within the key's first group: the first entry that was
// not used since the last time all had been. Slots without an entry are kept,
// so that searches end. Nothing if there is no entry.
std::optional<VerifyTable::Place> VerifyTable::ChooseVictim(Segment& segment,
                                                            const Key& key) {
  const size_t group =
      key.Group(segment.groups.load(std::memory_order_relaxed));
  Header& header = segment.headers[group];
  const uint64_t states = header.states.load(std::memory_order_relaxed);
  std::optional<size_t> victim;
  bool all_used = true;
  for (size_t i = 0; i < kGroupSlots; ++i) {
    // Begins elsewhere for each key, for when all were used.
    const size_t index = (key.Tag() + i) % kGroupSlots;
    const uint64_t word =
        header.tags[index / kWordSlots].load(std::memory_order_relaxed);
    if (TagOf(word, index % kWordSlots) <= kDeleted) continue;
    all_used = (states >> ShiftOf(index) & VerifyStates::kUsed) != 0;
    if (!victim.has_value() || !all_used) victim = index;
    if (!all_used) break;
  }
  if (!victim.has_value()) return std::nullopt;
  if (all_used) {
    header.states.fetch_and(~kUsedOfAll, std::memory_order_relaxed);
  }
  // One entry goes and another comes: counted as if it had been deleted.
  ++segment.ticket;
  ++segment.deleted;
  segment.full.fetch_sub(1, std::memory_order_relaxed);
  return Place{.slot = group * kGroupSlots + *victim};
}

void VerifyTable::Rearrange(Segment& segment, uint32_t groups,
                            const Cutoff& cutoff) {
  std::vector<std::pair<Key, VerifyEntry>> kept;
  kept.reserve(segment.full.load(std::memory_order_relaxed));
  const uint32_t old_groups = segment.groups.load(std::memory_order_relaxed);
  const uint64_t generation =
      segment.generation.load(std::memory_order_relaxed);
  segment.generation.store(generation + 1, std::memory_order_release);
  for (size_t group = 0; group < old_groups; ++group) {
    Header& header = segment.headers[group];
    for (size_t index = 0; index < kGroupSlots; ++index) {
      const uint64_t word =
          header.tags[index / kWordSlots].load(std::memory_order_relaxed);
      if (TagOf(word, index % kWordSlots) <= kDeleted) continue;
      const size_t slot = group * kGroupSlots + index;
      VerifyEntry entry = ReadSlot(segment, slot);
      if (MayBeDropped(entry, cutoff)) {
        ++segment.ticket;
        continue;
      }
      kept.emplace_back(KeyOf(ReadDigest(segment.slots[slot])), entry);
    }
    const GroupChange change(header);
    header.tags[0].store(0, std::memory_order_release);
    header.tags[1].store(0, std::memory_order_release);
    header.states.store(0, std::memory_order_release);
  }
  if (groups > old_groups) AdviseHugePages(segment, groups);
  segment.groups.store(groups, std::memory_order_release);
  segment.full.store(0, std::memory_order_relaxed);
  segment.deleted = 0;
  for (const auto& [key, entry] : kept) {
    Write(segment, Locate(segment, key), key, entry);
  }
  segment.generation.store(generation + 2, std::memory_order_release);
}

// The last part of the slots, less than a huge page, stays in small pages.
void VerifyTable::AdviseHugePages(Segment& segment, uint32_t groups) const {
  const auto begin =
      static_cast<size_t>(reinterpret_cast<const char*>(segment.slots) -
                          static_cast<const char*>(slots_.data()));
  const size_t bytes = groups * kGroupSlots * sizeof(Slot) /
                       MappedMemory::kHugePageBytes *
                       MappedMemory::kHugePageBytes;
  if (bytes != 0) slots_.AdviseHugePages(begin, bytes);
}

void VerifyTable::Reserve(uint64_t tokens) {
  const auto wanted = static_cast<uint64_t>(static_cast<double>(tokens) /
                                            kSegments / kFullOnceFilled) +
                      1;
  const auto groups =
      static_cast<uint32_t>(std::min<uint64_t>(wanted, max_groups_));
  for (Segment& segment : segments_) {
    const std::lock_guard lock(segment.mutex);
    if (groups > segment.groups.load(std::memory_order_relaxed)) {
      Rearrange(segment, groups, Cutoff());
    }
  }
}

}  // namespace tokendb
