#include "bench/read_benchmarks.h"

#include <algorithm>
#include <functional>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "src/base/coding.h"
#include "src/index/keys.h"
#include "src/model/record_codec.h"

namespace tokendb::bench {
namespace {

constexpr size_t kLoadBatch = 1000;
constexpr size_t kPageTokens = 20;
constexpr uint64_t kAccessSeed = 7;
constexpr size_t kCheckedAnswers = 50;

// Where a digest's row holds the id (src/index/digest_row.h).
constexpr size_t kIdInDigestRow = 12;

// --- What one would write by hand ---

// The record of a digest, undecoded.
void RawGet(RawStore& raw, const Digest& digest, rocksdb::PinnableSlice& row,
            rocksdb::PinnableSlice& record) {
  row.Reset();
  record.Reset();
  const rocksdb::ReadOptions options;
  CheckRaw(raw.db().Get(options, raw.family(Family::kDigest),
                        ToSlice(digest.bytes()), &row),
           "raw get of a digest");
  const std::string_view id =
      ToView(row).substr(kIdInDigestRow, TokenId::kSize);
  CheckRaw(
      raw.db().Get(options, raw.family(Family::kToken), ToSlice(id), &record),
      "raw get of a record");
}

// The ids of up to `limit` index entries, from `lower` to `upper`.
std::vector<TokenId> RawIds(RawStore& raw, const std::string& lower,
                            const std::string& upper, size_t limit) {
  const rocksdb::Slice end(upper);
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &end;
  const std::unique_ptr<rocksdb::Iterator> it(
      raw.db().NewIterator(options, raw.family(Family::kIndex)));
  std::vector<TokenId> ids;
  for (it->Seek(lower); it->Valid() && ids.size() < limit; it->Next()) {
    ids.push_back(IdOf(ToView(it->key())));
  }
  CheckRaw(it->status(), "raw scan");
  return ids;
}

std::vector<TokenId> RawScan(RawStore& raw, const TimeRange& window) {
  std::string lower = IndexPrefix(IndexKind::kExpiry);
  std::string upper = lower;
  AppendBig64(lower, OrderedMillis(FloorToMillis(*window.from)));
  AppendBig64(upper, OrderedMillis(FloorToMillis(*window.before)));
  return RawIds(raw, lower, upper, LoadedDatabases::kScanTokens);
}

struct RawPage {
  std::vector<TokenId> ids;
  std::vector<rocksdb::PinnableSlice> records;
};

RawPage RawList(RawStore& raw, const std::string& owner) {
  const std::string prefix = OwnerPrefix(owner);
  std::string lower = prefix;
  AppendBig64(lower, OrderedMillis(FloorToMillis(absl::Now())));
  RawPage page{.ids = RawIds(raw, lower, PrefixEnd(prefix), kPageTokens)};
  std::vector<rocksdb::Slice> keys;
  keys.reserve(page.ids.size());
  for (const TokenId& id : page.ids) keys.push_back(ToSlice(id.bytes()));
  page.records.resize(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  raw.db().MultiGet(rocksdb::ReadOptions(), raw.family(Family::kToken),
                    keys.size(), keys.data(), page.records.data(),
                    statuses.data());
  for (const rocksdb::Status& status : statuses) {
    CheckRaw(status, "raw read of a page");
  }
  return page;
}

// --- The same with tokendb ---

Token Get(const Database& db, const Digest& digest) {
  return ValueOrDie(db.GetByDigest(digest), "get by digest");
}

std::vector<TokenId> Scan(const Database& db, const TimeRange& window) {
  return ValueOrDie(db.ListIds({.expires = window,
                                .limit = LoadedDatabases::kScanTokens}),
                    "scan")
      .ids;
}

Page List(const Database& db, const std::string& owner) {
  return ValueOrDie(db.List({.owners = {owner}, .limit = kPageTokens}), "list");
}

// Registers a benchmark that calls `operation` with numbers below `end`. Both
// sides of a comparison draw the same sequence, and go on in it from one
// repetition to the next.
void Register(const std::string& name, size_t end,
              std::function<void(size_t)> operation, size_t items = 1) {
  const auto random = std::make_shared<Random>(kAccessSeed);
  benchmark::RegisterBenchmark(name.c_str(), [random, end, items, operation](
                                                 benchmark::State& state) {
    for (auto _ : state) operation(random->Below(end));
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(items));
  })->UseRealTime();
}

}  // namespace

LoadedDatabases::LoadedDatabases(const SyntheticTokens& tokens,
                                 const std::string& directory,
                                 const OpenOptions& options)
    : owners_(tokens.OwnersWithAtLeast(kPageTokens)) {
  const std::string path = directory + "/tokendb";
  const std::string raw_path = directory + "/raw";
  Load(tokens, path, options);
  CopyDatabase(path, raw_path);
  tokendb_ = ValueOrDie(Database::Open(path, options), "opening");
  raw_ = std::make_unique<RawStore>(raw_path, options);
  std::sort(expiries_.begin(), expiries_.end());
}

void LoadedDatabases::Load(const SyntheticTokens& tokens,
                           const std::string& path,
                           const OpenOptions& options) {
  const absl::Time begin = absl::Now();
  const auto db = ValueOrDie(Database::Open(path, options), "creating");
  size_t record_bytes = 0;
  RecordEncoder encoder;
  std::vector<Token> batch;
  for (size_t i = 0; i < tokens.count(); ++i) {
    batch.push_back(tokens.Make(i));
    const Token& token = batch.back();
    digests_.push_back(*token.digest);
    if (token.expires_at.has_value()) expiries_.push_back(*token.expires_at);
    record_bytes += ValueOrDie(encoder.Encode(token), "encoding").size();
    if (batch.size() < kLoadBatch && i + 1 < tokens.count()) continue;
    CheckOk(
        db->IssueBatch(batch, {.durability = Durability::kBuffered}).status(),
        "loading");
    batch.clear();
  }
  CheckOk(db->Flush(), "flushing");
  CheckOk(db->Compact(), "compacting");
  std::cout << "Loaded " << tokens.count() << " tokens, "
            << record_bytes / tokens.count() << " bytes a record, in "
            << absl::FormatDuration(
                   absl::Trunc(absl::Now() - begin, absl::Milliseconds(100)))
            << ".\n";
  const DatabaseStats stats = ValueOrDie(db->Stats(), "stats");
  for (const DatabaseStats::Family& family : stats.families) {
    if (family.file_bytes < (uint64_t{1} << 20)) continue;
    std::cout << "  " << family.name << ": " << (family.file_bytes >> 20)
              << " MiB\n";
  }
}

size_t LoadedDatabases::windows() const {
  return expiries_.size() > kScanTokens ? expiries_.size() - kScanTokens : 1;
}

TimeRange LoadedDatabases::Window(size_t first) const {
  const size_t end = first + kScanTokens;
  return {.from = expiries_[first],
          .before = end < expiries_.size()
                        ? expiries_[end]
                        : expiries_.back() + absl::Milliseconds(1)};
}

void CheckSameAnswers(const LoadedDatabases& databases) {
  Random random(kAccessSeed + 1);
  const auto check = [](bool same, std::string_view what) {
    if (!same) CheckOk(absl::InternalError("tokendb and raw differ"), what);
  };
  rocksdb::PinnableSlice row;
  rocksdb::PinnableSlice record;
  for (size_t i = 0; i < kCheckedAnswers; ++i) {
    const Digest& digest =
        databases.digests()[random.Below(databases.digests().size())];
    const Token token = Get(databases.tokendb(), digest);
    RawGet(databases.raw(), digest, row, record);
    check(token == ValueOrDie(DecodeRecord(token.id, ToView(record)), "raw"),
          "GetByDigest");

    const TimeRange window =
        databases.Window(random.Below(databases.windows()));
    check(Scan(databases.tokendb(), window) == RawScan(databases.raw(), window),
          "ScanExpiry");

    const std::string& owner =
        databases.owners()[random.Below(databases.owners().size())];
    const Page page = List(databases.tokendb(), owner);
    const RawPage raw_page = RawList(databases.raw(), owner);
    check(page.tokens.size() == kPageTokens &&
              std::equal(page.tokens.begin(), page.tokens.end(),
                         raw_page.ids.begin(), raw_page.ids.end(),
                         [](const Token& token, const TokenId& id) {
                           return token.id == id;
                         }),
          "ListOwner20");
  }
}

void RegisterReadBenchmarks(const LoadedDatabases& databases) {
  const Database& db = databases.tokendb();
  RawStore& raw = databases.raw();
  const auto& digests = databases.digests();
  const auto& owners = databases.owners();
  const size_t windows = databases.windows();

  Register("GetByDigest/tokendb", digests.size(),
           [&](size_t i) { benchmark::DoNotOptimize(Get(db, digests[i])); });
  Register("GetByDigest/raw", digests.size(), [&](size_t i) {
    rocksdb::PinnableSlice row;
    rocksdb::PinnableSlice record;
    RawGet(raw, digests[i], row, record);
    benchmark::DoNotOptimize(record.data());
  });
  Register("Authenticate/tokendb", digests.size(), [&](size_t i) {
    benchmark::DoNotOptimize(
        ValueOrDie(db.Authenticate(digests[i]), "authenticate"));
  });
  Register("Authenticate/raw", digests.size(), [&](size_t i) {
    rocksdb::PinnableSlice row;
    CheckRaw(raw.db().Get(rocksdb::ReadOptions(), raw.family(Family::kDigest),
                          ToSlice(digests[i].bytes()), &row),
             "raw get of a digest");
    benchmark::DoNotOptimize(row.data());
  });
  Register(
      "ScanExpiry10000/tokendb", windows,
      [&](size_t i) {
        benchmark::DoNotOptimize(Scan(db, databases.Window(i)));
      },
      LoadedDatabases::kScanTokens);
  Register(
      "ScanExpiry10000/raw", windows,
      [&](size_t i) {
        benchmark::DoNotOptimize(RawScan(raw, databases.Window(i)));
      },
      LoadedDatabases::kScanTokens);
  Register(
      "ListOwner20/tokendb", owners.size(),
      [&](size_t i) { benchmark::DoNotOptimize(List(db, owners[i])); },
      kPageTokens);
  Register(
      "ListOwner20/raw", owners.size(),
      [&](size_t i) { benchmark::DoNotOptimize(RawList(raw, owners[i])); },
      kPageTokens);
}

}  // namespace tokendb::bench
