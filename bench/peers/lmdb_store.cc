// LMDB with tokendb's keys and values in three sub-databases.
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/peers/key_value_store.h"
#include "lmdb.h"
#include "src/model/record_codec.h"
#include "src/storage/slice.h"

namespace tokendb::bench {
namespace {

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

constexpr std::array kLmdbFamilies = {Family::kToken, Family::kDigest,
                                      Family::kIndex};
// Threads that read at once.
constexpr unsigned kMostReaders = 256;

class LmdbStore final : public KeyValueStore {
 public:
  explicit LmdbStore(const StoreOptions& options) : KeyValueStore(options) {
    std::filesystem::create_directory(options.path);
    Check(mdb_env_create(&env_), "create");
    Check(
        mdb_env_set_mapsize(
            env_, std::max(kLeastMapBytes, options.tokens * kMapBytesPerToken)),
        "map size");
    Check(mdb_env_set_maxdbs(env_, kFamilies.size()), "sub-databases");
    Check(mdb_env_set_maxreaders(env_, kMostReaders), "readers");
    const unsigned mode =
        options.writes == Surviving::kProcess ? MDB_NOSYNC | MDB_WRITEMAP : 0;
    Check(mdb_env_open(env_, options.path.c_str(),
                       mode | MDB_NOTLS | MDB_NORDAHEAD, 0600),
          "open");
    Transaction txn(env_, 0);
    for (const Family family : kLmdbFamilies) {
      Check(mdb_dbi_open(txn.get(), std::string(FamilyName(family)).c_str(),
                         MDB_CREATE, &dbis_[static_cast<size_t>(family)]),
            "sub-database");
    }
    txn.Commit();
  }
  ~LmdbStore() override { mdb_env_close(env_); }

