#include "src/query/conditions.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"

namespace tokendb {
namespace {

constexpr size_t kMaxTerms = 1000;
constexpr size_t kMaxIds = 10000;

template <typename T>
void SortUnique(T& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

bool IsSet(const TimeRange& range) {
  return range.from.has_value() || range.before.has_value();
}

// Stored times are whole milliseconds: those at or after `from` are at or after
// it rounded up, and those before `before` before it rounded up.
absl::StatusOr<MillisRange> ToMillis(const TimeRange& range,
                                     std::string_view name) {
  MillisRange result;
  if (range.from.has_value()) result.from = CeilToMillis(*range.from);
  if (range.before.has_value()) {
    const Millis before = CeilToMillis(*range.before);
    result.to = before == kAlways ? kAlways : before - 1;
  }
  if (range.from.has_value() && range.before.has_value() &&
      *range.before < *range.from) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(name), ": `before` is earlier than `from`"));
  }
  return result;
}

bool IncludesAll(absl::Span<const uint32_t> sorted,
                 absl::Span<const uint32_t> wanted) {
  return std::includes(sorted.begin(), sorted.end(), wanted.begin(),
                       wanted.end());
}

bool IncludesAny(absl::Span<const uint32_t> sorted,
                 absl::Span<const uint32_t> wanted) {
  return std::any_of(wanted.begin(), wanted.end(), [&](uint32_t scope) {
    return std::binary_search(sorted.begin(), sorted.end(), scope);
  });
}

bool ContainsIgnoringCase(std::string_view text, std::string_view part) {
  const auto equal = [](char a, char b) {
    return absl::ascii_tolower(static_cast<unsigned char>(a)) ==
           absl::ascii_tolower(static_cast<unsigned char>(b));
  };
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     equal) != text.end();
}

absl::Status CheckCount(size_t count, size_t maximum, std::string_view name) {
  if (count <= maximum) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a query takes up to ", maximum, " ", std::string(name),
                   ", not ", count));
}

absl::Status CheckSpan(absl::Duration span, std::string_view name) {
  if (span >= absl::ZeroDuration()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(name), " is negative"));
}

