#include "src/verify/verify_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "src/base/status_macros.h"

namespace tokendb {
namespace {

static_assert(std::atomic<uint64_t>::is_always_lock_free &&
                  sizeof(std::atomic<uint64_t>) == sizeof(uint64_t),
              "Slots are made of plain words.");

constexpr uint8_t kEmpty = 0;
constexpr uint8_t kDeleted = 1;

constexpr uint64_t kOfEachByte = 0x0101010101010101;
constexpr uint64_t kHighBits = 0x8080808080808080;
constexpr size_t kWordSlots = 8;

// A slot's bits in Header::states.
constexpr unsigned kStateBits = 4;
constexpr uint64_t kRevoked = 1;
constexpr uint64_t kDisabled = 2;
constexpr uint64_t kAskStore = 4;
constexpr uint64_t kUsed = 8;
constexpr uint64_t kUsedOfAll = 0x8888888888888888;

// A group of 16 is this full on average when its segment has to grow, after
// that, and when the number of tokens is known. The first costs probes, the
// second memory: 66 bytes a slot, hence 75 to 89 a token.
constexpr uint64_t kMaxFullOfGroup = 14;
constexpr double kFullAfterGrowth = 11.9;
constexpr double kFullOnceFilled = 13;

// A reader gives up after that many disturbances, which are short.
constexpr int kMaxAttempts = 64;

// Sets the high bit of each byte of `tags` that is `tag`. May also set that of
// a byte above such a one.
uint64_t MatchTags(uint64_t tags, uint8_t tag) {
  const uint64_t difference = tags ^ (tag * kOfEachByte);
  return (difference - kOfEachByte) & ~difference & kHighBits;
}

size_t LowestMatch(uint64_t matches) {
  return static_cast<size_t>(std::countr_zero(matches)) / 8;
}

uint64_t StatesOf(const VerifyEntry& entry) {
  return (entry.is_revoked ? kRevoked : 0) |
         (entry.is_disabled ? kDisabled : 0) |
         (entry.ask_store ? kAskStore : 0);
}

void SetStates(uint64_t bits, VerifyEntry& entry) {
  entry.is_revoked = (bits & kRevoked) != 0;
  entry.is_disabled = (bits & kDisabled) != 0;
  entry.ask_store = (bits & kAskStore) != 0;
}

uint64_t ShiftOf(size_t slot_in_group) { return slot_in_group * kStateBits; }

uint64_t LoadWord(const char* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

uint8_t TagOf(uint64_t word, size_t slot_in_word) {
  return static_cast<uint8_t>(word >> (slot_in_word * 8));
}

std::array<uint64_t, 2> RandomSeed() {
  absl::BitGen bits;
  return {absl::Uniform<uint64_t>(bits), absl::Uniform<uint64_t>(bits)};
}

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

// --- Making ---

absl::StatusOr<std::unique_ptr<VerifyTable>> VerifyTable::Create(
    size_t max_bytes) {
  const size_t max_groups = max_bytes / kSegments / kGroupBytes;
  if (max_groups == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("a verify index takes at least ", kSegments * kGroupBytes,
                     " bytes, not ", max_bytes));
  }
  // Groups are numbered in 32 bits; no machine has that much memory.
  const auto groups = static_cast<uint32_t>(
      std::min<size_t>(max_groups, std::numeric_limits<uint32_t>::max()));
  ASSIGN_OR_RETURN(MappedMemory headers,
                   MappedMemory::Reserve(kSegments * groups * sizeof(Header)));
  ASSIGN_OR_RETURN(
      MappedMemory slots,
      MappedMemory::Reserve(kSegments * (groups * kGroupSlots * sizeof(Slot) +
                                         MappedMemory::kHugePageBytes)));
  return std::unique_ptr<VerifyTable>(
      new VerifyTable(std::move(headers), std::move(slots), groups));
}

VerifyTable::VerifyTable(MappedMemory headers, MappedMemory slots,
                         uint32_t max_groups)
    : headers_(std::move(headers)),
      slots_(std::move(slots)),
      max_groups_(max_groups),
      seed_(RandomSeed()) {
  // Each segment's slots begin with a huge page.
  const size_t segment_bytes =
      (max_groups * kGroupSlots * sizeof(Slot) + MappedMemory::kHugePageBytes) /
      MappedMemory::kHugePageBytes * MappedMemory::kHugePageBytes;
  for (size_t i = 0; i < kSegments; ++i) {
    // Memory that is all zero is headers of empty groups, and slots.
    segments_[i].headers =
        static_cast<Header*>(headers_.data()) + i * max_groups;
    segments_[i].slots = reinterpret_cast<Slot*>(
        static_cast<char*>(slots_.data()) + i * segment_bytes);
  }
}

VerifyTable::Key VerifyTable::KeyOf(const Digest& digest) const {
  Key key;
  const char* const bytes = digest.bytes().data();
  for (size_t i = 0; i < key.words_.size(); ++i) {
    key.words_[i] = LoadWord(bytes + i * sizeof(uint64_t));
  }
  // The seed keeps whoever chooses digests from choosing their groups.
  const auto product = absl::uint128(key.words_[0] ^ seed_[0]) *
                       absl::uint128(key.words_[1] ^ seed_[1]);
  key.hash_ = absl::Uint128High64(product) ^ absl::Uint128Low64(product);
  return key;
}

VerifyTable::Segment& VerifyTable::SegmentOf(const Key& key) const {
  return segments_[key.Segment()];
}

// --- Reading ---

VerifyTable::Probe VerifyTable::ProbeGroup(const Segment& segment, size_t group,
                                           const Key& key, VerifyEntry& entry,
                                           bool mark_used) const {
  Header& header = segment.headers[group];
  const uint32_t version = header.version.load(std::memory_order_acquire);
  if (version % 2 != 0) return Probe::kDisturbed;
  const auto undisturbed = [&] {
    return header.version.load(std::memory_order_relaxed) == version;
  };
  bool has_empty = false;
  for (size_t word = 0; word < header.tags.size(); ++word) {
    const uint64_t tags = header.tags[word].load(std::memory_order_acquire);
    has_empty |= MatchTags(tags, kEmpty) != 0;
    for (uint64_t matches = MatchTags(tags, key.Tag()); matches != 0;
         matches &= matches - 1) {
      const size_t index = word * kWordSlots + LowestMatch(matches);
      const Slot& slot = segment.slots[group * kGroupSlots + index];
      // All of it, whether or not it differs at the beginning.
      uint64_t difference = 0;
      for (size_t i = 0; i < slot.digest.size(); ++i) {
        difference |=
            slot.digest[i].load(std::memory_order_acquire) ^ key.words()[i];
      }
      if (difference != 0) continue;
      const std::array<uint64_t, 2> id = {
          slot.id[0].load(std::memory_order_acquire),
          slot.id[1].load(std::memory_order_acquire)};
      entry.expires_at =
          static_cast<Millis>(slot.expires_at.load(std::memory_order_acquire));
      entry.scopes = slot.scopes.load(std::memory_order_acquire);
      const uint64_t states =
          header.states.load(std::memory_order_acquire) >> ShiftOf(index);
      if (!undisturbed()) return Probe::kDisturbed;
      entry.id = TokenId(std::bit_cast<std::array<char, TokenId::kSize>>(id));
      SetStates(states, entry);
      if (mark_used && (states & kUsed) == 0) {
        header.states.fetch_or(kUsed << ShiftOf(index),
                               std::memory_order_relaxed);
      }
      return Probe::kFound;
    }
  }
  if (!undisturbed()) return Probe::kDisturbed;
  return has_empty ? Probe::kEnd : Probe::kGoOn;
}

VerifyTable::Found VerifyTable::Find(const Key& key, VerifyEntry& entry,
                                     bool mark_used) const {
  const Segment& segment = SegmentOf(key);
  const uint64_t generation =
      segment.generation.load(std::memory_order_acquire);
  if (generation % 2 != 0) return Found::kUnsure;
  const uint32_t groups = segment.groups.load(std::memory_order_acquire);
  size_t group = key.Group(groups);
  int attempts = 0;
  for (uint32_t probed = 0; probed < groups;) {
    const Probe probe = ProbeGroup(segment, group, key, entry, mark_used);
    if (probe == Probe::kFound) return Found::kYes;
    if (probe == Probe::kDisturbed) {
      if (++attempts == kMaxAttempts) return Found::kUnsure;
      continue;
    }
    if (probe == Probe::kEnd) break;
    group = group + 1 == groups ? 0 : group + 1;
    ++probed;
  }
  // Not there, unless it was moved meanwhile.
  return segment.generation.load(std::memory_order_relaxed) == generation
             ? Found::kNo
             : Found::kUnsure;
}

void VerifyTable::PrefetchHeader(const Key& key) const {
  const Segment& segment = SegmentOf(key);
  const uint32_t groups = segment.groups.load(std::memory_order_relaxed);
  __builtin_prefetch(&segment.headers[key.Group(groups)]);
}

void VerifyTable::PrefetchSlot(const Key& key) const {
  const Segment& segment = SegmentOf(key);
  const uint32_t groups = segment.groups.load(std::memory_order_relaxed);
  const size_t group = key.Group(groups);
  const Header& header = segment.headers[group];
  for (size_t word = 0; word < header.tags.size(); ++word) {
    const uint64_t matches =
        MatchTags(header.tags[word].load(std::memory_order_relaxed), key.Tag());
    if (matches == 0) continue;
    __builtin_prefetch(&segment.slots[group * kGroupSlots + word * kWordSlots +
                                      LowestMatch(matches)]);
    return;
  }
}

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
  change.SetStates(index, StatesOf(entry));
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
    all_used = (states >> ShiftOf(index) & kUsed) != 0;
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

// --- The whole ---

Digest VerifyTable::ReadDigest(const Slot& slot) {
  std::array<uint64_t, 4> words;
  for (size_t i = 0; i < words.size(); ++i) {
    words[i] = slot.digest[i].load(std::memory_order_relaxed);
  }
  return Digest(std::bit_cast<std::array<char, Digest::kSize>>(words));
}

VerifyEntry VerifyTable::ReadSlot(const Segment& segment, size_t slot) {
  const Slot& from = segment.slots[slot];
  const std::array<uint64_t, 2> id = {
      from.id[0].load(std::memory_order_relaxed),
      from.id[1].load(std::memory_order_relaxed)};
  VerifyEntry entry{
      .id = TokenId(std::bit_cast<std::array<char, TokenId::kSize>>(id)),
      .expires_at =
          static_cast<Millis>(from.expires_at.load(std::memory_order_relaxed)),
      .scopes = from.scopes.load(std::memory_order_relaxed)};
  SetStates(segment.headers[slot / kGroupSlots].states.load(
                std::memory_order_relaxed) >>
                ShiftOf(slot % kGroupSlots),
            entry);
  return entry;
}

void VerifyTable::ForEach(
    absl::FunctionRef<void(const Digest&, const VerifyEntry&)> visit) const {
  for (const Segment& segment : segments_) {
    const std::lock_guard lock(segment.mutex);
    const size_t slots =
        segment.groups.load(std::memory_order_relaxed) * kGroupSlots;
    for (size_t slot = 0; slot < slots; ++slot) {
      const uint64_t word = segment.headers[slot / kGroupSlots]
                                .tags[slot % kGroupSlots / kWordSlots]
                                .load(std::memory_order_relaxed);
      if (TagOf(word, slot % kWordSlots) <= kDeleted) continue;
      visit(ReadDigest(segment.slots[slot]), ReadSlot(segment, slot));
    }
  }
}

uint64_t VerifyTable::size() const {
  uint64_t entries = 0;
  for (const Segment& segment : segments_) {
    entries += segment.full.load(std::memory_order_relaxed);
  }
  return entries;
}

uint64_t VerifyTable::slots() const {
  uint64_t groups = 0;
  for (const Segment& segment : segments_) {
    groups += segment.groups.load(std::memory_order_relaxed);
  }
  return groups * kGroupSlots;
}

uint64_t VerifyTable::bytes() const {
  return slots() / kGroupSlots * kGroupBytes;
}

}  // namespace tokendb
