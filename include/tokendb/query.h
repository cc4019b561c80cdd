#ifndef TOKENDB_QUERY_H_
#define TOKENDB_QUERY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tokendb/token.h"

namespace tokendb {

// A half-open span of time: from <= t < before. An absent end is open.
struct TimeRange {
  std::optional<absl::Time> from;
  std::optional<absl::Time> before;
};

// Which scopes a token must and must not hold. Empty parts ask for nothing.
struct ScopeCondition {
  std::vector<std::string> all_of;
  std::vector<std::string> any_of;
  std::vector<std::string> none_of;

  // The token holds no scope besides `all_of`; with an empty `all_of` it holds
  // none at all.
  bool exact = false;
};

// Whether a token has an end.
enum class Lifetime : uint8_t {
  kAny,
  kExpiring,  // It has an expires_at.
  kNeverExpiring,
};

// A set of states.
class StateSet {
 public:
  StateSet(TokenState state)  // NOLINT(google-explicit-constructor)
      : StateSet({state}) {}
  StateSet(std::initializer_list<TokenState> states) {
    for (const TokenState state : states) bits_ |= Bit(state);
  }
  static StateSet All() {
    return {TokenState::kLive, TokenState::kExpired, TokenState::kRevoked,
            TokenState::kDisabled, TokenState::kNotYetValid};
  }

  bool Contains(TokenState state) const { return (bits_ & Bit(state)) != 0; }
  bool IsEmpty() const { return bits_ == 0; }
  friend bool operator==(StateSet, StateSet) = default;

 private:
  static uint8_t Bit(TokenState state) {
    return static_cast<uint8_t>(1U << static_cast<unsigned>(state));
  }
  uint8_t bits_ = 0;
};

// Both orders are total: equal times are ordered by id. Never-expiring tokens
// come after all others in kExpiry. kDescending is the exact reverse.
enum class Order : uint8_t { kExpiry, kCreation };
enum class Direction : uint8_t { kAscending, kDescending };

// A conjunction of conditions: a token matches if it meets every one that is
// set. By default only live tokens match.
//
//   db->List({.owners = {"user:42"},
//             .scopes = {.all_of = {"read_builds"}},
//             .expires = {.before = now + absl::Hours(24)},
//             .limit = 20});
struct Query {
  // Any of these tokens. Up to 10,000.
  std::vector<TokenId> ids;

  // The token of this digest.
  std::optional<Digest> digest;

  // Any of these owners, by id. Up to 1,000; none may be empty.
  std::vector<std::string> owners;

  // Only tokens without an owner. Not together with `owners`.
  bool without_owner = false;

  // Up to 1,000 scopes in each part.
  ScopeCondition scopes;

  // Never-expiring tokens match no range of expiry.
  TimeRange expires;
  Lifetime lifetime = Lifetime::kAny;

  // Expires within this long: now <= expires_at < now + expires_within. Unlike
  // a range it moves with the time from page to page.
  std::optional<absl::Duration> expires_within;
  TimeRange created;

  // Tokens that were never used match no range of last use.
  TimeRange last_accessed;

  // Created before this time and not used since: what inactivity means. Reads
  // the record of every token that meets the other conditions and was created
  // before it; a rarer condition beside it, or a range of creation, keeps that
  // small. Uses noted by Touch() count once they are written.
  //
  //   // All that nobody used for 90 days.
  //   db->RevokeAll({.unused_since = db->Now() - 90 * absl::Hours(24)});
  std::optional<absl::Time> unused_since;

  // Not marked by Database::MarkNotified() for this long before its present
  // expiry, or for less. Reads the record of every token that meets the other
  // conditions.
  std::optional<absl::Duration> not_notified_within;

  StateSet states = TokenState::kLive;

  // Part of the description, ASCII letters of either case.
  std::string text;

  // Equal to the token's field. Empty: any.
  std::string organization;
  std::string kind;
  std::string ip_address;

  // A further condition, tested last and only on tokens that meet all others.
  // Called without locks held; must not throw. A continuation does not record
  // it: pass the same one with each page.
  std::function<bool(const Token&)> residual;

