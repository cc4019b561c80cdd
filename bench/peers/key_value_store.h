// What the stores share that hold tokendb's keys and values as bytes: RocksDB
// by hand and LMDB.
#ifndef TOKENDB_BENCH_PEERS_KEY_VALUE_STORE_H_
#define TOKENDB_BENCH_PEERS_KEY_VALUE_STORE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "bench/peers/store.h"
#include "src/model/record_codec.h"

namespace tokendb::bench {

// Written together. Entries of the stat family are added to what is there.
struct Changes {
  std::vector<Entry> puts;
  std::vector<Entry> deletes;
};

// The least that a digest's row tells: its checksum is not verified.
Answer AnswerOfRow(std::string_view row, int64_t now);

// Tokens that are revoked have no entries in the index: those that are there
// are of tokens that are live until they expire.
class KeyValueStore : public Store {
 public:
  explicit KeyValueStore(const StoreOptions& options)
      : Store(options), entries_(options.entries) {}

  std::vector<TokenId> Expiring(absl::Time before) override;
  std::vector<TokenId> ExpiringOfOwner(const std::string& owner,
                                       absl::Time before) override;
  std::vector<TokenId> ExpiringOfScope(const std::string& scope,
                                       absl::Time before) override;
  std::vector<TokenId> ExpiringOfOwnerWithScope(const std::string& owner,
                                                const std::string& scope,
                                                absl::Time before) override;
  std::vector<Token> LastOfOwner(const std::string& owner,
                                 size_t limit) override;
  std::optional<absl::Time> LastUse(const TokenId& id) override;
  std::optional<size_t> DeleteExpired(size_t most) override;

  // Thread-safe, as the next.
  virtual void Write(const Changes& changes) = 0;

  // Reads a token and writes what `change` makes of it.
  virtual void Update(const TokenId& id,
                      absl::FunctionRef<Changes(Token)> change) = 0;

  const EntrySource& entries() const { return *entries_; }
  absl::Time Now() const { return options().clock->Now(); }

 protected:
  void SetEntries(const EntrySource* entries) { entries_ = entries; }

  // Up to `most` ids of the index from `lower` to before `upper`.
  virtual std::vector<TokenId> IdsBetween(const std::string& lower,
                                          const std::string& upper,
                                          size_t most) = 0;
  // The same entries from the last on, until `use` returns false.
  virtual void ForEachBackward(
      const std::string& lower, const std::string& upper,
      absl::FunctionRef<bool(std::string_view key)> use) = 0;
  virtual void ForEach(
      const std::string& lower, const std::string& upper,
      absl::FunctionRef<void(std::string_view key, std::string_view value)>
          use) = 0;
  virtual std::vector<Token> Read(absl::Span<const TokenId> ids) = 0;

 private:
  // The live entries of a term up to `before`.
  std::vector<TokenId> Ids(const std::string& prefix, absl::Time before);
  std::string LiveFrom(std::string prefix) const;

  const EntrySource* entries_;
};

// Does all but look-ups.
class KeyValueCaller : public Caller {
 public:
  // Counters are kept by tokendb's database, and so by one that wants to know
  // as much.
  KeyValueCaller(KeyValueStore& store, bool counters)
      : store_(store), counters_(counters) {}

  void Issue(absl::Span<const Token> tokens) override;
  void Revoke(const TokenId& id) override;
  void Touch(const TokenId& id, absl::Time time,
             const std::string& ip) override;

 private:
  KeyValueStore& store_;
  const bool counters_;
  RecordEncoder encoder_;
};

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_PEERS_KEY_VALUE_STORE_H_
