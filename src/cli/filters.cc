#include "src/cli/filters.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "src/base/status_macros.h"
#include "src/cli/support.h"
#include "src/formats/time_text.h"

namespace tokendb::cli {
namespace {

constexpr char kGroup[] = "Which tokens";

void AddExpiryFilters(CLI::App& command, FilterOptions& options) {
  command
      .add_option("--expires-after", options.expires_after,
                  "Expires at TIME or later")
      ->type_name("TIME")
      ->group(kGroup);
  command
      .add_option("--expires-before", options.expires_before,
                  "Expires before TIME")
      ->type_name("TIME")
      ->group(kGroup);
  CLI::Option* never = command.add_flag("--never-expires",
                                        options.never_expires, "Never expires");
  never->group(kGroup);
  command
      .add_flag("--expires-some-time", options.expires_some_time,
                "Has a time of expiry")
      ->excludes(never)
      ->group(kGroup);
}

void AddOwnerAndScopeFilters(CLI::App& command, FilterOptions& options) {
  AddRepeated(command, "--id", options.ids, "Has this UUID (any of them)")
      ->type_name("UUID")
      ->group(kGroup);
  CLI::Option* owner =
      AddRepeated(command, "--owner", options.owners,
                  "Belongs to the owner with this id (any of them)")
          ->type_name("ID")
          ->group(kGroup);
  command
      .add_flag("--without-owner", options.without_owner, "Belongs to no owner")
      ->excludes(owner)
      ->group(kGroup);
  AddRepeated(command, "--scope", options.scopes,
              "Has this scope (all of them)")
      ->type_name("SCOPE")
      ->group(kGroup);
  AddRepeated(command, "--any-scope", options.any_scopes,
              "Has one of these scopes")
      ->type_name("SCOPE")
      ->group(kGroup);
  AddRepeated(command, "--no-scope", options.no_scopes,
              "Has none of these scopes")
      ->type_name("SCOPE")
      ->group(kGroup);
  command
      .add_flag("--exact-scopes", options.exact_scopes,
                "Has no scope besides those of --scope")
      ->group(kGroup);
}

void AddTimeFilters(CLI::App& command, FilterOptions& options) {
  command
      .add_option("--created-after", options.created_after,
                  "Created at TIME or later")
      ->type_name("TIME")
      ->group(kGroup);
  command
      .add_option("--created-before", options.created_before,
                  "Created before TIME")
      ->type_name("TIME")
      ->group(kGroup);
  command
      .add_option("--last-accessed-after", options.last_accessed_after,
                  "Last used at TIME or later")
      ->type_name("TIME")
      ->group(kGroup);
  command
      .add_option("--last-accessed-before", options.last_accessed_before,
                  "Last used before TIME; not: never used")
      ->type_name("TIME")
      ->group(kGroup);
  command
      .add_option("--unused-since", options.unused_since,
                  "Created before TIME and not used since")
      ->type_name("TIME")
      ->group(kGroup);
}

void AddTextFilters(CLI::App& command, FilterOptions& options) {
  command
      .add_option("--text", options.text,
                  "Has this in its description (ASCII letters of either case)")
      ->group(kGroup);
  command
      .add_option("--organization", options.organization,
                  "Belongs to this organization")
      ->group(kGroup);
  command.add_option("--kind", options.kind, "Is of this kind")->group(kGroup);
  command
      .add_option("--ip", options.ip_address, "Was last used from this address")
      ->group(kGroup);
  command
      .add_option("--digest", options.digest,
                  "Has this digest (64 hexadecimal digits)")
      ->type_name("HEX")
      ->group(kGroup);
}

absl::StatusOr<std::optional<absl::Time>> TimeOption(const char* name,
                                                     const std::string& text,
                                                     absl::Time now) {
  if (text.empty()) return std::optional<absl::Time>();
  const absl::StatusOr<absl::Time> time = ParseTime(text, now);
  if (!time.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": ", time.status().message()));
  }
  return std::optional<absl::Time>(*time);
}

std::optional<TokenState> FindState(std::string_view name) {
  for (const TokenState state :
       {TokenState::kLive, TokenState::kExpired, TokenState::kRevoked,
        TokenState::kDisabled, TokenState::kNotYetValid}) {
    if (TokenStateName(state) == name) return state;
  }
  return std::nullopt;
}

absl::StatusOr<StateSet> ParseStates(const std::string& text) {
  if (text == "all") return StateSet::All();
  const std::vector<std::string> names = absl::StrSplit(text, ',');
  std::vector<TokenState> states;
  for (const std::string& name : names) {
    const std::optional<TokenState> state = FindState(name);
    if (!state.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--state: \"", name,
                       "\" is no state; use live, expired, revoked, disabled, "
                       "not_yet_valid or all"));
    }
    if (std::count(states.begin(), states.end(), *state) == 0) {
      states.push_back(*state);
    }
  }
  // A set is made of a list of fixed length; the first state fills it up.
  const auto at = [&states](size_t i) {
    return i < states.size() ? states[i] : states.front();
  };
  return StateSet({at(0), at(1), at(2), at(3), at(4)});
}

