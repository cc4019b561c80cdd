// LMDB with tokendb's keys and values in three sub-databases.
#include <filesystem>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/expiry/store.h"
#include "bench/token_entries.h"
#include "lmdb.h"
#include "src/base/coding.h"
#include "src/model/record_codec.h"
#include "src/storage/slice.h"

namespace tokendb::bench {
namespace {

constexpr size_t kExpiryInDigestRow = 4;  // src/index/digest_row.h
constexpr size_t kLoadTransaction = 20000;

// Room in the address space; the file has a hole for what is not used.
constexpr size_t kMapBytesPerToken = 8192;
constexpr size_t kLeastMapBytes = size_t{1} << 30;

void Check(int code, std::string_view what) {
  if (code == MDB_SUCCESS) return;
  CheckOk(absl::InternalError(mdb_strerror(code)),
          std::string("lmdb: ").append(what));
}

MDB_val Val(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}
std::string_view View(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

// Aborted unless it is committed.
class Transaction {
 public:
  Transaction(MDB_env* env, unsigned flags) {
    Check(mdb_txn_begin(env, nullptr, flags, &txn_), "begin");
  }
  ~Transaction() {
    if (txn_ != nullptr) mdb_txn_abort(txn_);
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  MDB_txn* get() const { return txn_; }
  void Commit() {
    Check(mdb_txn_commit(std::exchange(txn_, nullptr)), "commit");
  }

  void Put(MDB_dbi dbi, std::string_view key, std::string_view value,
           unsigned flags = 0) {
    MDB_val k = Val(key);
    MDB_val v = Val(value);
    Check(mdb_put(txn_, dbi, &k, &v, flags), "put");
  }
  // Valid until the next write.
  std::optional<std::string_view> Get(MDB_dbi dbi, std::string_view key) {
    MDB_val k = Val(key);
    MDB_val v;
    const int code = mdb_get(txn_, dbi, &k, &v);
    if (code == MDB_NOTFOUND) return std::nullopt;
    Check(code, "get");
    return View(v);
  }
  void Delete(MDB_dbi dbi, std::string_view key) {
    MDB_val k = Val(key);
    Check(mdb_del(txn_, dbi, &k, nullptr), "delete");
  }

 private:
  MDB_txn* txn_ = nullptr;
};

class LmdbStore final : public Store {
 public:
  explicit LmdbStore(const StoreOptions& options) : Store(options) {
    std::filesystem::create_directory(options.path);
    Check(mdb_env_create(&env_), "create");
    Check(
        mdb_env_set_mapsize(
            env_, std::max(kLeastMapBytes, options.tokens * kMapBytesPerToken)),
        "map size");
    Check(mdb_env_set_maxdbs(env_, kFamilies.size()), "sub-databases");
    Check(mdb_env_open(env_, options.path.c_str(),
                       MDB_NOSYNC | MDB_WRITEMAP | MDB_NOTLS | MDB_NORDAHEAD,
                       0600),
          "open");
    Transaction txn(env_, 0);
    for (const Family family :
         {Family::kToken, Family::kDigest, Family::kIndex}) {
      Check(mdb_dbi_open(txn.get(), std::string(FamilyName(family)).c_str(),
                         MDB_CREATE, &dbis_[static_cast<size_t>(family)]),
            "sub-database");
    }
    txn.Commit();
  }
  ~LmdbStore() override { mdb_env_close(env_); }

  double Load(const LoadInput& input) override {
    entries_ = input.entries;
    Stopwatch watch;
    for (const Family family :
         {Family::kToken, Family::kDigest, Family::kIndex}) {
      entries_->ForEachChunk(family, {}, [&](absl::Span<const Entry> chunk) {
        watch.Resume();
        for (size_t i = 0; i < chunk.size(); i += kLoadTransaction) {
          Transaction txn(env_, 0);
          for (const Entry& entry : chunk.subspan(i, kLoadTransaction)) {
            txn.Put(Dbi(family), entry.key, entry.value, MDB_APPEND);
          }
          txn.Commit();
        }
        watch.Pause();
      });
    }
    watch.Resume();
    Flush();
    watch.Pause();
    return watch.Seconds();
  }

  std::string Settle() override { return "as appended in order"; }

  std::vector<TokenId> Expiring(absl::Time before) override {
    return Ids(IndexPrefix(IndexKind::kExpiry), before);
  }
  std::vector<TokenId> ExpiringOfOwner(const std::string& owner,
                                       absl::Time before) override {
    return Ids(OwnerPrefix(owner), before);
  }
  std::vector<TokenId> ExpiringOfScope(const std::string& scope,
                                       absl::Time before) override {
    return Ids(ScopePrefix(entries_->NumberOf(scope)), before);
  }

  bool IsLive(const Digest& digest) override {
    Transaction txn(env_, MDB_RDONLY);
    const auto row = txn.Get(Dbi(Family::kDigest), digest.bytes());
    return row.has_value() &&
           FromOrderedMillis(LoadBig64(row->data() + kExpiryInDigestRow)) >
               NowMillis();
  }

  void Issue(absl::Span<const Token> tokens) override {
    std::vector<Entry> entries;
    for (const Token& token : tokens) {
      AppendEntries(token, entries_->NumbersOf(token), encoder_, entries);
    }
    Transaction txn(env_, 0);
    for (const Entry& entry : entries) {
      txn.Put(Dbi(entry.family), entry.key, entry.value);
    }
    txn.Commit();
  }

  void Flush() override { Check(mdb_env_sync(env_, 1), "sync"); }

  void Touch(const TokenId& id, absl::Time time,
             const std::string& ip) override {
    Transaction txn(env_, 0);
    Token token = Read(txn, id);
    token.last_accessed_at = time;
    token.ip_address = ip;
    txn.Put(Dbi(Family::kToken), id.bytes(),
            ValueOrDie(encoder_.Encode(token), "encoding"));
    txn.Commit();
  }
  std::optional<absl::Time> LastUse(const TokenId& id) override {
    Transaction txn(env_, MDB_RDONLY);
    return Read(txn, id).last_accessed_at;
  }

  std::optional<size_t> DeleteExpired(size_t most) override {
    Transaction txn(env_, 0);
    const std::string prefix = IndexPrefix(IndexKind::kExpiry);
    std::string upper = prefix;
    AppendBig64(upper, OrderedMillis(NowMillis() + 1));
    const std::vector<TokenId> ids = IdsBetween(txn, prefix, upper, most);
    std::vector<Entry> entries;
    for (const TokenId& id : ids) {
      const Token token = Read(txn, id);
      AppendEntries(token, entries_->NumbersOf(token), encoder_, entries);
    }
    for (const Entry& entry : entries) {
      txn.Delete(Dbi(entry.family), entry.key);
    }
    txn.Commit();
    return ids.size();
  }

 private:
  MDB_dbi Dbi(Family family) const {
    return dbis_[static_cast<size_t>(family)];
  }

  Token Read(Transaction& txn, const TokenId& id) const {
    const auto record = txn.Get(Dbi(Family::kToken), id.bytes());
    if (!record.has_value()) CheckOk(absl::NotFoundError("record"), "lmdb");
    return ValueOrDie(DecodeRecord(id, *record), "decoding");
  }

  std::vector<TokenId> Ids(const std::string& prefix, absl::Time before) {
    std::string lower = prefix;
    std::string upper = prefix;
    AppendBig64(lower, OrderedMillis(NowMillis() + 1));
    AppendBig64(upper, OrderedMillis(FloorToMillis(before)));
    Transaction txn(env_, MDB_RDONLY);
    return IdsBetween(txn, lower, upper, std::numeric_limits<size_t>::max());
  }

  std::vector<TokenId> IdsBetween(const Transaction& txn,
                                  const std::string& lower,
                                  const std::string& upper, size_t most) const {
    MDB_cursor* cursor = nullptr;
    Check(mdb_cursor_open(txn.get(), Dbi(Family::kIndex), &cursor), "cursor");
    std::vector<TokenId> ids;
    MDB_val key = Val(lower);
    MDB_val value;
    int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (code == MDB_SUCCESS && ids.size() < most && View(key) < upper) {
      ids.push_back(IdOf(View(key)));
      code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (code != MDB_NOTFOUND) Check(code, "scan");
    mdb_cursor_close(cursor);
    return ids;
  }

  MDB_env* env_ = nullptr;
  std::array<MDB_dbi, kFamilies.size()> dbis_{};
  const EntrySource* entries_ = nullptr;
  RecordEncoder encoder_;
};

}  // namespace

StoreKind LmdbKind() {
  return {.name = "lmdb",
          .version = mdb_version(nullptr, nullptr, nullptr),
          .make = [](const StoreOptions& options) -> std::unique_ptr<Store> {
            return std::make_unique<LmdbStore>(options);
          }};
}

}  // namespace tokendb::bench
