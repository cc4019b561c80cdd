#ifndef TOKENDB_SRC_QUERY_HIT_STREAM_H_
#define TOKENDB_SRC_QUERY_HIT_STREAM_H_

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "src/index/index_set.h"
#include "src/index/scope_dictionary.h"
#include "src/query/conditions.h"
#include "src/query/index_stream.h"
#include "src/query/plan.h"
#include "src/query/position.h"
#include "src/storage/store.h"
#include "tokendb/query.h"
#include "tokendb/token.h"

namespace tokendb {

// What one call reads from: one snapshot, what is forgotten by then, and which
// indexes are complete in it.
struct ReadView {
  const Store& store;
  const ScopeDictionary& scopes;
  const Snapshot& snapshot;
  Cutoff cutoff;
  std::shared_ptr<const IndexSet> indexes;
};

// A token that an index entry, a record, or both say matches.
struct Hit {
  TokenId id;
  Millis expires_at = 0;
  Millis created_at = 0;

  // The conditions are met. Otherwise the record must be asked.
  bool decided = false;

  // Once the record has been read.
  std::unique_ptr<Token> token;

  Position PositionIn(Order order) const {
    return {order == Order::kExpiry ? expires_at : created_at, id};
  }
};

// How much one call may do.
class Budget {
 public:
  Budget() = default;
  explicit Budget(const Query& query);

  // Counts one entry. False if the budget had been used up before.
  bool Spend() { return !limited_ || SpendLimited(); }

  // Whether it can be used up at all.
  bool IsLimited() const { return limited_; }

 private:
  bool SpendLimited();

  bool limited_ = false;
  uint64_t left_ = std::numeric_limits<uint64_t>::max();
  uint32_t until_clock_ = 1;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

// The entries of a plan's ranges that meet the conditions as far as entries
// can tell.
class HitStream {
 public:
  // `view`, `conditions` and `stats` must outlive the stream.
  HitStream(const ReadView& view, const Conditions& conditions,
            const Plan& plan, const std::optional<Position>& after,
            Budget budget, QueryStats& stats);

  // Goes to the next hit. False at the end, when the budget is used up, and on
  // an error.
  bool Next(Hit& hit);

  // The entry of the last hit.
  std::string_view key() const { return stream_.key(); }
  const Cover& cover() const { return cover_; }

  bool out_of_budget() const { return out_of_budget_; }
  // The last entry examined, for going on after it. Known only if the budget is
  // limited.
  const Position& examined() const { return examined_; }
  const absl::Status& status() const { return status_; }

 private:
  void Stop(absl::Status status);

  const Conditions& conditions_;
  QueryStats& stats_;
  Budget budget_;
  DecidedBy decided_;
  Order order_;
  bool started_ = false;
  bool out_of_budget_ = false;
  IndexStream stream_;
  Cover cover_;
  Position examined_;
  absl::Status status_;
};

enum class Need : uint8_t { kIds, kTokens };

// Reads the records of those of `hits` that are not decided, or of all if
// tokens are needed, in one batch, and removes the hits that turn out not to
// match. DataLoss if a record is damaged, missing, or contradicts its index
// entry: forgotten tokens are no hits, so that each hit has its record.
absl::Status FetchRecords(const ReadView& view, const Conditions& conditions,
                          Need need, std::vector<Hit>& hits, QueryStats& stats);

// Returns the hits of a plan that reads single tokens, unordered.
absl::StatusOr<std::vector<Hit>> ReadPoints(const ReadView& view,
                                            const Conditions& conditions,
                                            const Plan& plan,
                                            QueryStats& stats);

}  // namespace tokendb

#endif  // TOKENDB_SRC_QUERY_HIT_STREAM_H_
