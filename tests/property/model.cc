#include "tests/property/model.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

namespace tokendb::testing {
namespace {

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

bool InRange(const TimeRange& range, absl::Time time) {
  return (!range.from || *range.from <= time) &&
         (!range.before || time < *range.before);
}

bool IsSet(const TimeRange& range) { return range.from || range.before; }

template <typename Values, typename Value>
bool Has(const Values& values, const Value& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

absl::Time Down(absl::Time time) {
  return absl::UnixEpoch() +
         absl::Floor(time - absl::UnixEpoch(), absl::Milliseconds(1));
}

absl::Time Up(absl::Time time) {
  return absl::UnixEpoch() +
         absl::Ceil(time - absl::UnixEpoch(), absl::Milliseconds(1));
}

// What the database makes of scopes and times.
void Tidy(Token& token) {
  const std::set<std::string> scopes(token.scopes.begin(), token.scopes.end());
  token.scopes.assign(scopes.begin(), scopes.end());
  token.created_at = Down(token.created_at);
  if (token.expires_at) token.expires_at = Down(*token.expires_at);
  if (token.last_accessed_at) {
    token.last_accessed_at = Down(*token.last_accessed_at);
  }
  if (token.revoked_at) token.revoked_at = Down(*token.revoked_at);
  if (token.not_before) token.not_before = Up(*token.not_before);
}

// A field that has no value is left at its default.
template <typename T, typename Field>
void Set(const Change<T>& change, Field& field, Field cleared = Field()) {
  if (change.IsClear()) field = cleared;
  if (change.value()) field = *change.value();
}

void SetAll(const TokenPatch& patch, Token& token) {
  Set(patch.node_id, token.node_id);
  Set(patch.digest, token.digest);
  Set(patch.owner, token.owner);
  Set(patch.description, token.description);
  Set(patch.scopes, token.scopes);
  Set(patch.expires_at, token.expires_at);
  Set(patch.last_accessed_at, token.last_accessed_at);
  Set(patch.ip_address, token.ip_address);
  Set(patch.organization, token.organization);
  Set(patch.kind, token.kind);
  Set(patch.name, token.name);
  Set(patch.not_before, token.not_before);
  Set(patch.revoked_at, token.revoked_at);
  Set(patch.revoked_reason, token.revoked_reason);
  Set(patch.enabled, token.enabled, true);
  Set(patch.family_id, token.family_id);
  Set(patch.parent_id, token.parent_id);
  Set(patch.created_by, token.created_by);
  Set(patch.allowed_cidrs, token.allowed_cidrs);
  Set(patch.pepper_version, token.pepper_version);
  Set(patch.metadata, token.metadata);
}

bool Holds(const Precondition& precondition, const Token& token) {
  if (precondition.if_version && *precondition.if_version != token.version) {
    return false;
  }
  return !precondition.if_owner ||
         (token.owner && token.owner->id == *precondition.if_owner);
}

// A token's place in the order of a query.
std::pair<absl::Time, TokenId> PlaceOf(const Query& query, const Token& token) {
  return {query.order == Order::kCreation
              ? token.created_at
              : token.expires_at.value_or(absl::InfiniteFuture()),
          token.id};
}

bool ScopesMatch(const ScopeCondition& wanted, const Token& token) {
  const auto& held = token.scopes;
  const std::set<std::string> all(wanted.all_of.begin(), wanted.all_of.end());
  for (const std::string& scope : all) {
    if (!Has(held, scope)) return false;
  }
  for (const std::string& scope : wanted.none_of) {
    if (Has(held, scope)) return false;
  }
  if (wanted.exact && held.size() != all.size()) return false;
  if (wanted.any_of.empty()) return true;
  for (const std::string& scope : wanted.any_of) {
    if (Has(held, scope)) return true;
  }
  return false;
}

}  // namespace

void Model::SetClock(absl::Time time) {
  now_ = std::max(now_, Down(time));
  Forget();
}

void Model::SetRetention(absl::Duration expired, absl::Duration revoked) {
  if (expired != retain_expired_ || revoked != retain_revoked_) {
    // What has been forgotten so far stays forgotten.
    kept_expired_ = std::max(kept_expired_, now_ - retain_expired_);
    kept_revoked_ = std::max(kept_revoked_, now_ - retain_revoked_);
  }
  retain_expired_ = expired;
  retain_revoked_ = revoked;
  Forget();
}

bool Model::IsForgotten(const Token& token) const {
  return token.expires_at &&
         *token.expires_at <=
             (token.revoked_at
                  ? std::max(kept_revoked_, now_ - retain_revoked_)
                  : std::max(kept_expired_, now_ - retain_expired_));
}

void Model::Forget() {
  std::erase_if(tokens_,
                [&](const auto& entry) { return IsForgotten(entry.second); });
}

void Model::Record(TokenChange::Kind kind, const Token& token) {
  TokenChange change = {
      .kind = kind, .id = token.id, .version = token.version, .at = now_};
  if (kind == TokenChange::Kind::kRevoked) {
    change.revoked_at = token.revoked_at;
  }
  changes_.push_back(change);
}

TokenState Model::StateOf(const Token& token) const {
  if (token.revoked_at && *token.revoked_at <= now_) {
    return TokenState::kRevoked;
  }
  if (!token.enabled) return TokenState::kDisabled;
  if (token.expires_at && *token.expires_at <= now_) {
    return TokenState::kExpired;
  }
  if (token.not_before && now_ < *token.not_before) {
    return TokenState::kNotYetValid;
  }
  return TokenState::kLive;
}

bool Model::Matches(const Query& query, const Token& token) const {
  if (!query.ids.empty() && !Has(query.ids, token.id)) return false;
  if (query.digest && token.digest != query.digest) return false;
  if (!query.owners.empty() &&
      (!token.owner || !Has(query.owners, token.owner->id))) {
    return false;
  }
  if (query.without_owner && token.owner) return false;
  if (!ScopesMatch(query.scopes, token)) return false;
  if (IsSet(query.expires) &&
      (!token.expires_at || !InRange(query.expires, *token.expires_at))) {
    return false;
  }
  if (query.lifetime == Lifetime::kExpiring && !token.expires_at) return false;
  if (query.lifetime == Lifetime::kNeverExpiring && token.expires_at) {
    return false;
  }
  if (!InRange(query.created, token.created_at)) return false;
  if (IsSet(query.last_accessed) &&
      (!token.last_accessed_at ||
       !InRange(query.last_accessed, *token.last_accessed_at))) {
    return false;
  }
  if (query.unused_since && !IsUnusedSince(token, *query.unused_since)) {
    return false;
  }
  if (query.expires_within &&
      (!token.expires_at || *token.expires_at < now_ ||
       *token.expires_at >= now_ + *query.expires_within)) {
    return false;
  }
  if (query.not_notified_within &&
      IsMarked(token, *query.not_notified_within)) {
    return false;
  }
  if (!query.states.Contains(StateOf(token))) return false;
  if (Lower(token.description).find(Lower(query.text)) == std::string::npos) {
    return false;
  }
  if (!query.organization.empty() && query.organization != token.organization) {
    return false;
  }
  if (!query.kind.empty() && query.kind != token.kind) return false;
  if (!query.ip_address.empty() && query.ip_address != token.ip_address) {
    return false;
  }
  return !query.residual || query.residual(token);
}

bool Model::IsUnusedSince(const Token& token, absl::Time time) const {
  return token.created_at < time &&
         (!token.last_accessed_at || *token.last_accessed_at < time);
}

bool Model::IsMarked(const Token& token, absl::Duration within) const {
  const auto it = beside_.find(token.id);
  return it != beside_.end() && token.expires_at &&
         it->second.marked_expiry == *token.expires_at &&
         it->second.marked_window <= within;
}

void Model::Put(const Token& token) {
  Beside& beside = beside_[token.id];
  beside.of_record = {token.last_accessed_at, token.ip_address};
  Token& seen = tokens_[token.id];
  seen = token;
  const Use& touched = beside.touched;
  if (touched.at &&
      (!seen.last_accessed_at || *seen.last_accessed_at < *touched.at)) {
    seen.last_accessed_at = touched.at;
    seen.ip_address = touched.ip_address;
  }
}

void Model::Touch(const TokenId& id, absl::Time at,
                  const std::string& ip_address) {
  Use& use = noted_[id];
  if (!use.at || *use.at <= Down(at)) use = {Down(at), ip_address};
}

void Model::FlushTouches() {
  for (const auto& [id, use] : noted_) {
    const auto it = tokens_.find(id);
    if (it == tokens_.end() || StateOf(it->second) != TokenState::kLive) {
      continue;
    }
    Token& token = it->second;
    const absl::Time at = std::min(*use.at, now_);
    if (token.last_accessed_at && at <= *token.last_accessed_at) continue;
    beside_[id].touched = {at, use.ip_address};
    token.last_accessed_at = at;
    token.ip_address = use.ip_address;
  }
  noted_.clear();
}

void Model::FlushTouchesFor(const Query& query) {
  if (query.unused_since || IsSet(query.last_accessed)) FlushTouches();
}

uint64_t Model::MarkNotified(const std::vector<TokenId>& ids,
                             absl::Duration within) {
  uint64_t marked = 0;
  for (const TokenId& id : ids) {
    const Token* const token = Find(id);
    if (token == nullptr || !token->expires_at || IsMarked(*token, within)) {
      continue;
    }
    beside_[id].marked_expiry = *token->expires_at;
    beside_[id].marked_window = within;
    ++marked;
  }
  return marked;
}

bool Model::MayHaveForgotten(absl::Time from, absl::Time before) const {
  const absl::Time forgotten =
      std::max({kept_expired_, now_ - retain_expired_, kept_revoked_,
                now_ - retain_revoked_});
  return Up(from) <= forgotten &&
         Up(from) < std::min(Up(before), now_ + absl::Milliseconds(1)) &&
         forgotten != absl::InfinitePast();
}

absl::Time Model::CompleteUntil(absl::Time from, absl::Time before) const {
  return std::max(from, std::min(Up(before), now_ + absl::Milliseconds(1)));
}

std::vector<Token> Model::Select(const Query& query) const {
  std::vector<Token> matches;
  for (const auto& [id, token] : tokens_) {
    if (Matches(query, token)) matches.push_back(token);
  }
  std::sort(matches.begin(), matches.end(),
            [&](const Token& a, const Token& b) {
              return PlaceOf(query, a) < PlaceOf(query, b);
            });
  if (query.direction == Direction::kDescending) {
    std::reverse(matches.begin(), matches.end());
  }
  return matches;
}

std::vector<Token> Model::SelectAfter(const Query& query,
                                      const Token& last) const {
  std::vector<Token> matches = Select(query);
  std::erase_if(matches, [&](const Token& token) {
    return query.direction == Direction::kAscending
               ? PlaceOf(query, token) <= PlaceOf(query, last)
               : PlaceOf(query, token) >= PlaceOf(query, last);
  });
  return matches;
}

std::map<std::optional<std::string>, uint64_t> Model::Group(
    const Query& query, Grouping grouping) const {
  std::map<std::optional<std::string>, uint64_t> groups;
  for (const Token& token : Select(query)) {
    switch (grouping) {
      case Grouping::kOwner:
        ++groups[token.owner ? std::optional(token.owner->id) : std::nullopt];
        break;
      case Grouping::kScope:
        if (token.scopes.empty()) ++groups[std::nullopt];
        for (const std::string& scope : token.scopes) ++groups[scope];
        break;
      case Grouping::kState:
        ++groups[std::string(TokenStateName(StateOf(token)))];
        break;
      case Grouping::kExpiryHour:
      case Grouping::kExpiryDay:
        ++groups[token.expires_at
                     ? absl::FormatTime(grouping == Grouping::kExpiryHour
                                            ? "%E4Y-%m-%dT%H"
                                            : "%E4Y-%m-%d",
                                        *token.expires_at, absl::UTCTimeZone())
                     : "never"];
        break;
    }
  }
  return groups;
}

const Token* Model::Find(const TokenId& id) const {
  const auto it = tokens_.find(id);
  return it == tokens_.end() ? nullptr : &it->second;
}

const Token* Model::FindDigest(const Digest& digest) const {
  for (const auto& [id, token] : tokens_) {
    if (token.digest == digest) return &token;
  }
  return nullptr;
}

bool Model::DigestIsFree(const Digest& digest, const TokenId& except) const {
  const Token* const holder = FindDigest(digest);
  return holder == nullptr || holder->id == except ||
         (holder->expires_at && *holder->expires_at <= now_);
}

void Model::TakeDigest(const Token& token) {
  if (!token.digest) return;
  for (auto& [id, other] : tokens_) {
    if (id == token.id || other.digest != token.digest) continue;
    other.digest.reset();
    ++other.version;
    Record(TokenChange::Kind::kUpdated, other);
  }
}

absl::StatusCode Model::IssueCode(const std::vector<Token>& tokens) const {
  std::set<TokenId> ids;
  std::set<std::string> digests;
  for (Token token : tokens) {
    Tidy(token);
    if (IsForgotten(token)) return absl::StatusCode::kOutOfRange;
    if ((!token.id.IsNil() && !ids.insert(token.id).second) ||
        (token.digest && !digests.insert(token.digest->ToString()).second)) {
      return absl::StatusCode::kAlreadyExists;
    }
  }
  for (const Token& token : tokens) {
    if ((!token.id.IsNil() && Find(token.id) != nullptr) ||
        (token.digest && !DigestIsFree(*token.digest, token.id))) {
      return absl::StatusCode::kAlreadyExists;
    }
  }
  return absl::StatusCode::kOk;
}

void Model::Issue(std::vector<Token> tokens, const std::vector<TokenId>& ids) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    Token& token = tokens[i];
    token.id = ids[i];
    token.version = 1;
    if (token.created_at == absl::InfinitePast()) token.created_at = now_;
    Tidy(token);
    TakeDigest(token);
    // Whatever an earlier token of this id was used for is gone with it.
    beside_.erase(token.id);
    Put(token);
    Record(TokenChange::Kind::kIssued, token);
  }
}

