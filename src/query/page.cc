// List() and ListIds().
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "src/base/status_macros.h"
#include "src/query/continuation.h"
#include "src/query/result_stream.h"
#include "src/query/run.h"

namespace tokendb {
namespace {

// Hits in memory at a time: a page of ids may be long.
constexpr size_t kChunk = 256;

struct PageEnd {
  std::string continuation;
  QueryStats stats;
};

// Where the next page begins after `last`, the last hit of a full page; empty
// if there is nothing more.
absl::StatusOr<std::string> ContinuationAfter(
    const Query& query, const std::optional<Position>& last,
    ResultStream& results) {
  if (last.has_value()) {
    std::vector<Hit> next;
    RETURN_IF_ERROR(results.ReadUntil(1, Need::kIds, next));
    if (!next.empty()) return EncodeContinuation(query, *last);
  }
  if (!results.out_of_budget()) return std::string();
  return EncodeContinuation(query, results.examined());
}

// Calls `take` with the hits of the page, some at a time.
absl::StatusOr<PageEnd> ReadPage(
    const ReadView& view, Millis now, const Query& query, Need need,
    absl::FunctionRef<void(absl::Span<Hit>)> take) {
  const Stopwatch watch;
  RETURN_IF_ERROR(CheckLimit(query));
  ASSIGN_OR_RETURN(const std::optional<Position> after,
                   ReadContinuation(query));
  ASSIGN_OR_RETURN(const Conditions conditions,
                   Conditions::Compile(query, view.scopes, now, view.cutoff));
  const Plan plan = MakePlan(view.store, *view.indexes, conditions,
                             Purpose::kPage, Estimates::kWhenChoosing);
  PageEnd end;
  ResultStream results(view, conditions, plan, after, Budget(query),
                       query.limit + 1, end.stats);
  std::vector<Hit> hits;
  hits.reserve(std::min(query.limit, kChunk));
  std::optional<Position> last;
  while (end.stats.matched < query.limit) {
    hits.clear();
    const size_t wanted = std::min(query.limit - end.stats.matched, kChunk);
    RETURN_IF_ERROR(results.ReadUntil(wanted, need, hits));
    end.stats.matched += hits.size();
    if (end.stats.matched == query.limit) {
      last = hits.back().PositionIn(query.order);
    }
    take(absl::MakeSpan(hits));
    if (hits.size() < wanted) break;
  }
  ASSIGN_OR_RETURN(end.continuation, ContinuationAfter(query, last, results));
  end.stats.elapsed = watch.Elapsed();
  return end;
}

}  // namespace

absl::Status CheckLimit(const Query& query) {
  if (query.limit >= 1 && query.limit <= kMaxPage) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("limit is ", query.limit, "; it must be 1 to ", kMaxPage));
}

absl::StatusOr<Page> ListTokens(const ReadView& view, Millis now,
                                const Query& query) {
  Page page;
  page.tokens.reserve(std::min(query.limit, kChunk));
  const auto take = [&](absl::Span<Hit> hits) {
    for (Hit& hit : hits) page.tokens.push_back(std::move(*hit.token));
  };
  ASSIGN_OR_RETURN(PageEnd end,
                   ReadPage(view, now, query, Need::kTokens, take));
  page.continuation = std::move(end.continuation);
  page.stats = end.stats;
  return page;
}

absl::StatusOr<IdPage> ListTokenIds(const ReadView& view, Millis now,
                                    const Query& query) {
  IdPage page;
  page.ids.reserve(std::min(query.limit, kMaxPage));
  const auto take = [&](absl::Span<const Hit> hits) {
    for (const Hit& hit : hits) page.ids.push_back(hit.id);
  };
  ASSIGN_OR_RETURN(PageEnd end, ReadPage(view, now, query, Need::kIds, take));
  page.continuation = std::move(end.continuation);
  page.stats = end.stats;
  return page;
}

}  // namespace tokendb
