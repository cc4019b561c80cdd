#include "bench/write_benchmarks.h"

#include <algorithm>
#include <string>

#include "bench/raw_store.h"
#include "bench/synthetic.h"
#include "bench/token_entries.h"
#include "bench/working_directory.h"
#include "benchmark/benchmark.h"
#include "rocksdb/write_batch.h"
#include "src/index/cover.h"
#include "src/model/record_codec.h"
#include "src/model/uuid7.h"
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
    AddToBatch(entries, raw, batch);
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
    const ScopeNumbers scopes = NumbersOf(token);
    AppendEntries(token, scopes, encoder, entries_.back());
    sums.Add(token, scopes, now);
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