absl::StatusCode Model::Update(const TokenId& id, const TokenPatch& patch,
                               const Precondition& precondition) {
  const Token* const before = Find(id);
  if (before == nullptr) return absl::StatusCode::kNotFound;
  if (!Holds(precondition, *before)) {
    return absl::StatusCode::kFailedPrecondition;
  }
  // Patches are of the record.
  Token record = *before;
  record.last_accessed_at = beside_[id].of_record.at;
  record.ip_address = beside_[id].of_record.ip_address;
  Token after = record;
  SetAll(patch, after);
  Tidy(after);
  if (after == record) return absl::StatusCode::kOk;
  if (after.digest && !DigestIsFree(*after.digest, id)) {
    return absl::StatusCode::kAlreadyExists;
  }
  ++after.version;
  TakeDigest(after);
  const bool revoked =
      after.revoked_at &&
      *after.revoked_at < before->revoked_at.value_or(absl::InfiniteFuture());
  Put(after);
  Record(revoked ? TokenChange::Kind::kRevoked : TokenChange::Kind::kUpdated,
         after);
  Forget();
  return absl::StatusCode::kOk;
}

absl::StatusCode Model::Revoke(const TokenId& id,
                               const RevokeOptions& options) {
  const auto it = tokens_.find(id);
  if (it == tokens_.end()) return absl::StatusCode::kNotFound;
  Token& token = it->second;
  if (!Holds(options.precondition, token)) {
    return absl::StatusCode::kFailedPrecondition;
  }
  const absl::Time at = Down(options.at.value_or(now_));
  if (token.revoked_at && *token.revoked_at <= at) return absl::StatusCode::kOk;
  token.revoked_at = at;
  token.revoked_reason = options.reason;
  ++token.version;
  Record(TokenChange::Kind::kRevoked, token);
  Forget();
  return absl::StatusCode::kOk;
}

