#include "bench/token_entries.h"

#include <string_view>

#include "bench/synthetic.h"
#include "src/index/counters.h"
#include "src/index/index_set.h"
#include "src/model/millis.h"
#include "src/storage/add_operator.h"

namespace tokendb::bench {

void AppendEntries(const Token& token, const ScopeNumbers& scopes,
                   RecordEncoder& encoder, std::vector<Entry>& entries) {
  const std::string_view record = ValueOrDie(encoder.Encode(token), "encoding");
  entries.push_back(
      {Family::kToken, std::string(token.id.bytes()), std::string(record)});
  ForEachEntry(
      token, scopes, IndexSet(),
      [&](Family family, std::string_view key, std::string_view value) {
        entries.push_back({family, std::string(key), std::string(value)});
      });
}

void CounterSums::Add(const Token& token, const ScopeNumbers& scopes,
                      absl::Time now, int64_t times) {
  ForEachCounter(token, scopes, FloorToMillis(now), [&](std::string_view key) {
    sums_[std::string(key)] += times;
  });
}

void CounterSums::MoveTo(std::vector<Entry>& entries) {
  for (const auto& [key, sum] : sums_) {
    entries.push_back({Family::kStat, key, EncodeCount(sum)});
  }
  sums_.clear();
}

void AddToBatch(absl::Span<const Entry> entries, const RawStore& store,
                rocksdb::WriteBatch& batch) {
  for (const Entry& entry : entries) {
    auto* const family = store.family(entry.family);
    CheckRaw(entry.family == Family::kStat
                 ? batch.Merge(family, entry.key, entry.value)
                 : batch.Put(family, entry.key, entry.value),
             "raw put");
  }
}

}  // namespace tokendb::bench
