#include "tests/property/model.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <tuple>
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

// What the database makes of scopes.
void SortScopes(Token& token) {
  const std::set<std::string> scopes(token.scopes.begin(), token.scopes.end());
  token.scopes.assign(scopes.begin(), scopes.end());
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
  if (!query.states.Contains(StateOf(token))) return false;
  if (Lower(token.description).find(Lower(query.text)) == std::string::npos) {
    return false;
  }
  if (!query.organization.empty() &&
      query.organization != token.organization) {
    return false;
  }
  if (!query.kind.empty() && query.kind != token.kind) return false;
  if (!query.ip_address.empty() && query.ip_address != token.ip_address) {
    return false;
  }
  return !query.residual || query.residual(token);
}

std::vector<Token> Model::Select(const Query& query) const {
  std::vector<Token> matches;
  for (const auto& [id, token] : tokens_) {
    if (Matches(query, token)) matches.push_back(token);
  }
  const auto place = [&](const Token& token) {
    const absl::Time time =
        query.order == Order::kCreation
            ? token.created_at
            : token.expires_at.value_or(absl::InfiniteFuture());
    return std::make_tuple(time, token.id);
  };
  std::sort(matches.begin(), matches.end(),
            [&](const Token& a, const Token& b) { return place(a) < place(b); });
  if (query.direction == Direction::kDescending) {
    std::reverse(matches.begin(), matches.end());
  }
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
  }
}

bool Model::CanIssue(const std::vector<Token>& tokens) const {
  std::set<TokenId> ids;
  std::set<std::string> digests;
  for (const Token& token : tokens) {
    if (!token.id.IsNil() &&
        (Find(token.id) != nullptr || !ids.insert(token.id).second)) {
      return false;
    }
    if (token.digest && (!DigestIsFree(*token.digest, token.id) ||
                         !digests.insert(token.digest->ToString()).second)) {
      return false;
    }
  }
  return true;
}

void Model::Issue(std::vector<Token> tokens, const std::vector<TokenId>& ids) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    Token& token = tokens[i];
    token.id = ids[i];
    token.version = 1;
    if (token.created_at == absl::InfinitePast()) token.created_at = now_;
    SortScopes(token);
    TakeDigest(token);
    tokens_[token.id] = token;
  }
}

absl::StatusCode Model::Update(const TokenId& id, const TokenPatch& patch,
                               const Precondition& precondition) {
  const Token* const before = Find(id);
  if (before == nullptr) return absl::StatusCode::kNotFound;
  if ((precondition.if_version &&
       *precondition.if_version != before->version) ||
      (precondition.if_owner &&
       (!before->owner || before->owner->id != *precondition.if_owner))) {
    return absl::StatusCode::kFailedPrecondition;
  }
  Token after = Apply(patch, *before);
  SortScopes(after);
  if (after == *before) return absl::StatusCode::kOk;
  if (after.digest && !DigestIsFree(*after.digest, id)) {
    return absl::StatusCode::kAlreadyExists;
  }
  ++after.version;
  TakeDigest(after);
  tokens_[id] = after;
  return absl::StatusCode::kOk;
}

absl::StatusCode Model::Revoke(const TokenId& id,
                               const RevokeOptions& options) {
  const auto it = tokens_.find(id);
  if (it == tokens_.end()) return absl::StatusCode::kNotFound;
  Token& token = it->second;
  const absl::Time at = options.at.value_or(now_);
  if (token.revoked_at && *token.revoked_at <= at) return absl::StatusCode::kOk;
  token.revoked_at = at;
  token.revoked_reason = options.reason;
  ++token.version;
  return absl::StatusCode::kOk;
}

absl::StatusCode Model::Delete(const TokenId& id) {
  return tokens_.erase(id) == 1 ? absl::StatusCode::kOk
                                : absl::StatusCode::kNotFound;
}

uint64_t Model::RevokeAll(const Query& query, const std::string& reason) {
  Query any_state = query;
  any_state.states = StateSet::All();
  uint64_t revoked = 0;
  for (const Token& match : Select(any_state)) {
    if (StateOf(match) == TokenState::kRevoked) continue;
    Token& token = tokens_[match.id];
    token.revoked_at = now_;
    token.revoked_reason = reason;
    ++token.version;
    ++revoked;
  }
  return revoked;
}

uint64_t Model::DeleteAll(const Query& query) {
  const std::vector<Token> matches = Select(query);
  for (const Token& match : matches) tokens_.erase(match.id);
  return matches.size();
}

}  // namespace tokendb::testing