absl::Status SetTimes(const FilterOptions& options, absl::Time now,
                      Query& query) {
  ASSIGN_OR_RETURN(query.expires.from,
                   TimeOption("--expires-after", options.expires_after, now));
  ASSIGN_OR_RETURN(query.expires.before,
                   TimeOption("--expires-before", options.expires_before, now));
  ASSIGN_OR_RETURN(query.created.from,
                   TimeOption("--created-after", options.created_after, now));
  ASSIGN_OR_RETURN(query.created.before,
                   TimeOption("--created-before", options.created_before, now));
  ASSIGN_OR_RETURN(
      query.last_accessed.from,
      TimeOption("--last-accessed-after", options.last_accessed_after, now));
  ASSIGN_OR_RETURN(
      query.last_accessed.before,
      TimeOption("--last-accessed-before", options.last_accessed_before, now));
  ASSIGN_OR_RETURN(query.unused_since,
                   TimeOption("--unused-since", options.unused_since, now));
  if (options.never_expires) query.lifetime = Lifetime::kNeverExpiring;
  if (options.expires_some_time) query.lifetime = Lifetime::kExpiring;
  return absl::OkStatus();
}

}  // namespace

void AddFilters(CLI::App& command, FilterOptions& options, FilterSet set) {
  AddOwnerAndScopeFilters(command, options);
  if (set != FilterSet::kWithoutExpiry) AddExpiryFilters(command, options);
  AddTimeFilters(command, options);
  if (set == FilterSet::kAll) {
    command
        .add_option("--state", options.states,
                    "Is in one of these states, separated by commas: live, "
                    "expired, revoked, disabled, not_yet_valid, all")
        ->capture_default_str()
        ->type_name("STATES")
        ->group(kGroup);
  }
  AddTextFilters(command, options);
}

void AddBounds(CLI::App& command, FilterOptions& options) {
  command
      .add_option("--max-examined", options.max_examined,
                  "Stop after looking at N index entries")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  command
      .add_option("--max-time", options.max_time,
                  "Stop after this long (500ms, 2s)")
      ->type_name("SPAN");
}

void AddPaging(CLI::App& command, PageOptions& options) {
  command
      .add_option("--order", options.order,
                  "Order by expiry (never last) or created")
      ->capture_default_str()
      ->check(CLI::IsMember({"expiry", "created"}));
  command.add_flag("--desc", options.descending, "The other way round");
  command.add_option("--limit", options.limit, "At most N tokens")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(1, 10000));
  command
      .add_option("--continuation", options.continuation,
                  "Go on where a page with the same filters ended")
      ->type_name("C");
}

void ApplyPaging(const PageOptions& options, Query& query) {
  query.order = options.order == "created" ? Order::kCreation : Order::kExpiry;
  query.direction =
      options.descending ? Direction::kDescending : Direction::kAscending;
  query.limit = options.limit;
  query.continuation = options.continuation;
}

bool HasCondition(const FilterOptions& options) {
  return !options.ids.empty() || !options.owners.empty() ||
         options.without_owner || !options.scopes.empty() ||
         !options.any_scopes.empty() || !options.no_scopes.empty() ||
         options.exact_scopes || !options.expires_after.empty() ||
         !options.expires_before.empty() || options.never_expires ||
         options.expires_some_time || !options.created_after.empty() ||
         !options.created_before.empty() ||
         !options.last_accessed_after.empty() ||
         !options.last_accessed_before.empty() ||
         !options.unused_since.empty() || !options.text.empty() ||
         !options.organization.empty() || !options.kind.empty() ||
         !options.ip_address.empty() || !options.digest.empty();
}

absl::StatusOr<Query> MakeQuery(const FilterOptions& options, absl::Time now) {
  Query query;
  for (const std::string& id : options.ids) {
    ASSIGN_OR_RETURN(const TokenId parsed, TokenId::Parse(id));
    query.ids.push_back(parsed);
  }
  if (!options.digest.empty()) {
    ASSIGN_OR_RETURN(query.digest, Digest::Parse(options.digest));
  }
  query.owners = options.owners;
  query.without_owner = options.without_owner;
  query.scopes.all_of = options.scopes;
  query.scopes.any_of = options.any_scopes;
  query.scopes.none_of = options.no_scopes;
  query.scopes.exact = options.exact_scopes;
  RETURN_IF_ERROR(SetTimes(options, now, query));
  ASSIGN_OR_RETURN(query.states, ParseStates(options.states));
  query.text = options.text;
  query.organization = options.organization;
  query.kind = options.kind;
  query.ip_address = options.ip_address;
  if (options.max_examined > 0) query.max_examined = options.max_examined;
  if (!options.max_time.empty()) {
    ASSIGN_OR_RETURN(query.max_time, ParseSpan(options.max_time));
  }
  return query;
}

}  // namespace tokendb::cli
