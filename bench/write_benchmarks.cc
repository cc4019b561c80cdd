#include "bench/write_benchmarks.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>

#include "bench/raw_store.h"
#include "bench/synthetic.h"
#include "benchmark/benchmark.h"
#include "rocksdb/write_batch.h"
#include "src/index/counters.h"
#include "src/index/cover.h"
#include "src/model/record_codec.h"
#include "src/model/uuid7.h"
#include "src/storage/add_operator.h"
#include "tokendb/db.h"

namespace tokendb::bench {
namespace {

constexpr uint64_t kIssueSeed = 42;

// A token with every scope: issued first, it numbers the scopes from 1 on in
// their order.
Token TokenOfAllScopes(absl::Time now) {
  Token token;
  token.created_at = now;
  token.scopes = AllScopes();
  return token;
}

ScopeNumbers NumbersOf(const Token& token) {
  static const auto& all = *new std::vector<std::string>(AllScopes());
  ScopeNumbers numbers;
  for (const std::string& scope : token.scopes) {
    const auto it = std::lower_bound(all.begin(), all.end(), scope);
    numbers.push_back(static_cast<uint32_t>(it - all.begin()) + 1);
  }
  return numbers;
}

void AppendEntries(const Token& token, RecordEncoder& encoder,
                   std::vector<Entry>& entries) {
  const std::string_view record = ValueOrDie(encoder.Encode(token), "encoding");
  entries.push_back(
      {Family::kToken, std::string(token.id.bytes()), std::string(record)});
  ForEachEntry(
      token, NumbersOf(token), IndexSet(),
      [&](Family family, std::string_view key, std::string_view value) {
        entries.push_back({family, std::string(key), std::string(value)});
      });
}

// The counters that a batch of tokens changes, summed as the library does.
class CounterSums {
 public:
  void Add(const Token& token, absl::Time now) {
    ForEachCounter(token, NumbersOf(token), FloorToMillis(now),
                   [&](std::string_view key) { ++sums_[std::string(key)]; });
  }
  void MoveTo(std::vector<Entry>& entries) {
    for (const auto& [key, sum] : sums_) {
      entries.push_back({Family::kStat, key, EncodeCount(sum)});
    }
    sums_.clear();
  }

 private:
  std::map<std::string, int64_t> sums_;
};

// A directory that exists only as long as this.
class FreshDirectory {
 public:
  explicit FreshDirectory(std::string path) : path_(std::move(path)) {
    std::filesystem::remove_all(path_);
  }
  ~FreshDirectory() { std::filesystem::remove_all(path_); }
  FreshDirectory(const FreshDirectory&) = delete;
  FreshDirectory& operator=(const FreshDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void CountItems(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() *
                          static_cast<int64_t>(IssueBatches::kTokens));
}

void IssueWithTokendb(benchmark::State& state, const IssueBatches& batches,
                      const std::string& directory,
                      const OpenOptions& options) {
  const FreshDirectory fresh(directory + "/issue");
  const auto db = ValueOrDie(Database::Open(fresh.path(), options), "opening");
  CheckOk(db->Issue(TokenOfAllScopes(absl::Now())).status(), "first issue");
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        ValueOrDie(db->IssueBatch(batches.tokens(next++),
                                  {.durability = Durability::kBuffered}),
                   "issue"));
  }
  CountItems(state);
}

enum class DigestCheck { kNo, kYes };

void CheckDigestsAreNew(RawStore& raw, const std::vector<Entry>& entries) {
  std::vector<rocksdb::Slice> keys;
  for (const Entry& entry : entries) {
    if (entry.family == Family::kDigest) keys.push_back(ToSlice(entry.key));
  }
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  raw.db().MultiGet(rocksdb::ReadOptions(), raw.family(Family::kDigest),
                    keys.size(), keys.data(), values.data(), statuses.data());
  for (const rocksdb::Status& status : statuses) {
    if (!status.IsNotFound()) CheckRaw(status, "raw look-up of new digests");
  }
}

void IssueRaw(benchmark::State& state, const IssueBatches& batches,
              const std::string& directory, const OpenOptions& options,
              DigestCheck check) {
  const FreshDirectory fresh(directory + "/issue");
  RawStore raw(fresh.path(), options);
  size_t next = 0;
  for (auto _ : state) {
    const std::vector<Entry>& entries = batches.entries(next++);
    if (check == DigestCheck::kYes) CheckDigestsAreNew(raw, entries);
    rocksdb::WriteBatch batch;
    for (const Entry& entry : entries) {
      auto* const family = raw.family(entry.family);
      CheckRaw(entry.family == Family::kStat
                   ? batch.Merge(family, entry.key, entry.value)
                   : batch.Put(family, entry.key, entry.value),
               "raw put");
    }
    CheckRaw(raw.db().Write(rocksdb::WriteOptions(), &batch), "raw write");
  }
  CountItems(state);
}

}  // namespace

IssueBatches::IssueBatches(size_t batches, absl::Time now) {
  const SyntheticTokens tokens(batches * kTokens, now, kIssueSeed);
  RecordEncoder encoder;
  CounterSums sums;
  for (size_t i = 0; i < tokens.count(); ++i) {
    if (i % kTokens == 0) {
      tokens_.emplace_back();
      entries_.emplace_back();
    }
    Token token = tokens.Make(i);
    // A batch is created at one time.
    token.created_at =
        now + absl::Milliseconds(static_cast<int64_t>(i / kTokens));
    token.id = TokenId();
    tokens_.back().push_back(token);
    token.id = NewTokenId(token.created_at);
    token.version = 1;
    AppendEntries(token, encoder, entries_.back());
    sums.Add(token, now);
    if (i % kTokens == kTokens - 1) sums.MoveTo(entries_.back());
  }
}

void RegisterWriteBenchmarks(const IssueBatches& batches,
                             const std::string& directory,
                             const OpenOptions& options) {
  const auto add = [&](const char* name, auto run) {
    benchmark::RegisterBenchmark(name, run)
        ->Iterations(static_cast<benchmark::IterationCount>(batches.size()))
        ->UseRealTime();
  };
  add("IssueBatch100/tokendb", [&, directory](benchmark::State& state) {
    IssueWithTokendb(state, batches, directory, options);
  });
  add("IssueBatch100/raw", [&, directory](benchmark::State& state) {
    IssueRaw(state, batches, directory, options, DigestCheck::kNo);
  });
  // For orientation: with the look-up that unique digests take.
  add("IssueBatch100Unique/tokendb", [&, directory](benchmark::State& state) {
    IssueWithTokendb(state, batches, directory, options);
  });
  add("IssueBatch100Unique/raw", [&, directory](benchmark::State& state) {
    IssueRaw(state, batches, directory, options, DigestCheck::kYes);
  });
}

}  // namespace tokendb::bench
