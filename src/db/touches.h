#ifndef TOKENDB_SRC_DB_TOUCHES_H_
#define TOKENDB_SRC_DB_TOUCHES_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "src/base/periodic_thread.h"
#include "src/db/hot_writer.h"
#include "tokendb/db.h"

namespace tokendb {

// InvalidArgument naming the option that is out of range.
absl::Status CheckTouchOptions(const TouchOptions& options);

// Uses of tokens that are noted but not written yet: one for each token, the
// latest. Written in the background, once a period.
//
// Thread-safe.
class Touches {
 public:
  // `writer` must outlive this. `options` passed CheckTouchOptions().
  Touches(HotWriter& writer, const TouchOptions& options);
  // Writes what is pending.
  ~Touches();
  Touches(const Touches&) = delete;
  Touches& operator=(const Touches&) = delete;

  // Database::Touch() and FlushTouches().
  absl::Status Note(const TokenId& id, absl::Time at,
                    std::string_view ip_address);
  absl::Status Flush();

  TouchStats Stats() const;

 private:
  static constexpr size_t kShards = 64;

  struct Use {
    Millis at = 0;
    std::string ip_address;
  };
  using Uses = absl::flat_hash_map<TokenId, Use>;
  // Each on cache lines of its own, so that threads do not wait for one
  // another's lines.
  struct alignas(64) Shard {
    std::mutex mutex;
    Uses uses;
  };

  Shard& ShardOf(const TokenId& id) {
    return shards_[absl::HashOf(id) % kShards];
  }
  void Add(const TokenId& id, Millis at, std::string_view ip_address);
  std::vector<HotWriter::Use> TakeAll();
  absl::Status WriteAll(std::vector<HotWriter::Use> uses);

  HotWriter& writer_;
  const TouchOptions options_;
  std::array<Shard, kShards> shards_;
  std::atomic<size_t> pending_ = 0;

  std::mutex flushing_;  // Held while uses are in neither place.
  std::atomic<uint64_t> written_ = 0;
  std::atomic<uint64_t> dropped_ = 0;

  mutable std::mutex mutex_;  // Guards what follows.
  absl::Status last_error_;

  PeriodicThread thread_;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_TOUCHES_H_
