// RevokeAll() and DeleteAll().
#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/db/writer.h"
#include "src/index/hot_row.h"
#include "src/query/result_stream.h"

namespace tokendb {
namespace {

// Tokens changed in one batch, whose locks are held together.
constexpr uint64_t kStepTokens = 256;

}  // namespace

absl::StatusOr<std::vector<Token>> Writer::StillMatching(
    absl::Span<const TokenId> ids, const Conditions& conditions) const {
  std::vector<Token> tokens;
  for (const TokenId& id : ids) {
    absl::StatusOr<Token> token = ReadForChange(id);
    if (absl::IsNotFound(token.status())) continue;
    RETURN_IF_ERROR(token.status());
    // What is written back is the record without its last use from elsewhere.
    Token seen = *token;
    std::optional<HotRow> row;
    if (conditions.needs_hot_row()) {
      ASSIGN_OR_RETURN(row, OverlayHotRow(store_, nullptr, seen));
    }
    if (conditions.TestRecord(seen, row.has_value() ? &*row : nullptr)) {
      tokens.push_back(*std::move(token));
    }
  }
  return tokens;
}

absl::StatusOr<uint64_t> Writer::ForAllMatches(const Query& query, Millis now,
                                               uint64_t max_tokens,
                                               Durability durability,
                                               Step step) {
  if (!Conditions::HasAny(query)) {
    return absl::InvalidArgumentError(
        "the query has no condition: it would match every token");
  }
  const IndexedSnapshot taken = TakeIndexedSnapshot(store_, indexes_, now);
  const ReadView view{store_, scopes_, taken.snapshot, retention_.At(now),
                      taken.indexes};
  ASSIGN_OR_RETURN(const Conditions conditions,
                   Conditions::Compile(query, scopes_, now, view.cutoff));
  const Plan plan = MakePlan(store_, *view.indexes, conditions,
                             Purpose::kStream, Estimates::kWhenChoosing);
  QueryStats stats;
  ResultStream matches(view, conditions, plan, std::nullopt, Budget(),
                       query.ids.size() + 1, stats);
  uint64_t changed = 0;
  while (changed < max_tokens) {
    std::vector<Hit> hits;
    RETURN_IF_ERROR(matches.ReadUntil(
        std::min(kStepTokens, max_tokens - changed), Need::kIds, hits));
    if (hits.empty()) break;
    std::vector<TokenId> ids;
    ids.reserve(hits.size());
    for (const Hit& hit : hits) ids.push_back(hit.id);
    std::vector<std::string_view> keys;
    keys.reserve(ids.size());
    for (const TokenId& id : ids) keys.push_back(id.bytes());
    const StripeLock lock(stripes_, keys);
    ASSIGN_OR_RETURN(const std::vector<Token> tokens,
                     StillMatching(ids, conditions));
    TokenBatch batch(store_, scopes_, indexes_.Get(), changes_, now);
    for (const Token& token : tokens) {
      RETURN_IF_ERROR(step(token, batch));
    }
    RETURN_IF_ERROR(batch.Commit(durability));
    changed += tokens.size();
  }
  return changed;
}

absl::StatusOr<uint64_t> Writer::RevokeAll(const Query& query,
                                           const RevokeAllOptions& options) {
  const Millis now = clock_.Now();
  Query unrevoked = query;
  unrevoked.states = {TokenState::kLive, TokenState::kExpired,
                      TokenState::kDisabled, TokenState::kNotYetValid};
  unrevoked.order = Order::kExpiry;
  Token with_reason;
  with_reason.revoked_reason = options.reason;
  RETURN_IF_ERROR(Validate(with_reason));
  return ForAllMatches(unrevoked, now, options.max_tokens, options.durability,
                       [&](const Token& before, TokenBatch& batch) {
                         Token after = before;
                         after.revoked_at = FromMillis(now);
                         after.revoked_reason = options.reason;
                         ++after.version;
                         return batch.Replace(before, after);
                       });
}

absl::StatusOr<uint64_t> Writer::DeleteAll(const Query& query,
                                           const DeleteAllOptions& options) {
  const Millis now = clock_.Now();
  Query any_order = query;
  any_order.order = Order::kExpiry;
  return ForAllMatches(any_order, now, options.max_tokens, options.durability,
                       [&](const Token& token, TokenBatch& batch) {
                         batch.Remove(token);
                         return absl::OkStatus();
                       });
}

}  // namespace tokendb