absl::Status CheckScopeTexts(const std::vector<std::string>& scopes,
                             std::string_view part) {
  RETURN_IF_ERROR(CheckCount(scopes.size(), kMaxTerms,
                             absl::StrCat("scopes in ", std::string(part))));
  for (const std::string& scope : scopes) {
    if (scope.empty() || scope.size() > Limits::kScopeBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("scopes.", std::string(part), ": a scope has 1 to ",
                       Limits::kScopeBytes, " bytes, not ", scope.size()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Conditions> Conditions::Compile(const Query& query,
                                               const ScopeDictionary& scopes,
                                               Millis now,
                                               const Cutoff& cutoff) {
  Conditions conditions;
  conditions.query_ = query;
  conditions.now_ = now;
  conditions.cutoff_ = cutoff;
  RETURN_IF_ERROR(conditions.CheckTexts());
  RETURN_IF_ERROR(conditions.CompileRanges());
  conditions.NarrowExpiryToStates();
  conditions.NarrowExpiryToRemembered();
  conditions.CompileScopes(scopes);

  SortUnique(conditions.query_.ids);
  conditions.owners_ = query.owners;
  SortUnique(conditions.owners_);
  for (const std::string& owner : conditions.owners_) {
    conditions.owner_checks_.push_back(OwnerCheck(owner));
  }
  SortUnique(conditions.owner_checks_);
  for (size_t i = 0; i < conditions.needs_record_.size(); ++i) {
    conditions.needs_record_[i] =
        !conditions.RecordConditionNames(static_cast<DecidedBy>(i)).empty();
  }
  if (conditions.expiry_.from > conditions.expiry_.to ||
      conditions.created_.from > conditions.created_.to ||
      conditions.accessed_.from > conditions.accessed_.to ||
      query.states.IsEmpty()) {
    conditions.impossible_ = true;
  }
  return conditions;
}

absl::Status Conditions::CheckTexts() const {
  RETURN_IF_ERROR(CheckCount(query_.ids.size(), kMaxIds, "ids"));
  RETURN_IF_ERROR(CheckCount(query_.owners.size(), kMaxTerms, "owners"));
  for (const TokenId& id : query_.ids) {
    if (id.IsNil()) return absl::InvalidArgumentError("an id is nil");
  }
  for (const std::string& owner : query_.owners) {
    if (owner.empty()) return absl::InvalidArgumentError("an owner is empty");
  }
  if (query_.without_owner && !query_.owners.empty()) {
    return absl::InvalidArgumentError("owners together with without_owner");
  }
  RETURN_IF_ERROR(CheckScopeTexts(query_.scopes.all_of, "all_of"));
  RETURN_IF_ERROR(CheckScopeTexts(query_.scopes.any_of, "any_of"));
  RETURN_IF_ERROR(CheckScopeTexts(query_.scopes.none_of, "none_of"));
  if (query_.max_examined == 0) {
    return absl::InvalidArgumentError("max_examined is 0; at least 1");
  }
  if (query_.max_time <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("max_time is not positive");
  }
  return absl::OkStatus();
}

absl::Status Conditions::CompileExpiry() {
  ASSIGN_OR_RETURN(expiry_, ToMillis(query_.expires, "expires"));
  if (query_.expires_within.has_value()) {
    const absl::Duration within = *query_.expires_within;
    RETURN_IF_ERROR(CheckSpan(within, "expires_within"));
    expiry_.from = std::max(expiry_.from, now_);
    expiry_.to =
        std::min(expiry_.to, CeilToMillis(FromMillis(now_) + within) - 1);
  }
  if (IsSet(query_.expires) || query_.lifetime == Lifetime::kExpiring) {
    expiry_.to = std::min(expiry_.to, kNever - 1);
  }
  if (query_.lifetime == Lifetime::kNeverExpiring) expiry_.from = kNever;
  return absl::OkStatus();
}

absl::Status Conditions::CompileRanges() {
  RETURN_IF_ERROR(CompileExpiry());
  if (query_.not_notified_within.has_value()) {
    RETURN_IF_ERROR(
        CheckSpan(*query_.not_notified_within, "not_notified_within"));
  }
  ASSIGN_OR_RETURN(created_, ToMillis(query_.created, "created"));
  ASSIGN_OR_RETURN(accessed_, ToMillis(query_.last_accessed, "last_accessed"));
  ASSIGN_OR_RETURN(
      unused_, ToMillis({.from = std::nullopt, .before = query_.unused_since},
                        "unused_since"));
  created_.to = std::min(created_.to, unused_.to);
  return absl::OkStatus();
}

// By the order of reasons in StateAt(), a live or not yet valid token has not
// reached its expiry, and an expired one has; the other states may be either.
void Conditions::NarrowExpiryToStates() {
  const StateSet states = query_.states;
  if (states.Contains(TokenState::kRevoked) ||
      states.Contains(TokenState::kDisabled)) {
    return;
  }
  if (!states.Contains(TokenState::kExpired)) {
    expiry_.from = std::max(expiry_.from, now_ + 1);
  } else if (!states.Contains(TokenState::kLive) &&
             !states.Contains(TokenState::kNotYetValid)) {
    expiry_.to = std::min(expiry_.to, now_);
  }
}

// What is forgotten whether revoked or not need not be read at all.
void Conditions::NarrowExpiryToRemembered() {
  expiry_.from = std::max(expiry_.from, cutoff_.Earlier() + 1);
}

void Conditions::CompileScopes(const ScopeDictionary& scopes) {
  const auto numbers = [&](std::vector<std::string>& names) {
    if (names.empty()) return ScopeNumbers();
    SortUnique(names);
    return scopes.Known(names);
  };
  all_of_ = numbers(query_.scopes.all_of);
  any_of_ = numbers(query_.scopes.any_of);
  none_of_ = numbers(query_.scopes.none_of);
  // A scope the dictionary does not know has no holders.
  if (all_of_.size() < query_.scopes.all_of.size() ||
      (any_of_.empty() && !query_.scopes.any_of.empty())) {
    impossible_ = true;
  }
  has_scope_condition_ = !all_of_.empty() || !any_of_.empty() ||
                         !none_of_.empty() || query_.scopes.exact;
}

Match Conditions::TestEntry(Millis expires_at, const Cover& cover,
                            DecidedBy decided) const {
  if (!expiry_.Contains(expires_at)) return Match::kNo;
  Validity validity = cover.validity;
  validity.expires_at = expires_at;
  if (IsForgotten(validity, cutoff_) ||
      !query_.states.Contains(StateAt(validity, now_))) {
    return Match::kNo;
  }
  if (!created_.Contains(cover.created_at)) return Match::kNo;

  Match match = needs_record_[static_cast<size_t>(decided)] ? Match::kAskRecord
                                                            : Match::kYes;
  if (query_.without_owner && cover.owner_check.has_value()) return Match::kNo;
  if (!owners_.empty() && decided != DecidedBy::kOwner) {
    if (!cover.owner_check.has_value() ||
        !std::binary_search(owner_checks_.begin(), owner_checks_.end(),
                            *cover.owner_check)) {
      return Match::kNo;
    }
    match = Match::kAskRecord;
  }
  if (!has_scope_condition_) return match;
  if (cover.scopes_left_out) return Match::kAskRecord;
  ScopeNumbers scopes;
  if (!ParseScopes(cover.encoded_scopes, scopes)) return Match::kMalformed;
  return ScopesMatch(scopes) ? match : Match::kNo;
}

bool Conditions::ScopesMatch(absl::Span<const uint32_t> scopes) const {
  return IncludesAll(scopes, all_of_) &&
         (any_of_.empty() || IncludesAny(scopes, any_of_)) &&
         !IncludesAny(scopes, none_of_) &&
         (!query_.scopes.exact || scopes.size() == all_of_.size());
}

bool Conditions::TestRecord(const Token& token, const HotRow* row) const {
  const Validity validity = ValidityOf(token);
  const auto holds = [&](const std::string& scope) {
    return std::binary_search(token.scopes.begin(), token.scopes.end(), scope);
  };
  const ScopeCondition& scopes = query_.scopes;
  const auto equals_or_any = [](const std::string& wanted,
                                const std::string& actual) {
    return wanted.empty() || wanted == actual;
  };
  return !IsForgotten(validity, cutoff_) &&
         query_.states.Contains(StateAt(validity, now_)) &&
         expiry_.Contains(validity.expires_at) &&
         created_.Contains(FloorToMillis(token.created_at)) &&
         (query_.ids.empty() ||
          std::binary_search(query_.ids.begin(), query_.ids.end(), token.id)) &&
         (!query_.digest.has_value() || token.digest == query_.digest) &&
         !(query_.without_owner && token.owner.has_value()) &&
         (owners_.empty() || (token.owner.has_value() &&
                              std::binary_search(owners_.begin(), owners_.end(),
                                                 token.owner->id))) &&
         std::all_of(scopes.all_of.begin(), scopes.all_of.end(), holds) &&
         (scopes.any_of.empty() ||
          std::any_of(scopes.any_of.begin(), scopes.any_of.end(), holds)) &&
         std::none_of(scopes.none_of.begin(), scopes.none_of.end(), holds) &&
         (!scopes.exact || token.scopes.size() == scopes.all_of.size()) &&
         (!IsSet(query_.last_accessed) ||
          (token.last_accessed_at.has_value() &&
           accessed_.Contains(FloorToMillis(*token.last_accessed_at)))) &&
         (!query_.unused_since.has_value() ||
          !token.last_accessed_at.has_value() ||
          unused_.Contains(FloorToMillis(*token.last_accessed_at))) &&
         (!query_.not_notified_within.has_value() || row == nullptr ||
          !row->IsNotifiedFor(
              absl::ToInt64Milliseconds(*query_.not_notified_within))) &&
         equals_or_any(query_.organization, token.organization) &&
         equals_or_any(query_.kind, token.kind) &&
         equals_or_any(query_.ip_address, token.ip_address) &&
         (query_.text.empty() ||
          ContainsIgnoringCase(token.description, query_.text)) &&
         (!query_.residual || query_.residual(token));
}

bool Conditions::needs_hot_row() const {
  return IsSet(query_.last_accessed) || query_.unused_since.has_value() ||
         query_.not_notified_within.has_value() || !query_.ip_address.empty() ||
         query_.residual != nullptr;
}

std::vector<std::string> Conditions::IndexConditionNames(
    DecidedBy decided) const {
  std::vector<std::string> names;
  const auto add = [&](bool set, std::string name) {
    if (set) names.push_back(std::move(name));
  };
  add(query_.states != StateSet::All(), "states");
  add(IsSet(query_.expires), "expires");
  add(query_.expires_within.has_value(), "expires_within");
  add(query_.lifetime != Lifetime::kAny, "lifetime");
  add(IsSet(query_.created), "created");
  add(!owners_.empty(), "owners");
  add(query_.without_owner, "without_owner");
  add(!query_.scopes.all_of.empty(), "scopes.all_of");
  add(!query_.scopes.any_of.empty(), "scopes.any_of");
  add(!query_.scopes.none_of.empty(), "scopes.none_of");
  add(query_.scopes.exact, "scopes.exact");
  add(decided == DecidedBy::kOrganization, "organization");
  add(decided == DecidedBy::kKind, "kind");
  return names;
}

std::vector<std::string> Conditions::RecordConditionNames(
    DecidedBy decided) const {
  std::vector<std::string> names;
  const auto add = [&](bool set, std::string name) {
    if (set) names.push_back(std::move(name));
  };
  add(IsSet(query_.last_accessed), "last_accessed");
  add(query_.unused_since.has_value(), "unused_since");
  add(query_.not_notified_within.has_value(), "not_notified_within");
  add(!query_.organization.empty() && decided != DecidedBy::kOrganization,
      "organization");
  add(!query_.kind.empty() && decided != DecidedBy::kKind, "kind");
  add(!query_.ip_address.empty(), "ip_address");
  add(!query_.text.empty(), "text");
  add(query_.residual != nullptr, "residual");
  return names;
}

bool Conditions::HasAny(const Query& query) {
  const ScopeCondition& scopes = query.scopes;
  return !query.ids.empty() || query.digest.has_value() ||
         !query.owners.empty() || query.without_owner ||
         !scopes.all_of.empty() || !scopes.any_of.empty() ||
         !scopes.none_of.empty() || scopes.exact || IsSet(query.expires) ||
         query.lifetime != Lifetime::kAny || IsSet(query.created) ||
         IsSet(query.last_accessed) || query.unused_since.has_value() ||
         query.expires_within.has_value() ||
         query.not_notified_within.has_value() || !query.text.empty() ||
         !query.organization.empty() || !query.kind.empty() ||
         !query.ip_address.empty() || query.residual != nullptr;
}

bool IsWorkBounded(const Query& query) {
  return query.max_examined != std::numeric_limits<uint64_t>::max() ||
         query.max_time != absl::InfiniteDuration();
}

}  // namespace tokendb
