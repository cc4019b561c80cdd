#ifndef TOKENDB_OPTIONS_H_
#define TOKENDB_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "tokendb/clock.h"

namespace tokendb {

enum class CreateMode {
  kOpenExisting,     // NotFound if there is no database.
  kCreateIfMissing,  // Makes an empty one if there is none.
};

// When and how fast space of forgotten tokens is taken back.
struct ReclaimOptions {
  // In the background, once every period. Otherwise only by
  // Database::Reclaim(), Database::Compact(), and as far as new writes make
  // RocksDB compact.
  bool automatic = true;

  // After each period no more than 30% as many bytes are held by forgotten
  // tokens as by others, if the speed below allows it.
  absl::Duration period = absl::Minutes(1);

  // Of files rewritten by the background; 0: no limit.
  uint64_t bytes_per_second = uint64_t{64} << 20;
};

// How uses noted by Database::Touch() are written.
struct TouchOptions {
  // In the background, once every period; infinite: only by FlushTouches() and
  // when the database is closed. After a kill at most the uses noted in the
  // last period are lost.
  absl::Duration flush_period = absl::Seconds(10);

  // A use less than this after the one that is kept is not written.
  absl::Duration resolution = absl::ZeroDuration();

  // Tokens with a use that is not written yet. When there are more, whoever
  // notes the next one writes them all first.
  size_t max_pending = size_t{1} << 20;
};

enum class VerifyMode : uint8_t {
  kOff,       // Every authentication reads a row of the store.
  kBounded,   // The tokens that are asked for are kept, as many as have room.
  kComplete,  // All tokens are kept; unknown digests are told from memory too.
};

// The verify index: what Database::Authenticate() needs to know of tokens, in
// memory. Changes are in it before they are acknowledged.
struct VerifyIndexOptions {
  VerifyMode mode = VerifyMode::kOff;

  // Memory it may take, in bytes: about 90 for each token. Taken as tokens
  // come. A complete index that would need more goes on as a bounded one.
  size_t max_bytes = size_t{1} << 30;
};

struct OpenOptions {
  CreateMode create_mode = CreateMode::kCreateIfMissing;

  // How long tokens stay readable after they expired: `retain_revoked` for
  // those that were revoked as well, `retain_expired` for the others. Later
  // they are forgotten: no call reports them any more, their ids and digests
  // are free, and their space is taken back. Never-expiring tokens are not
  // forgotten. Infinite: nothing is. Absent: as it was last set for this
  // database; 60 s in a new one. What was forgotten does not come back.
  std::optional<absl::Duration> retain_expired;
  std::optional<absl::Duration> retain_revoked;

  // How long changes stay in the feed of Database::Changes(). Zero: there is no
  // feed, and writes do nothing for it. Infinite: for ever. When it is switched
  // on the feed begins anew. Absent: as it was last set for this database; zero
  // in a new one.
  std::optional<absl::Duration> retain_changes;

  ReclaimOptions reclaim;
  TouchOptions touch;
  VerifyIndexOptions verify;

  // Not owned; must outlive the database. Null: Clock::System().
  const Clock* clock = nullptr;

  // Memory for cached blocks, in bytes. Filters and block indexes of open
  // files come on top: about 1.5 bytes a token.
  size_t cache_bytes = size_t{256} << 20;

  // Memory for writes not yet in a file, in bytes, over all column families.
  size_t write_buffer_bytes = size_t{64} << 20;
};

// What an acknowledged write survives.
enum class Durability {
  // Process kill and power loss: the write-ahead log is synced first.
  kSync,
  // Process kill, not power loss: the log is with the operating system. A
  // later kSync write makes all earlier writes durable too.
  kBuffered,
};

struct WriteOptions {
  Durability durability = Durability::kSync;
};

// Conditions under which a change is made; all that are set must hold, else
// the change fails with FailedPrecondition and nothing is written. They are
// tested under the same lock as the change, so that read-modify-write loops
// lose no update.
struct Precondition {
  // The token's `version` is this one.
  std::optional<uint64_t> if_version;

  // The token's owner has this id.
  std::optional<std::string> if_owner;
};

struct UpdateOptions {
  Precondition precondition;
  Durability durability = Durability::kSync;
};

struct RevokeOptions {
  // Kept in `Token::revoked_reason`.
  std::string reason;

  // When the token stops being live; absent: now. A time in the future
  // schedules the revocation.
  std::optional<absl::Time> at;

  Precondition precondition;
  Durability durability = Durability::kSync;
};

struct RevokeAllOptions {
  std::string reason;

  // Stops after this many revocations. The same call again goes on.
  uint64_t max_tokens = std::numeric_limits<uint64_t>::max();

  Durability durability = Durability::kSync;
};

struct DeleteOptions {
  Precondition precondition;
  Durability durability = Durability::kSync;
};

struct DeleteAllOptions {
  // Stops after this many deletions. The same call again goes on.
  uint64_t max_tokens = std::numeric_limits<uint64_t>::max();

  Durability durability = Durability::kSync;
};

}  // namespace tokendb

#endif  // TOKENDB_OPTIONS_H_
