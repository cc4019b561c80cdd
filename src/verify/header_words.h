// The words of VerifyTable's headers: a byte for each slot's tag, and four bits
// for its state.
#ifndef TOKENDB_SRC_VERIFY_HEADER_WORDS_H_
#define TOKENDB_SRC_VERIFY_HEADER_WORDS_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tokendb {

// Tags of slots without an entry.
inline constexpr uint8_t kEmpty = 0;
inline constexpr uint8_t kDeleted = 1;

inline constexpr size_t kWordSlots = 8;

// Header::states has VerifyStates of each slot.
inline constexpr unsigned kStateBits = 4;
inline constexpr uint64_t kUsedOfAll = 0x8888888888888888;

// Sets the high bit of each byte of `tags` that is `tag`. May also set that of
// a byte above such a one.
inline uint64_t MatchTags(uint64_t tags, uint8_t tag) {
  constexpr uint64_t kOfEachByte = 0x0101010101010101;
  constexpr uint64_t kHighBits = 0x8080808080808080;
  const uint64_t difference = tags ^ (tag * kOfEachByte);
  return (difference - kOfEachByte) & ~difference & kHighBits;
}

inline size_t LowestMatch(uint64_t matches) {
  return static_cast<size_t>(std::countr_zero(matches)) / 8;
}

inline uint8_t TagOf(uint64_t word, size_t slot_in_word) {
  return static_cast<uint8_t>(word >> (slot_in_word * 8));
}

inline uint64_t ShiftOf(size_t slot_in_group) {
  return slot_in_group * kStateBits;
}

inline uint64_t LoadWord(const char* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

}  // namespace tokendb

#endif  // TOKENDB_SRC_VERIFY_HEADER_WORDS_H_
