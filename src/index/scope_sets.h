#ifndef TOKENDB_SRC_INDEX_SCOPE_SETS_H_
#define TOKENDB_SRC_INDEX_SCOPE_SETS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "src/index/cover.h"
#include "tokendb/scope.h"

namespace tokendb {

// Sets of scope numbers as 64 bits: one bit for each of the first 63 scopes of
// the database, and the number of a set kept here for those that have others.
// Equal sets are kept once. They are not given up before the whole is.
//
// Thread-safe; reading takes no locks.
class ScopeSets {
 public:
  // Larger sets, or more of them, are not kept.
  static constexpr size_t kMaxKept = size_t{1} << 20;

  // Keeps sets in up to `max_bytes`, about.
  explicit ScopeSets(size_t max_bytes) : max_bytes_(max_bytes) {}

  // Returns the bits of a set, sorted; nothing if it cannot be kept.
  std::optional<uint64_t> BitsOf(absl::Span<const uint32_t> numbers);

  // Returns the set of bits that BitsOf() returned. Valid as long as this.
  ScopeSet SetOf(uint64_t bits) const;

  size_t bytes() const { return bytes_; }

  // A set by itself, whether or not it could be kept.
  static ScopeSet MakeSet(absl::Span<const uint32_t> numbers);

  static ScopeNumbers NumbersOf(const ScopeSet& set);
  static bool Contains(const ScopeSet& set, uint32_t number);

 private:
  using Numbers = std::vector<uint32_t>;
  static constexpr size_t kChunkSets = 1024;
  using Chunk = std::array<Numbers, kChunkSets>;

  const size_t max_bytes_;
  std::atomic<size_t> bytes_ = 0;
  std::mutex mutex_;  // Of writers; guards `kept_`.
  absl::flat_hash_map<absl::Span<const uint32_t>, uint64_t> kept_;
  // Neither moved nor changed once their number is known to anyone.
  std::array<std::atomic<const Chunk*>, kMaxKept / kChunkSets> chunks_{};
  std::vector<std::unique_ptr<Chunk>> owned_;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_INDEX_SCOPE_SETS_H_
