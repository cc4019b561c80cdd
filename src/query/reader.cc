// Read(): all matches of a query, a batch in memory at a time.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "src/base/status_macros.h"
#include "src/query/continuation.h"
#include "src/query/result_stream.h"
#include "src/query/run.h"

namespace tokendb {
namespace {

constexpr size_t kBatch = 128;

class Reader final : public TokenReader {
 public:
  Reader(const Store& store, const ScopeDictionary& scopes,
         IndexedSnapshot taken, const Cutoff& cutoff, Conditions conditions,
         const std::optional<Position>& after)
      : snapshot_(std::move(taken.snapshot)),
        view_{store, scopes, snapshot_, cutoff, std::move(taken.indexes)},
        conditions_(std::move(conditions)),
        plan_(MakePlan(store, *view_.indexes, conditions_, Purpose::kStream,
                       Estimates::kWhenChoosing)),
        results_(view_, conditions_, plan_, after, Budget(), kMaxPage, stats_) {
  }

  absl::StatusOr<std::optional<Token>> Next() override {
    RETURN_IF_ERROR(status_);
    if (next_ == batch_.size() && !at_end_) {
      batch_.clear();
      next_ = 0;
      status_ = results_.ReadUntil(kBatch, Need::kTokens, batch_);
      RETURN_IF_ERROR(status_);
      at_end_ = batch_.size() < kBatch;
    }
    if (next_ == batch_.size()) return std::nullopt;
    return std::move(*batch_[next_++].token);
  }

 private:
  const Snapshot snapshot_;
  const ReadView view_;
  const Conditions conditions_;
  const Plan plan_;
  QueryStats stats_;
  ResultStream results_;
  std::vector<Hit> batch_;
  size_t next_ = 0;
  bool at_end_ = false;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TokenReader>> MakeReader(
    const Store& store, const ScopeDictionary& scopes, IndexedSnapshot taken,
    Millis now, const Cutoff& cutoff, const Query& query) {
  ASSIGN_OR_RETURN(const std::optional<Position> after,
                   ReadContinuation(query));
  ASSIGN_OR_RETURN(Conditions conditions,
                   Conditions::Compile(query, scopes, now, cutoff));
  return std::make_unique<Reader>(store, scopes, std::move(taken), cutoff,
                                  std::move(conditions), after);
}

}  // namespace tokendb