  Order order = Order::kExpiry;
  Direction direction = Direction::kAscending;

  // Tokens in a page, 1 to 10,000. Used by List() and ListIds() only.
  size_t limit = 100;

  // `Page::continuation` of the page before; empty: the first page.
  std::string continuation;

  // Bounds on the work of one call. A call that reaches one returns a partial
  // page (perhaps an empty one) with a continuation, and always gets further.
  // Index entries examined, at least 1:
  uint64_t max_examined = std::numeric_limits<uint64_t>::max();
  // Time on the wall, looked at every 256 entries:
  absl::Duration max_time = absl::InfiniteDuration();
};

// What a call did.
struct QueryStats {
  uint64_t seeks = 0;     // Positionings in an index.
  uint64_t examined = 0;  // Index entries read.
  uint64_t fetched = 0;   // Records read.
  uint64_t matched = 0;   // Tokens found.
  absl::Duration elapsed;
};

// One page of a query's result.
struct Page {
  std::vector<Token> tokens;

  // Empty when the result is complete. Otherwise pass it as
  // `Query::continuation` to read on; it stays valid across writes, restarts
  // and changes of plan, and is rejected by a different query.
  std::string continuation;

  QueryStats stats;
};

// Which of the expired tokens Database::ExpiredBetween() lists.
struct ExpiredOptions {
  std::vector<std::string> owners;  // As in Query.
  ScopeCondition scopes;            // As in Query.
  size_t limit = 100;               // As in Query.

  // `ExpiredPage::continuation` of the page before; empty: the first page.
  std::string continuation;
};

// One page of what has expired.
struct ExpiredPage {
  std::vector<Token> tokens;

  // Empty when the window is complete as far as it lies in the past. Otherwise
  // pass it on with the same window and options; as in Page.
  std::string continuation;

  // Where the next window should begin, once there is no continuation.
  absl::Time complete_until;

  QueryStats stats;
};

// One page of ids.
struct IdPage {
  std::vector<TokenId> ids;
  std::string continuation;  // As in Page.
  QueryStats stats;
};

struct CountResult {
  uint64_t count = 0;

  // False if `max_examined` or `max_time` ended the count early; `count` is
  // then what was found until then.
  bool complete = true;

  QueryStats stats;
};

// What CountBy() counts apart.
enum class Grouping : uint8_t {
  kOwner,       // By owner id; tokens without an owner under no id.
  kScope,       // Once for each scope held; without scopes under no scope.
  kState,       // By TokenStateName().
  kExpiryHour,  // By the hour of expiry in UTC, "2026-11-24T10"; "never".
  kExpiryDay,   // By the day of expiry in UTC, "2026-11-24"; "never".
};

struct Group {
  // Absent: tokens without an owner or without a scope.
  std::optional<std::string> key;
  uint64_t count = 0;
};

struct GroupedCount {
  std::vector<Group> groups;  // Sorted by key, the absent one first.
  bool complete = true;       // As in CountResult.
  QueryStats stats;
};

// How a query is answered.
struct Explanation {
  struct Candidate {
    std::string driver;
    uint64_t estimated_entries = 0;
    // In examined entries; a record fetched counts as many.
    double cost = 0;
  };

  // What is read: an index ("owner", "scope all of", "scope any of", "expiry",
  // "creation", "organization", "kind") or single tokens ("ids", "digest").
  std::string driver;
  std::vector<std::string> ranges;     // Its bounds, readable.
  std::vector<Candidate> candidates;   // All considered, the cheapest first.
  std::vector<std::string> on_index;   // Conditions tested on index entries.
  std::vector<std::string> on_record;  // Conditions that need the record.
  std::string order;
  // The index does not deliver the order: all its entries are read and the
  // page's first ones kept.
  bool sorts = false;
  bool fetches_records = false;

  // Filled by ExplainAnalyze() only: what one page took.
  std::optional<QueryStats> actual;

  // The plan as indented text, a line for each fact.
  std::string ToString() const;
};

}  // namespace tokendb

#endif  // TOKENDB_QUERY_H_
