#include "src/db/counter_check.h"

#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "src/base/status_macros.h"
#include "src/index/counters.h"
#include "src/index/keys.h"
#include "src/model/record_codec.h"
#include "src/storage/add_operator.h"

namespace tokendb {
namespace {

constexpr size_t kMaxCounters = 1000000;
constexpr uint64_t kMaxParts = uint64_t{1} << 20;
constexpr uint64_t kCountersPerBatch = 1000;

using Counters = absl::flat_hash_map<std::string, int64_t>;

// One of `parts` parts of all counters, told apart by their keys' hashes.
struct Part {
  uint64_t number = 0;
  uint64_t parts = 1;

  bool Has(std::string_view key) const {
    return absl::HashOf(key) % parts == number;
  }
};

// Counts the records. False if there are too many counters in the part.
absl::StatusOr<bool> CountRecords(const ReadView& view, Millis now,
                                  const Part& part, Counters& counters) {
  Cursor cursor = view.store.NewCursor(&view.snapshot, Family::kToken, {},
                                       ScanKind::kWholeDatabase);
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    if (cursor.key().size() != TokenId::kSize) continue;
    const absl::StatusOr<Token> token =
        DecodeRecord(IdFromBytes(cursor.key()), cursor.value());
    RETURN_IF_ERROR(token.status());
    ForEachCounter(*token, view.scopes.Known(token->scopes), now,
                   [&](std::string_view key) {
                     if (part.Has(key)) ++counters[std::string(key)];
                   });
    if (counters.size() > kMaxCounters && part.parts < kMaxParts) return false;
  }
  RETURN_IF_ERROR(cursor.status());
  return true;
}

absl::Status CompareWithRows(
    const ReadView& view, Millis now, const Part& part, Counters expected,
    absl::FunctionRef<absl::Status(const WrongCounter&)> report) {
  Cursor cursor = view.store.NewCursor(&view.snapshot, Family::kStat, {},
                                       ScanKind::kWholeDatabase);
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    const std::string_view key = cursor.key();
    if (!IsCounterRead(key, now) || !part.Has(key)) continue;
    const auto it = expected.find(std::string(key));
    const int64_t should = it == expected.end() ? 0 : it->second;
    const int64_t is = DecodeCount(cursor.value()).value_or(0);
    if (it != expected.end()) expected.erase(it);
    if (is != should) RETURN_IF_ERROR(report({key, is, should}));
  }
  RETURN_IF_ERROR(cursor.status());
  for (const auto& [key, should] : expected) {
    RETURN_IF_ERROR(report({key, 0, should}));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FindWrongCounters(
    const ReadView& view, Millis now,
    absl::FunctionRef<absl::Status(const WrongCounter&)> report) {
  // The first part tells how many parts it takes: keys are spread evenly.
  Part part;
  while (part.number < part.parts) {
    Counters counters;
    ASSIGN_OR_RETURN(const bool all, CountRecords(view, now, part, counters));
    if (!all && part.number == 0) {
      part.parts *= 2;
      continue;
    }
    RETURN_IF_ERROR(
        CompareWithRows(view, now, part, std::move(counters), report));
    ++part.number;
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> RepairCounters(Store& store, const ReadView& view,
                                        Millis now) {
  uint64_t repaired = 0;
  std::optional<Batch> batch(store.NewBatch());
  const auto commit = [&]() -> absl::Status {
    if (batch->IsEmpty()) return absl::OkStatus();
    RETURN_IF_ERROR(store.Commit(*batch, Durability::kSync));
    batch.emplace(store.NewBatch());
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(FindWrongCounters(
      view, now, [&](const WrongCounter& wrong) -> absl::Status {
        batch->Add(wrong.key, wrong.expected - wrong.actual);
        return ++repaired % kCountersPerBatch == 0 ? commit()
                                                   : absl::OkStatus();
      }));
  RETURN_IF_ERROR(commit());
  return repaired;
}

}  // namespace tokendb
