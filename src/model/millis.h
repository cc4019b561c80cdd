// Time as it is stored: milliseconds since the Unix epoch, UTC.
#ifndef TOKENDB_SRC_MODEL_MILLIS_H_
#define TOKENDB_SRC_MODEL_MILLIS_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "src/base/coding.h"

namespace tokendb {

using Millis = int64_t;

// An expiry or revocation that never comes. Larger than every time that can be
// stored, so that it needs no case of its own in comparisons and sorts last.
inline constexpr Millis kNever = std::numeric_limits<Millis>::max();

// A not_before that has always passed.
inline constexpr Millis kAlways = std::numeric_limits<Millis>::min();

// The years 1 to 9999 (RFC 3339): what a token's times may be.
inline constexpr Millis kMinMillis = -62135596800000;
inline constexpr Millis kMaxMillis = 253402300799999;

inline Millis FloorToMillis(absl::Time time) {
  return absl::ToUnixMillis(time);
}

inline Millis CeilToMillis(absl::Time time) {
  const Millis floor = absl::ToUnixMillis(time);
  // Times beyond the last millisecond, InfiniteFuture too, are held to it.
  const bool whole = floor == std::numeric_limits<Millis>::max() ||
                     absl::FromUnixMillis(floor) == time;
  return whole ? floor : floor + 1;
}

inline absl::Time FromMillis(Millis millis) {
  return absl::FromUnixMillis(millis);
}

// Maps times to numbers of the same order without sign, as keys hold them.
// kNever becomes FF..FF.
inline uint64_t OrderedMillis(Millis millis) {
  return static_cast<uint64_t>(millis) ^ (uint64_t{1} << 63);
}
inline Millis FromOrderedMillis(uint64_t ordered) {
  return static_cast<Millis>(ordered ^ (uint64_t{1} << 63));
}

// Takes a time off the front of `in`, as OrderedMillis(), big-endian. False if
// it is cut off.
inline bool ConsumeMillis(std::string_view& in, Millis& millis) {
  if (in.size() < sizeof(uint64_t)) return false;
  millis = FromOrderedMillis(LoadBig64(in.data()));
  in.remove_prefix(sizeof(uint64_t));
  return true;
}

}  // namespace tokendb

#endif  // TOKENDB_SRC_MODEL_MILLIS_H_
