#include "src/model/uuid7.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/random/random.h"
#include "src/base/coding.h"
#include "src/model/millis.h"

namespace tokendb {

TokenId NewTokenId(absl::Time created_at) {
  constexpr Millis kMaxTimestamp = (Millis{1} << 48) - 1;
  constexpr uint64_t kVersion7 = 0x7000;
  constexpr uint64_t kVariant = uint64_t{0b10} << 62;
  // Ids are public: they must differ, not be secret.
  thread_local absl::BitGen random;
  const auto timestamp = static_cast<uint64_t>(
      std::clamp<Millis>(FloorToMillis(created_at), 0, kMaxTimestamp));
  const uint64_t high =
      timestamp << 16 | kVersion7 | absl::Uniform<uint16_t>(random) >> 4;
  const uint64_t low = kVariant | absl::Uniform<uint64_t>(random) >> 2;
  std::array<char, TokenId::kSize> bytes;
  StoreBig64(bytes.data(), high);
  StoreBig64(bytes.data() + sizeof(high), low);
  return TokenId(bytes);
}

}  // namespace tokendb
