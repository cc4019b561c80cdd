// RocksDB by hand: the options, keys and values of tokendb, and the least that
// the same answers take.
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/peers/key_value_store.h"
#include "bench/token_entries.h"
#include "rocksdb/sst_file_writer.h"
#include "rocksdb/version.h"
#include "src/model/record_codec.h"
#include "src/storage/rocksdb_options.h"

namespace tokendb::bench {
namespace {

// As RocksDB itself cuts files.
constexpr uint64_t kFileBytes = uint64_t{64} << 20;

// Writes sorted entries of one family into table files.
class TableFiles {
 public:
  TableFiles(std::string path, const OpenOptions& options, Family family)
      : path_(std::move(path)),
        options_(MakeDbOptions(options),
                 MakeFamilyOptions(family, options, nullptr)) {}

  void Add(const Entry& entry) {
    if (writer_ == nullptr) Begin();
    CheckRaw(writer_->Put(entry.key, entry.value), "adding to a table file");
    if (writer_->FileSize() >= kFileBytes) Finish();
  }

  // Writes the last file out. Returns all.
  const std::vector<std::string>& Finish() {
    if (writer_ != nullptr) {
      CheckRaw(writer_->Finish(), "finishing a table file");
      writer_.reset();
    }
    return files_;
  }

 private:
  void Begin() {
    files_.push_back(absl::StrCat(path_, "-", files_.size(), ".sst"));
    writer_ = std::make_unique<rocksdb::SstFileWriter>(rocksdb::EnvOptions(),
                                                       options_);
    CheckRaw(writer_->Open(files_.back()), "opening a table file");
  }

  std::string path_;
  rocksdb::Options options_;
  std::unique_ptr<rocksdb::SstFileWriter> writer_;
  std::vector<std::string> files_;
};

class RawRocksDb final : public KeyValueStore {
 public:
  explicit RawRocksDb(const StoreOptions& options)
      : KeyValueStore(options),
        open_options_{.cache_bytes = options.cache_bytes},
        raw_(options.path, open_options_) {
    write_options_.sync = options.writes == Surviving::kPower;
  }

  double Load(const LoadInput& input) override {
    SetEntries(input.entries);
    Stopwatch watch;
    for (const Family family : {Family::kMeta, Family::kToken, Family::kDigest,
                                Family::kIndex, Family::kStat}) {
      TableFiles files(
          absl::StrCat(options().path, "/", std::string(FamilyName(family))),
          open_options_, family);
      entries().ForEachChunk(family, {}, [&](absl::Span<const Entry> chunk) {
        watch.Resume();
        for (const Entry& entry : chunk) files.Add(entry);
        watch.Pause();
      });
      watch.Resume();
      rocksdb::IngestExternalFileOptions ingest;
      ingest.move_files = true;
      const std::vector<std::string>& names = files.Finish();
      if (!names.empty()) {
        CheckRaw(
            raw_.db().IngestExternalFile(raw_.family(family), names, ingest),
            "ingesting");
      }
      watch.Pause();
    }
    return watch.Seconds();
  }

  std::string Settle() override { return "as ingested, into the last level"; }

  void Flush() override {
    std::vector<rocksdb::ColumnFamilyHandle*> families;
    for (const Family family : kFamilies) {
      families.push_back(raw_.family(family));
    }
    CheckRaw(raw_.db().Flush(rocksdb::FlushOptions(), families), "flushing");
  }

  std::unique_ptr<Caller> NewCaller() override;
  RawStore& raw() { return raw_; }
  int64_t now() const { return NowMillis(); }

  void Write(const Changes& changes) override {
    rocksdb::WriteBatch batch;
    AddToBatch(changes.puts, raw_, batch);
    for (const Entry& entry : changes.deletes) {
      CheckRaw(batch.Delete(raw_.family(entry.family), entry.key), "deleting");
    }
    CheckRaw(raw_.db().Write(write_options_, &batch), "writing");
  }

  // Takes no lock: changes of one token at once are not kept apart.
  void Update(const TokenId& id,
              absl::FunctionRef<Changes(Token)> change) override {
    rocksdb::PinnableSlice record;
    CheckRaw(raw_.db().Get(rocksdb::ReadOptions(), raw_.family(Family::kToken),
                           ToSlice(id.bytes()), &record),
             "reading a record");
    Write(change(ValueOrDie(DecodeRecord(id, ToView(record)), "decoding")));
  }

