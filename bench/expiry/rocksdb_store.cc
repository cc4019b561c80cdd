// RocksDB by hand: the options, keys and values of tokendb, and the least that
// the same answers take.
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/expiry/store.h"
#include "bench/token_entries.h"
#include "rocksdb/sst_file_writer.h"
#include "rocksdb/version.h"
#include "src/base/coding.h"
#include "src/model/record_codec.h"
#include "src/storage/rocksdb_options.h"

namespace tokendb::bench {
namespace {

// Where a digest's row holds expiry and id (src/index/digest_row.h).
constexpr size_t kExpiryInDigestRow = 4;

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

class RawRocksDb final : public Store {
 public:
  explicit RawRocksDb(const StoreOptions& options)
      : Store(options),
        open_options_{.cache_bytes = options.cache_bytes},
        raw_(options.path, open_options_) {}

  double Load(const LoadInput& input) override {
    entries_ = input.entries;
    Stopwatch watch;
    for (const Family family : {Family::kMeta, Family::kToken, Family::kDigest,
                                Family::kIndex, Family::kStat}) {
      TableFiles files(
          absl::StrCat(options().path, "/", std::string(FamilyName(family))),
          open_options_, family);
      entries_->ForEachChunk(family, {}, [&](absl::Span<const Entry> chunk) {
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
    rocksdb::PinnableSlice row;
    const rocksdb::Status status =
        raw_.db().Get(rocksdb::ReadOptions(), raw_.family(Family::kDigest),
                      ToSlice(digest.bytes()), &row);
    if (status.IsNotFound()) return false;
    CheckRaw(status, "reading a digest");
    return FromOrderedMillis(LoadBig64(row.data() + kExpiryInDigestRow)) >
           NowMillis();
  }

  void Issue(absl::Span<const Token> tokens) override {
    std::vector<Entry> entries;
    CounterSums sums;
    for (const Token& token : tokens) {
      const ScopeNumbers scopes = entries_->NumbersOf(token);
      AppendEntries(token, scopes, encoder_, entries);
      sums.Add(token, scopes, options().clock->Now());
    }
    sums.MoveTo(entries);
    rocksdb::WriteBatch batch;
    AddToBatch(entries, raw_, batch);
    Write(batch);
  }

  void Flush() override {
    std::vector<rocksdb::ColumnFamilyHandle*> families;
    for (const Family family : kFamilies) {
      families.push_back(raw_.family(family));
    }
    CheckRaw(raw_.db().Flush(rocksdb::FlushOptions(), families), "flushing");
  }

  void Touch(const TokenId& id, absl::Time time,
             const std::string& ip) override {
    Token token = *Read(id);
    token.last_accessed_at = time;
    token.ip_address = ip;
    const std::string_view record =
        ValueOrDie(encoder_.Encode(token), "encoding");
    CheckRaw(raw_.db().Put(rocksdb::WriteOptions(), raw_.family(Family::kToken),
                           ToSlice(id.bytes()), ToSlice(record)),
             "writing a record");
  }
  std::optional<absl::Time> LastUse(const TokenId& id) override {
    return Read(id)->last_accessed_at;
  }

  std::optional<size_t> DeleteExpired(size_t most) override {
    const std::string prefix = IndexPrefix(IndexKind::kExpiry);
    std::string upper = prefix;
    AppendBig64(upper, OrderedMillis(NowMillis() + 1));
    rocksdb::WriteBatch batch;
    const std::vector<TokenId> ids = IdsBetween(prefix, upper, most);
    std::vector<Entry> entries;
    for (const TokenId& id : ids) {
      const Token token = *Read(id);
      AppendEntries(token, entries_->NumbersOf(token), encoder_, entries);
    }
    for (const Entry& entry : entries) {
      CheckRaw(batch.Delete(raw_.family(entry.family), entry.key), "deleting");
    }
    Write(batch);
    return ids.size();
  }

 private:
  void Write(rocksdb::WriteBatch& batch) {
    CheckRaw(raw_.db().Write(rocksdb::WriteOptions(), &batch), "writing");
  }

  std::optional<Token> Read(const TokenId& id) {
    rocksdb::PinnableSlice record;
    CheckRaw(raw_.db().Get(rocksdb::ReadOptions(), raw_.family(Family::kToken),
                           ToSlice(id.bytes()), &record),
             "reading a record");
    return ValueOrDie(DecodeRecord(id, ToView(record)), "decoding");
  }

  // The live entries of a term up to `before`.
  std::vector<TokenId> Ids(const std::string& prefix, absl::Time before) {
    std::string lower = prefix;
    std::string upper = prefix;
    AppendBig64(lower, OrderedMillis(NowMillis() + 1));
    AppendBig64(upper, OrderedMillis(FloorToMillis(before)));
    return IdsBetween(lower, upper, std::numeric_limits<size_t>::max());
  }

  std::vector<TokenId> IdsBetween(const std::string& lower,
                                  const std::string& upper, size_t most) {
    const rocksdb::Slice end(upper);
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &end;
    const std::unique_ptr<rocksdb::Iterator> it(
        raw_.db().NewIterator(options, raw_.family(Family::kIndex)));
    std::vector<TokenId> ids;
    for (it->Seek(lower); it->Valid() && ids.size() < most; it->Next()) {
      ids.push_back(IdOf(ToView(it->key())));
    }
    CheckRaw(it->status(), "scanning");
    return ids;
  }

  const OpenOptions open_options_;
  RawStore raw_;
  const EntrySource* entries_ = nullptr;
  RecordEncoder encoder_;
};

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
