// What every store under comparison does, each in the way that suits it best.
#ifndef TOKENDB_BENCH_EXPIRY_STORE_H_
#define TOKENDB_BENCH_EXPIRY_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "bench/expiry/bench_clock.h"
#include "bench/expiry/entry_source.h"
#include "bench/expiry/token_source.h"
#include "tokendb/token.h"

namespace tokendb::bench {

struct StoreOptions {
  std::string path;  // A directory, not made yet; of tokendb also one loaded.
  size_t cache_bytes = size_t{256} << 20;
  size_t tokens = 0;  // About how many it will hold.
  const BenchClock* clock = nullptr;
};

struct LoadInput {
  const TokenSource& tokens;

  // The same tokens as entries; null for tokendb itself, which makes them.
  // Outlives the store.
  const EntrySource* entries = nullptr;
};

// Methods end the program if the store fails. Writes survive the process's
// death, not a loss of power.
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

  // Whether the token of `digest` is there and has not expired. May be called
  // beside another thread's writes.
  virtual bool IsLive(const Digest& digest) = 0;

  // Adds new tokens, all or none.
  virtual void Issue(absl::Span<const Token> tokens) = 0;

  // Moves what is in memory or in a log to where it is kept.
  virtual void Flush() = 0;

  virtual void Touch(const TokenId& id, absl::Time time,
                     const std::string& ip) = 0;
  // After this, all touches are seen by readers.
  virtual void FlushTouches() {}
  virtual std::optional<absl::Time> LastUse(const TokenId& id) = 0;

  // Deletes up to `most` expired tokens in one step, and returns how many;
  // absent if the store's part in this is not written.
  virtual std::optional<size_t> DeleteExpired(size_t most);

  virtual uint64_t DiskBytes();
  // Written to the device on behalf of the store, so far.
  virtual uint64_t BytesWritten();

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
  std::unique_ptr<Store> (*make)(const StoreOptions& options) = nullptr;
};

StoreKind TokendbKind();
StoreKind RawKind();
StoreKind SqliteKind();
StoreKind LmdbKind();
StoreKind PostgresKind();
StoreKind RedisKind(size_t tokens);

// All of the above, tokendb first; those not compiled in say so in `why_not`.
std::vector<StoreKind> AllStoreKinds(size_t tokens);

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_EXPIRY_STORE_H_
