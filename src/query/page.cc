// List() and ListIds().
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/query/continuation.h"
#include "src/query/result_stream.h"
#include "src/query/run.h"

namespace tokendb {
namespace {

struct HitPage {
  std::vector<Hit> hits;
  std::string continuation;
  QueryStats stats;
};

// Where the next page begins; empty if there is nothing more.
absl::StatusOr<std::string> ContinuationAfter(const Query& query,
                                              const std::vector<Hit>& hits,
                                              ResultStream& results) {
  if (hits.size() == query.limit) {
    std::vector<Hit> next;
    RETURN_IF_ERROR(results.ReadUntil(1, Need::kIds, next));
    if (!next.empty()) {
      return EncodeContinuation(query, hits.back().PositionIn(query.order));
    }
  }
  if (!results.out_of_budget()) return std::string();
  return EncodeContinuation(query, results.examined());
}

absl::StatusOr<HitPage> ReadPage(const ReadView& view, Millis now,
                                 const Query& query, Need need) {
  const Stopwatch watch;
  RETURN_IF_ERROR(CheckLimit(query));
  ASSIGN_OR_RETURN(const std::optional<Position> after,
                   ReadContinuation(query));
  ASSIGN_OR_RETURN(const Conditions conditions,
                   Conditions::Compile(query, view.scopes, now, view.cutoff));
  const Plan plan = MakePlan(view.store, *view.indexes, conditions,
                             Purpose::kPage, Estimates::kWhenChoosing);
  HitPage page;
  ResultStream results(view, conditions, plan, after, Budget(query),
                       query.limit + 1, page.stats);
  page.hits.reserve(std::min<size_t>(query.limit, 256));
  RETURN_IF_ERROR(results.ReadUntil(query.limit, need, page.hits));
  ASSIGN_OR_RETURN(page.continuation,
                   ContinuationAfter(query, page.hits, results));
  page.stats.matched = page.hits.size();
  page.stats.elapsed = watch.Elapsed();
  return page;
}

}  // namespace

absl::Status CheckLimit(const Query& query) {
  if (query.limit >= 1 && query.limit <= kMaxPage) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("limit is ", query.limit, "; it must be 1 to ", kMaxPage));
}

absl::StatusOr<Page> ListTokens(const ReadView& view, Millis now,
                                const Query& query) {
  ASSIGN_OR_RETURN(HitPage found, ReadPage(view, now, query, Need::kTokens));
  Page page{.continuation = std::move(found.continuation),
            .stats = found.stats};
  page.tokens.reserve(found.hits.size());
  for (Hit& hit : found.hits) page.tokens.push_back(std::move(*hit.token));
  return page;
}

absl::StatusOr<IdPage> ListTokenIds(const ReadView& view, Millis now,
                                    const Query& query) {
  ASSIGN_OR_RETURN(HitPage found, ReadPage(view, now, query, Need::kIds));
  IdPage page{.continuation = std::move(found.continuation),
              .stats = found.stats};
  page.ids.reserve(found.hits.size());
  for (const Hit& hit : found.hits) page.ids.push_back(hit.id);
  return page;
}

}  // namespace tokendb
