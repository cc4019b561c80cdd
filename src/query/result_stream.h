#ifndef TOKENDB_SRC_QUERY_RESULT_STREAM_H_
#define TOKENDB_SRC_QUERY_RESULT_STREAM_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "src/query/hit_stream.h"

namespace tokendb {

// The matches of a plan in the query's order, from a position on.
class ResultStream {
 public:
  // `view`, `conditions`, `plan` and `stats` must outlive the stream. An
  // unordered plan is read to its end at the first Read(), keeping the first
  // `keep` matches; no more than those can be read.
  ResultStream(const ReadView& view, const Conditions& conditions,
               const Plan& plan, const std::optional<Position>& after,
               Budget budget, size_t keep, QueryStats& stats);

  // Appends the next matches to `results` until it has `size` of them; fewer
  // only at the end or when the budget is used up.
  absl::Status ReadUntil(size_t size, Need need, std::vector<Hit>& results);

  bool out_of_budget() const { return hits_.out_of_budget(); }
  // Where to go on after the budget was used up.
  const Position& examined() const { return hits_.examined(); }

 private:
  absl::Status ReadOrdered(size_t size, Need need, std::vector<Hit>& results);
  absl::Status KeepFirst();
  bool ComesBefore(const Hit& a, const Hit& b) const;
  void Keep(std::vector<Hit>& hits, std::vector<Hit>& heap) const;

  const ReadView& view_;
  const Conditions& conditions_;
  const Plan& plan_;
  std::optional<Position> after_;
  size_t keep_;
  QueryStats& stats_;
  HitStream hits_;
  bool kept_first_ = false;
  // Matches that were found but not yet read, in order.
  std::deque<Hit> pending_;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_QUERY_RESULT_STREAM_H_
