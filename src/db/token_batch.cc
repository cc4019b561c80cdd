#include "src/db/token_batch.h"

#include <string_view>

#include "src/base/status_macros.h"
#include "src/index/counters.h"
#include "src/index/entries.h"

namespace tokendb {

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

absl::Status TokenBatch::Add(const Token& token, const ScopeNumbers& scopes) {
  RETURN_IF_ERROR(PutRecord(token));
  ForEachEntry(token, scopes, *indexes_,
               [&](Family family, std::string_view key,
                   std::string_view value) { batch_.Put(family, key, value); });
  Count(token, scopes, 1);
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
  return absl::OkStatus();
}

absl::Status TokenBatch::Disown(Token token) {
  token.digest.reset();
  ++token.version;
  // No index entry and no counter holds the digest.
  return PutRecord(token);
}

void TokenBatch::Remove(const Token& token) {
  batch_.Delete(Family::kToken, token.id.bytes());
  const ScopeNumbers scopes = scopes_.Known(token.scopes);
  WriteDifference(EntriesOf(token, scopes, *indexes_), {}, batch_);
  Count(token, scopes, -1);
}

absl::Status TokenBatch::Commit(Durability durability) {
  if (batch_.IsEmpty()) return absl::OkStatus();
  return store_.Commit(batch_, durability);
}

}  // namespace tokendb
