#include "src/verify/verify_table.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/verify/header_words.h"

namespace tokendb {
namespace {

static_assert(std::atomic<uint64_t>::is_always_lock_free &&
                  sizeof(std::atomic<uint64_t>) == sizeof(uint64_t),
              "Slots are made of plain words.");

// A reader gives up after that many disturbances, which are short.
constexpr int kMaxAttempts = 64;

std::array<uint64_t, 2> RandomSeed() {
  absl::BitGen bits;
  return {absl::Uniform<uint64_t>(bits), absl::Uniform<uint64_t>(bits)};
}

}  // namespace

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
      VerifyStates::Set(states, entry);
      if (mark_used && (states & VerifyStates::kUsed) == 0) {
        header.states.fetch_or(VerifyStates::kUsed << ShiftOf(index),
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
  VerifyStates::Set(segment.headers[slot / kGroupSlots].states.load(
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