absl::StatusCode Model::Delete(const TokenId& id,
                               const Precondition& precondition) {
  const auto it = tokens_.find(id);
  if (it == tokens_.end()) return absl::StatusCode::kNotFound;
  if (!Holds(precondition, it->second)) {
    return absl::StatusCode::kFailedPrecondition;
  }
  Record(TokenChange::Kind::kDeleted, it->second);
  tokens_.erase(it);
  return absl::StatusCode::kOk;
}

uint64_t Model::RevokeAll(const Query& query, const std::string& reason) {
  FlushTouchesFor(query);
  Query any_state = query;
  any_state.states = StateSet::All();
  uint64_t revoked = 0;
  for (const Token& match : Select(any_state)) {
    if (StateOf(match) == TokenState::kRevoked) continue;
    Token& token = tokens_[match.id];
    token.revoked_at = now_;
    token.revoked_reason = reason;
    ++token.version;
    Record(TokenChange::Kind::kRevoked, token);
    ++revoked;
  }
  Forget();
  return revoked;
}

uint64_t Model::DeleteAll(const Query& query) {
  FlushTouchesFor(query);
  const std::vector<Token> matches = Select(query);
  for (const Token& match : matches) {
    Record(TokenChange::Kind::kDeleted, match);
    tokens_.erase(match.id);
  }
  return matches.size();
}

}  // namespace tokendb::testing