  double Load(const LoadInput& input) override {
    SetEntries(input.entries);
    Stopwatch watch;
    for (const Family family : kLmdbFamilies) {
      entries().ForEachChunk(family, {}, [&](absl::Span<const Entry> chunk) {
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
  void Flush() override { Check(mdb_env_sync(env_, 1), "sync"); }

  std::unique_ptr<Caller> NewCaller() override;
  MDB_env* env() const { return env_; }
  MDB_dbi Dbi(Family family) const {
    return dbis_[static_cast<size_t>(family)];
  }
  int64_t now() const { return NowMillis(); }

  void Write(const Changes& changes) override {
    Transaction txn(env_, 0);
    WriteIn(txn, changes);
    txn.Commit();
  }

  void Update(const TokenId& id,
              absl::FunctionRef<Changes(Token)> change) override {
    Transaction txn(env_, 0);
    WriteIn(txn, change(ReadIn(txn, id)));
    txn.Commit();
  }

 protected:
  std::vector<TokenId> IdsBetween(const std::string& lower,
                                  const std::string& upper,
                                  size_t most) override {
    const Scan scan(*this);
    std::vector<TokenId> ids;
    MDB_val key = Val(lower);
    MDB_val value;
    int code = mdb_cursor_get(scan.cursor, &key, &value, MDB_SET_RANGE);
    while (code == MDB_SUCCESS && ids.size() < most && View(key) < upper) {
      ids.push_back(IdOf(View(key)));
      code = mdb_cursor_get(scan.cursor, &key, &value, MDB_NEXT);
    }
    if (code != MDB_NOTFOUND) Check(code, "scan");
    return ids;
  }

  void ForEach(const std::string& lower, const std::string& upper,
               absl::FunctionRef<void(std::string_view, std::string_view)> use)
      override {
    const Scan scan(*this);
    MDB_val key = Val(lower);
    MDB_val value;
    int code = mdb_cursor_get(scan.cursor, &key, &value, MDB_SET_RANGE);
    while (code == MDB_SUCCESS && View(key) < upper) {
      use(View(key), View(value));
      code = mdb_cursor_get(scan.cursor, &key, &value, MDB_NEXT);
    }
    if (code != MDB_NOTFOUND) Check(code, "scan");
  }

  void ForEachBackward(const std::string& lower, const std::string& upper,
                       absl::FunctionRef<bool(std::string_view)> use) override {
    const Scan scan(*this);
    MDB_val key = Val(upper);
    MDB_val value;
    // The one before the first that is not less.
    int code = mdb_cursor_get(scan.cursor, &key, &value, MDB_SET_RANGE);
    code = mdb_cursor_get(scan.cursor, &key, &value,
                          code == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
    while (code == MDB_SUCCESS && View(key) >= lower && use(View(key))) {
      code = mdb_cursor_get(scan.cursor, &key, &value, MDB_PREV);
    }
    if (code != MDB_NOTFOUND) Check(code, "scan");
  }

  std::vector<Token> Read(absl::Span<const TokenId> ids) override {
    Transaction txn(env_, MDB_RDONLY);
    std::vector<Token> tokens;
    for (const TokenId& id : ids) tokens.push_back(ReadIn(txn, id));
    return tokens;
  }

 private:
  // A cursor of the index in a transaction of its own.
  struct Scan {
    explicit Scan(const LmdbStore& store) : txn(store.env_, MDB_RDONLY) {
      Check(mdb_cursor_open(txn.get(), store.Dbi(Family::kIndex), &cursor),
            "cursor");
    }
    ~Scan() { mdb_cursor_close(cursor); }
    Scan(const Scan&) = delete;
    Scan& operator=(const Scan&) = delete;

    Transaction txn;
    MDB_cursor* cursor = nullptr;
  };

  void WriteIn(Transaction& txn, const Changes& changes) const {
    for (const Entry& entry : changes.puts) {
      txn.Put(Dbi(entry.family), entry.key, entry.value);
    }
    for (const Entry& entry : changes.deletes) {
      txn.Delete(Dbi(entry.family), entry.key);
    }
  }

  Token ReadIn(Transaction& txn, const TokenId& id) const {
    const auto record = txn.Get(Dbi(Family::kToken), id.bytes());
    if (!record.has_value()) CheckOk(absl::NotFoundError("record"), "lmdb");
    return ValueOrDie(DecodeRecord(id, *record), "decoding");
  }

  MDB_env* env_ = nullptr;
  std::array<MDB_dbi, kFamilies.size()> dbis_{};
};

// Reads in one transaction that is begun anew for each call.
class LmdbCaller final : public KeyValueCaller {
 public:
  explicit LmdbCaller(LmdbStore& store)
      : KeyValueCaller(store, /*counters=*/false), store_(store) {
    Check(mdb_txn_begin(store.env(), nullptr, MDB_RDONLY, &txn_), "begin");
    mdb_txn_reset(txn_);
  }
  ~LmdbCaller() override { mdb_txn_abort(txn_); }

  Answer Lookup(const Digest& digest) override {
    Answer answer;
    LookupMany({&digest, 1}, {&answer, 1});
    return answer;
  }

  void LookupMany(absl::Span<const Digest> digests,
                  absl::Span<Answer> answers) override {
    Check(mdb_txn_renew(txn_), "renew");
    for (size_t i = 0; i < digests.size(); ++i) {
      MDB_val key = Val(digests[i].bytes());
      MDB_val row;
      const int code = mdb_get(txn_, store_.Dbi(Family::kDigest), &key, &row);
      if (code != MDB_NOTFOUND) Check(code, "get");
      answers[i] = code == MDB_NOTFOUND ? Answer()
                                        : AnswerOfRow(View(row), store_.now());
    }
    mdb_txn_reset(txn_);
  }

 private:
  LmdbStore& store_;
  MDB_txn* txn_ = nullptr;
};

std::unique_ptr<Caller> LmdbStore::NewCaller() {
  return std::make_unique<LmdbCaller>(*this);
}

}  // namespace

StoreKind LmdbKind() {
  return {.name = "lmdb",
          .version = mdb_version(nullptr, nullptr, nullptr),
          .make = [](const StoreOptions& options) -> std::unique_ptr<Store> {
            return std::make_unique<LmdbStore>(options);
          }};
}

}  // namespace tokendb::bench
