#include "src/query/result_stream.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "src/base/status_macros.h"

namespace tokendb {
namespace {

constexpr size_t kMaxFetch = 256;

// Whether the plan has no order of its own that could be used.
bool MustSort(const Plan& plan) {
  return !plan.ordered || plan.chosen.driver == Driver::kIds ||
         plan.chosen.driver == Driver::kDigest;
}

}  // namespace

ResultStream::ResultStream(const ReadView& view, const Conditions& conditions,
                           const Plan& plan,
                           const std::optional<Position>& after, Budget budget,
                           size_t keep, QueryStats& stats)
    : view_(view),
      conditions_(conditions),
      plan_(plan),
      after_(after),
      keep_(keep),
      stats_(stats),
      hits_(view, conditions, plan, after, budget, stats) {}

absl::Status ResultStream::ReadUntil(size_t size, Need need,
                                     std::vector<Hit>& results) {
  if (!MustSort(plan_)) return ReadOrdered(size, need, results);
  if (!kept_first_) {
    kept_first_ = true;
    RETURN_IF_ERROR(KeepFirst());
  }
  std::vector<Hit> hits;
  while (results.size() + hits.size() < size && !pending_.empty()) {
    hits.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
  // These are decided: none is removed.
  RETURN_IF_ERROR(FetchRecords(view_, conditions_, need, hits, stats_));
  std::move(hits.begin(), hits.end(), std::back_inserter(results));
  return absl::OkStatus();
}

// Reads as many hits as are missing; more, up to a full batch, if the record
// has to be asked and has said no to most so far.
absl::Status ResultStream::ReadOrdered(size_t size, Need need,
                                       std::vector<Hit>& results) {
  size_t batch = 0;
  while (results.size() < size) {
    if (!pending_.empty()) {
      results.push_back(std::move(pending_.front()));
      pending_.pop_front();
      continue;
    }
    batch = std::max(2 * batch, size - results.size());
    std::vector<Hit> hits;
    hits.reserve(std::min(batch, kMaxFetch));
    while (hits.size() < std::min(batch, kMaxFetch)) {
      // Most hits are results as they are: they are made in their place.
      Hit& hit = results.emplace_back();
      if (!hits_.Next(hit)) {
        results.pop_back();
        break;
      }
      // What the index has decided need not wait for a fetch.
      if (need == Need::kIds && hit.decided && hits.empty()) {
        if (results.size() == size) return absl::OkStatus();
      } else {
        hits.push_back(std::move(hit));
        results.pop_back();
      }
    }
    RETURN_IF_ERROR(hits_.status());
    if (hits.empty()) break;
    RETURN_IF_ERROR(FetchRecords(view_, conditions_, need, hits, stats_));
    for (Hit& match : hits) {
      if (results.size() < size) {
        results.push_back(std::move(match));
      } else {
        pending_.push_back(std::move(match));
      }
    }
  }
  return absl::OkStatus();
}

bool ResultStream::ComesBefore(const Hit& a, const Hit& b) const {
  const Order order = conditions_.query().order;
  const Position pa = a.PositionIn(order);
  const Position pb = b.PositionIn(order);
  return conditions_.query().direction == Direction::kAscending ? pa < pb
                                                                : pb < pa;
}

// Moves those of `hits` that are among the first `keep_` into `heap`, whose
// top is the last of them.
void ResultStream::Keep(std::vector<Hit>& hits, std::vector<Hit>& heap) const {
  const auto comes_before = [this](const Hit& a, const Hit& b) {
    return ComesBefore(a, b);
  };
  for (Hit& hit : hits) {
    if (after_.has_value()) {
      Hit bound{.id = after_->id,
                .expires_at = after_->time,
                .created_at = after_->time};
      if (!ComesBefore(bound, hit)) continue;
    }
    if (heap.size() == keep_) {
      if (!ComesBefore(hit, heap.front())) continue;
      std::pop_heap(heap.begin(), heap.end(), comes_before);
      heap.pop_back();
    }
    heap.push_back(std::move(hit));
    std::push_heap(heap.begin(), heap.end(), comes_before);
  }
  hits.clear();
}

absl::Status ResultStream::KeepFirst() {
  std::vector<Hit> heap;
  std::vector<Hit> hits;
  if (plan_.chosen.driver == Driver::kIds ||
      plan_.chosen.driver == Driver::kDigest) {
    ASSIGN_OR_RETURN(hits, ReadPoints(view_, conditions_, plan_, stats_));
    Keep(hits, heap);
  } else {
    Hit hit;
    for (bool more = true; more;) {
      more = hits_.Next(hit);
      if (more) hits.push_back(std::move(hit));
      if (hits.size() < kMaxFetch && more) continue;
      RETURN_IF_ERROR(
          FetchRecords(view_, conditions_, Need::kIds, hits, stats_));
      Keep(hits, heap);
    }
    RETURN_IF_ERROR(hits_.status());
  }
  std::sort_heap(heap.begin(), heap.end(), [this](const Hit& a, const Hit& b) {
    return ComesBefore(a, b);
  });
  pending_.assign(std::make_move_iterator(heap.begin()),
                  std::make_move_iterator(heap.end()));
  return absl::OkStatus();
}

}  // namespace tokendb
