#include "src/db/token_batch.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/status_macros.h"
#include "src/index/change_row.h"
#include "src/index/counters.h"
#include "src/index/entries.h"
#include "src/index/hot_row.h"

namespace tokendb {
namespace {

// Whether a change revokes the token, or revokes it earlier.
bool IsRevokedBy(const Token& before, const Token& after) {
  return after.revoked_at.has_value() &&
         (!before.revoked_at.has_value() ||
          *after.revoked_at < *before.revoked_at);
}

}  // namespace

absl::Status TokenBatch::PutRecord(const Token& token) {
  ASSIGN_OR_RETURN(const std::string_view record, encoder_.Encode(token));
  batch_.Put(Family::kToken, token.id.bytes(), record);
  return absl::OkStatus();
}

void TokenBatch::Count(const Token& token, const ScopeNumbers& scopes,
                       int64_t delta) {
  ForEachCounter(token, scopes, now_,
                 [&](std::string_view key) { batch_.Add(key, delta); });
}

void TokenBatch::Record(TokenChange::Kind kind, const Token& token) {
  if (!log_.is_on()) return;
  changes_.push_back({.kind = kind, .id = token.id, .version = token.version});
  if (kind == TokenChange::Kind::kRevoked) {
    changes_.back().revoked_at = token.revoked_at;
  }
}

absl::Status TokenBatch::Add(const Token& token, const ScopeNumbers& scopes) {
  RETURN_IF_ERROR(PutRecord(token));
  ForEachEntry(token, scopes, *indexes_,
               [&](Family family, std::string_view key,
                   std::string_view value) { batch_.Put(family, key, value); });
  Count(token, scopes, 1);
  Record(TokenChange::Kind::kIssued, token);
  return absl::OkStatus();
}

absl::Status TokenBatch::Replace(const Token& before, const Token& after) {
  ASSIGN_OR_RETURN(const ScopeNumbers scopes_before,
                   scopes_.NumbersOf(before.scopes));
  ASSIGN_OR_RETURN(const ScopeNumbers scopes_after,
                   scopes_.NumbersOf(after.scopes));
  RETURN_IF_ERROR(PutRecord(after));
  WriteDifference(EntriesOf(before, scopes_before, *indexes_),
                  EntriesOf(after, scopes_after, *indexes_), batch_);
  Count(before, scopes_before, -1);
  Count(after, scopes_after, 1);
  Record(IsRevokedBy(before, after) ? TokenChange::Kind::kRevoked
                                    : TokenChange::Kind::kUpdated,
         after);
  return ReplaceHotRow(before, after);
}

// A row that cannot be read must not keep a token from being revoked: it stays
// as it is, for whoever reads the last use.
absl::Status TokenBatch::ReplaceHotRow(const Token& before,
                                       const Token& after) {
  const HotRow bare = HotRow::Of(after);
  if (bare == HotRow::Of(before) || !store_.MayHold(Family::kHot)) {
    return absl::OkStatus();
  }
  PinnedValue value;
  ASSIGN_OR_RETURN(const bool found,
                   store_.Get(nullptr, Family::kHot, after.id.bytes(), value));
  if (!found) return absl::OkStatus();
  absl::StatusOr<HotRow> row = ParseHotRow(after.id, value.view());
  if (!row.ok() || !row->IsOf(before)) return absl::OkStatus();
  row->expires_at = bare.expires_at;
  row->revoked = bare.revoked;
  std::string bytes;
  AppendHotRow(bytes, after.id, *row);
  batch_.Put(Family::kHot, after.id.bytes(), bytes);
  return absl::OkStatus();
}

absl::Status TokenBatch::Disown(Token token) {
  token.digest.reset();
  ++token.version;
  Record(TokenChange::Kind::kUpdated, token);
  // No index entry and no counter holds the digest.
  return PutRecord(token);
}

void TokenBatch::Remove(const Token& token) {
  batch_.Delete(Family::kToken, token.id.bytes());
  const ScopeNumbers scopes = scopes_.Known(token.scopes);
  WriteDifference(EntriesOf(token, scopes, *indexes_), {}, batch_);
  Count(token, scopes, -1);
  if (store_.MayHold(Family::kHot)) {
    batch_.Delete(Family::kHot, token.id.bytes());
  }
  Record(TokenChange::Kind::kDeleted, token);
}

absl::Status TokenBatch::Commit(Durability durability) {
  if (batch_.IsEmpty()) return absl::OkStatus();
  if (changes_.empty()) return store_.Commit(batch_, durability);
  ASSIGN_OR_RETURN(ChangeLog::Numbers numbers, log_.Take(changes_.size()));
  uint64_t number = numbers.first();
  for (TokenChange& change : changes_) {
    change.at = numbers.at();
    batch_.Put(Family::kChange, ChangeKey(number), ChangeRow(number, change));
    ++number;
  }
  RETURN_IF_ERROR(store_.Commit(batch_, durability));
  numbers.Committed();
  return absl::OkStatus();
}

}  // namespace tokendb