 protected:
  std::vector<TokenId> IdsBetween(const std::string& lower,
                                  const std::string& upper,
                                  size_t most) override {
    const rocksdb::Slice end(upper);
    const auto it = NewIterator(nullptr, &end);
    std::vector<TokenId> ids;
    for (it->Seek(lower); it->Valid() && ids.size() < most; it->Next()) {
      ids.push_back(IdOf(ToView(it->key())));
    }
    CheckRaw(it->status(), "scanning");
    return ids;
  }

  void ForEach(const std::string& lower, const std::string& upper,
               absl::FunctionRef<void(std::string_view, std::string_view)> use)
      override {
    const rocksdb::Slice end(upper);
    const auto it = NewIterator(nullptr, &end);
    for (it->Seek(lower); it->Valid(); it->Next()) {
      use(ToView(it->key()), ToView(it->value()));
    }
    CheckRaw(it->status(), "scanning");
  }

  void ForEachBackward(const std::string& lower, const std::string& upper,
                       absl::FunctionRef<bool(std::string_view)> use) override {
    const rocksdb::Slice begin(lower);
    const rocksdb::Slice end(upper);
    const auto it = NewIterator(&begin, &end);
    it->SeekToLast();
    while (it->Valid() && use(ToView(it->key()))) it->Prev();
    CheckRaw(it->status(), "scanning backward");
  }

  std::vector<Token> Read(absl::Span<const TokenId> ids) override {
    std::vector<rocksdb::Slice> keys;
    for (const TokenId& id : ids) keys.push_back(ToSlice(id.bytes()));
    std::vector<rocksdb::PinnableSlice> records(keys.size());
    std::vector<rocksdb::Status> statuses(keys.size());
    raw_.db().MultiGet(rocksdb::ReadOptions(), raw_.family(Family::kToken),
                       keys.size(), keys.data(), records.data(),
                       statuses.data());
    std::vector<Token> tokens;
    for (size_t i = 0; i < ids.size(); ++i) {
      CheckRaw(statuses[i], "reading a record");
      tokens.push_back(
          ValueOrDie(DecodeRecord(ids[i], ToView(records[i])), "decoding"));
    }
    return tokens;
  }

 private:
  std::unique_ptr<rocksdb::Iterator> NewIterator(const rocksdb::Slice* lower,
                                                 const rocksdb::Slice* upper) {
    rocksdb::ReadOptions options;
    options.iterate_lower_bound = lower;
    options.iterate_upper_bound = upper;
    return std::unique_ptr<rocksdb::Iterator>(
        raw_.db().NewIterator(options, raw_.family(Family::kIndex)));
  }

  const OpenOptions open_options_;
  rocksdb::WriteOptions write_options_;
  RawStore raw_;
};

class RawCaller final : public KeyValueCaller {
 public:
  explicit RawCaller(RawRocksDb& store)
      : KeyValueCaller(store, /*counters=*/true), store_(store) {}

  Answer Lookup(const Digest& digest) override {
    rocksdb::PinnableSlice row;
    const rocksdb::Status status = store_.raw().db().Get(
        rocksdb::ReadOptions(), store_.raw().family(Family::kDigest),
        ToSlice(digest.bytes()), &row);
    return AnswerOf(status, row);
  }

  void LookupMany(absl::Span<const Digest> digests,
                  absl::Span<Answer> answers) override {
    std::vector<rocksdb::Slice> keys;
    for (const Digest& digest : digests) {
      keys.push_back(ToSlice(digest.bytes()));
    }
    std::vector<rocksdb::PinnableSlice> rows(keys.size());
    std::vector<rocksdb::Status> statuses(keys.size());
    store_.raw().db().MultiGet(
        rocksdb::ReadOptions(), store_.raw().family(Family::kDigest),
        keys.size(), keys.data(), rows.data(), statuses.data());
    for (size_t i = 0; i < keys.size(); ++i) {
      answers[i] = AnswerOf(statuses[i], rows[i]);
    }
  }

 private:
  Answer AnswerOf(const rocksdb::Status& status,
                  const rocksdb::PinnableSlice& row) const {
    if (status.IsNotFound()) return {};
    CheckRaw(status, "reading a digest");
    return AnswerOfRow(ToView(row), store_.now());
  }

  RawRocksDb& store_;
};

std::unique_ptr<Caller> RawRocksDb::NewCaller() {
  return std::make_unique<RawCaller>(*this);
}

}  // namespace

StoreKind RawKind() {
  return {.name = "raw",
          .version = absl::StrCat("RocksDB ", ROCKSDB_MAJOR, ".", ROCKSDB_MINOR,
                                  ".", ROCKSDB_PATCH),
          .make = [](const StoreOptions& options) -> std::unique_ptr<Store> {
            return std::make_unique<RawRocksDb>(options);
          }};
}

}  // namespace tokendb::bench
