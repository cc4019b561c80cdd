// Big-endian numbers, which sort as bytes the way they sort as numbers, and
// variable-length ones.
#ifndef TOKENDB_SRC_BASE_CODING_H_
#define TOKENDB_SRC_BASE_CODING_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tokendb {

static_assert(std::endian::native == std::endian::little,
              "The format is written for little-endian machines.");

inline void StoreBig32(char* out, uint32_t value) {
  value = __builtin_bswap32(value);
  std::memcpy(out, &value, sizeof(value));
}
inline void StoreBig64(char* out, uint64_t value) {
  value = __builtin_bswap64(value);
  std::memcpy(out, &value, sizeof(value));
}
inline uint32_t LoadBig32(const char* in) {
  uint32_t value = 0;
  std::memcpy(&value, in, sizeof(value));
  return __builtin_bswap32(value);
}
inline uint64_t LoadBig64(const char* in) {
  uint64_t value = 0;
  std::memcpy(&value, in, sizeof(value));
  return __builtin_bswap64(value);
}
inline void AppendBig32(std::string& out, uint32_t value) {
  char bytes[sizeof(value)];
  StoreBig32(bytes, value);
  out.append(bytes, sizeof(bytes));
}
inline void AppendBig64(std::string& out, uint64_t value) {
  char bytes[sizeof(value)];
  StoreBig64(bytes, value);
  out.append(bytes, sizeof(bytes));
}

// Seven bits a byte, the lowest first; the high bit says that more follow.
inline void AppendVarint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

// Takes a number from the front of `in`. False if it is cut off or too long;
// `in` is then undefined.
inline bool ConsumeVarint(std::string_view& in, uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(in.front());
    in.remove_prefix(1);
    value |= uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

}  // namespace tokendb

#endif  // TOKENDB_SRC_BASE_CODING_H_
