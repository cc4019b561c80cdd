// What every store under comparison does, each in the way that suits it best.
#ifndef TOKENDB_BENCH_PEERS_STORE_H_
#define TOKENDB_BENCH_PEERS_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "bench/peers/bench_clock.h"
#include "bench/peers/entry_source.h"
#include "bench/peers/token_source.h"
#include "tokendb/scope.h"
#include "tokendb/token.h"

namespace tokendb::bench {

// What an acknowledged write survives.
enum class Surviving : uint8_t {
  kProcess,  // That the process is killed.
  kPower,    // A loss of power too: it was synced.
};

struct StoreOptions {
  std::string path;  // A directory, not made yet or of a store closed before.
  size_t cache_bytes = size_t{256} << 20;
  size_t tokens = 0;  // About how many it will hold.
  const BenchClock* clock = nullptr;
  Surviving writes = Surviving::kProcess;

  // What the store was loaded with, of one that is opened again.
  const EntrySource* entries = nullptr;
};

struct LoadInput {
  const TokenSource& tokens;

  // The same tokens as entries; null for tokendb itself, which makes them.
  // Outlives the store.
  const EntrySource* entries = nullptr;
};

// What authentication needs to know.
struct Answer {
  bool live = false;
  // Of a live token.
  TokenId id;
  ScopeSet scopes;
};

// Who uses a store, with a connection of their own where there is such a thing.
// Several may be used at once, each by one thread.
class Caller {
 public:
  virtual ~Caller() = default;

  virtual Answer Lookup(const Digest& digest) = 0;

  // In whatever way the store answers many questions best. `answers` is as long
  // as `digests`.
  virtual void LookupMany(absl::Span<const Digest> digests,
                          absl::Span<Answer> answers);

  // Adds new tokens, all or none.
  virtual void Issue(absl::Span<const Token> tokens) = 0;

  // Revokes a token as of now.
  virtual void Revoke(const TokenId& id) = 0;

  virtual void Touch(const TokenId& id, absl::Time time,
                     const std::string& ip) = 0;

  bool IsLive(const Digest& digest) { return Lookup(digest).live; }
};

// Methods end the program if the store fails.
class Store {
 public:
  explicit Store(const StoreOptions& options);
  virtual ~Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Fills the store, which is new, and makes all durable. Returns the seconds
  // it took, without making or reading the input.
  virtual double Load(const LoadInput& input) = 0;

  // Brings the store into the state in which a careful user keeps it, and says
  // which.
  virtual std::string Settle() = 0;

  // The ids of live tokens that expire before `before`, sorted by (expiry,
  // id): of all, of an owner, of a scope.
  virtual std::vector<TokenId> Expiring(absl::Time before) = 0;
  virtual std::vector<TokenId> ExpiringOfOwner(const std::string& owner,
                                               absl::Time before) = 0;
  virtual std::vector<TokenId> ExpiringOfScope(const std::string& scope,
                                               absl::Time before) = 0;

  // The ids of live tokens of an owner that have a scope and expire before
  // `before`, sorted likewise.
  virtual std::vector<TokenId> ExpiringOfOwnerWithScope(
      const std::string& owner, const std::string& scope,
      absl::Time before) = 0;

  // The live tokens of an owner that expire last, the last first.
  virtual std::vector<Token> LastOfOwner(const std::string& owner,
                                         size_t limit) = 0;

  // Must be gone before the store is.
  virtual std::unique_ptr<Caller> NewCaller() = 0;

  // Moves what is in memory or in a log to where it is kept.
  virtual void Flush() = 0;

  // After this, all touches are seen by readers.
  virtual void FlushTouches() {}
  virtual std::optional<absl::Time> LastUse(const TokenId& id) = 0;

  // Deletes up to `most` expired tokens in one step, and returns how many;
  // absent if the store's part in this is not written.
  virtual std::optional<size_t> DeleteExpired(size_t most);

  virtual uint64_t DiskBytes();
  // Written to the device on behalf of the store, so far.
  virtual uint64_t BytesWritten();

  // Of the store's own processes, so far; 0 without any.
  virtual double ServerSeconds() { return 0; }

  // Waits until look-ups are as fast as they get without being asked: until
  // what the store builds in the background is built.
  virtual void AwaitReady() {}

  // Of an index that is kept in memory whole.
  virtual std::optional<double> MemoryBytesPerToken() { return std::nullopt; }

 protected:
  const StoreOptions& options() const { return options_; }
  // Milliseconds since the epoch.
  int64_t NowMillis() const {
    return absl::ToUnixMillis(options_.clock->Now());
  }

 private:
  const StoreOptions options_;
};

// A kind of store, and whether it can take part.
struct StoreKind {
  std::string name;
  std::string version;
  // Why it cannot take part with so many tokens; empty if it can.
  std::string why_not;
  bool is_server = false;
  bool is_tokendb = false;
  std::unique_ptr<Store> (*make)(const StoreOptions& options) = nullptr;
};

// How tokendb answers look-ups: from an index of all tokens in memory, from one
// of bounded size, or from the table of digests.
enum class VerifyKind : uint8_t { kComplete, kBounded, kOff };

// "tokendb", "tokendb-bounded", "tokendb-noindex".
StoreKind TokendbKind(VerifyKind kind);
StoreKind RawKind();
StoreKind SqliteKind();
StoreKind LmdbKind();
StoreKind PostgresKind();
StoreKind RedisKind(size_t tokens);

// All of the above, tokendb with its complete index first; those not compiled
// in say so in `why_not`.
std::vector<StoreKind> AllStoreKinds(size_t tokens);

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_PEERS_STORE_H_
