// Database::Authenticate() and what belongs to it.
#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/db/database_impl.h"
#include "src/index/digest_row.h"
#include "src/index/scope_sets.h"
#include "tokendb/db.h"

namespace tokendb {
namespace {

// Digests whose memory is fetched at once: enough to keep a core's misses in
// flight, and few enough to be still there when they are looked at.
constexpr size_t kDigestsPerStep = 32;

// Says in `result`, which is as it was made, what a token is `now`. False if it
// is forgotten, and nothing is said.
template <typename Result>
bool Answer(const Validity& validity, const TokenId& id, Millis now,
            const Retention& retention, Result& result) {
  const TokenState state = StateAt(validity, now);
  // What is forgotten is never live.
  if (state != TokenState::kLive && IsForgotten(validity, retention.At(now))) {
    return false;
  }
  result.state = state;
  result.id = id;
  if (validity.expires_at != kNever) {
    result.expires_at = FromMillis(validity.expires_at);
  }
  return true;
}

void AnswerFromIndex(const VerifyIndex& index, const VerifyEntry& entry,
                     Millis now, const Retention& retention,
                     Authentication& result) {
  if (Answer(ValidityOf(entry), entry.id, now, retention, result)) {
    result.scopes = index.ScopesOf(entry);
  }
}

}  // namespace

uint64_t Database::Impl::TicketOf(const Digest& digest) const {
  return verify == nullptr ? 0 : verify->Ticket(verify->KeyOf(digest));
}

absl::Status Database::Impl::AnswerFromRow(const Digest& digest,
                                           std::string_view value,
                                           uint64_t ticket, Millis now,
                                           Authentication& result) {
  ASSIGN_OR_RETURN(const DigestRow row, ParseDigestRow(digest, value));
  if (verify != nullptr) verify->Offer(verify->KeyOf(digest), ticket, row);
  if (Answer(row.validity, row.id, now, retention, result)) {
    result.scopes = ScopeSets::MakeSet(row.scopes);
  }
  return absl::OkStatus();
}

absl::StatusOr<Authentication> Database::Impl::AuthenticateFromStore(
    const Digest& digest, Millis now) {
  Authentication result;
  const uint64_t ticket = TicketOf(digest);
  PinnedValue value;
  ASSIGN_OR_RETURN(const bool found,
                   store->Get(nullptr, Family::kDigest, digest.bytes(), value));
  if (found) {
    RETURN_IF_ERROR(AnswerFromRow(digest, value.view(), ticket, now, result));
  }
  return result;
}

absl::StatusOr<Authentication> Database::Authenticate(
    const Digest& digest) const {
  const VerifyIndex* const index = impl_->verify.get();
  if (index == nullptr) {
    return impl_->AuthenticateFromStore(digest, impl_->clock.Now());
  }
  const VerifyIndex::Key key = index->KeyOf(digest);
  // On its way while the clock is asked.
  index->PrefetchHeader(key);
  const Millis now = impl_->clock.Now();
  VerifyEntry entry;
  Authentication result;
  switch (index->Find(key, entry)) {
    case VerifyIndex::Found::kEntry:
      AnswerFromIndex(*index, entry, now, impl_->retention, result);
      return result;
    case VerifyIndex::Found::kUnknown:
      return result;
    case VerifyIndex::Found::kAskStore:
      break;
  }
  return impl_->AuthenticateFromStore(digest, now);
}

absl::Status Database::AuthenticateMany(
    absl::Span<const Digest> digests,
    absl::Span<Authentication> results) const {
  if (digests.size() != results.size()) {
    return absl::InvalidArgumentError(absl::StrCat("there are ", digests.size(),
                                                   " digests and ",
                                                   results.size(), " results"));
  }
  const Millis now = impl_->clock.Now();
  const VerifyIndex* const index = impl_->verify.get();
  std::vector<size_t> rest;  // What the index does not know.
  if (index == nullptr) {
    for (size_t i = 0; i < digests.size(); ++i) rest.push_back(i);
  }
  for (size_t begin = 0; index != nullptr && begin < digests.size();
       begin += kDigestsPerStep) {
    const size_t count = std::min(kDigestsPerStep, digests.size() - begin);
    std::array<VerifyIndex::Key, kDigestsPerStep> keys;
    for (size_t i = 0; i < count; ++i) {
      keys[i] = index->KeyOf(digests[begin + i]);
      index->PrefetchHeader(keys[i]);
    }
    for (size_t i = 0; i < count; ++i) index->PrefetchSlot(keys[i]);
    for (size_t i = 0; i < count; ++i) {
      VerifyEntry entry;
      Authentication& result = results[begin + i];
      result = Authentication();
      const VerifyIndex::Found found = index->Find(keys[i], entry);
      if (found == VerifyIndex::Found::kEntry) {
        AnswerFromIndex(*index, entry, now, impl_->retention, result);
      } else if (found == VerifyIndex::Found::kAskStore) {
        rest.push_back(begin + i);
      }
    }
  }
  return impl_->AuthenticateRest(digests, rest, now, results);
}

absl::Status Database::Impl::AuthenticateRest(
    absl::Span<const Digest> digests, absl::Span<const size_t> rest, Millis now,
    absl::Span<Authentication> results) {
  if (rest.empty()) return absl::OkStatus();
  std::vector<std::string_view> rows;
  std::vector<uint64_t> tickets;
  for (const size_t i : rest) {
    rows.push_back(digests[i].bytes());
    tickets.push_back(TicketOf(digests[i]));
  }
  ValueBatch values;
  store->GetMany(nullptr, Family::kDigest, rows, values);
  for (size_t n = 0; n < rest.size(); ++n) {
    Authentication& result = results[rest[n]];
    result = Authentication();
    ASSIGN_OR_RETURN(const auto value, values.Value(n));
    if (!value.has_value()) continue;
    RETURN_IF_ERROR(
        AnswerFromRow(digests[rest[n]], *value, tickets[n], now, result));
  }
  return absl::OkStatus();
}

bool Database::Grants(const ScopeSet& scopes, std::string_view scope) const {
  const std::optional<uint32_t> number = impl_->scopes->NumberOf(scope);
  return number.has_value() && ScopeSets::Contains(scopes, *number);
}

absl::StatusOr<std::vector<std::string>> Database::ScopeNames(
    const ScopeSet& scopes) const {
  std::vector<std::string> names;
  RETURN_IF_ERROR(impl_->scopes->NamesOf(ScopeSets::NumbersOf(scopes), names));
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<Introspection> Database::Introspect(const Digest& digest) const {
  Introspection result;
  if (impl_->verify != nullptr) {
    VerifyEntry entry;
    if (impl_->verify->Find(impl_->verify->KeyOf(digest), entry) ==
        VerifyIndex::Found::kUnknown) {
      return result;
    }
  }
  PinnedValue value;
  ASSIGN_OR_RETURN(const bool found, impl_->store->Get(nullptr, Family::kDigest,
                                                       digest.bytes(), value));
  if (!found) return result;
  ASSIGN_OR_RETURN(const DigestRow row, ParseDigestRow(digest, value.view()));
  if (!Answer(row.validity, row.id, impl_->clock.Now(), impl_->retention,
              result)) {
    return result;
  }
  if (row.owner_id.has_value()) result.owner_id = std::string(*row.owner_id);
  RETURN_IF_ERROR(impl_->scopes->NamesOf(row.scopes, result.scopes));
  std::sort(result.scopes.begin(), result.scopes.end());
  return result;
}

absl::Status Database::AwaitVerifyIndex(absl::Duration timeout) const {
  return impl_->verify == nullptr ? absl::OkStatus()
                                  : impl_->verify->Await(timeout);
}

}  // namespace tokendb
