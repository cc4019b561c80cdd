#ifndef TOKENDB_SRC_QUERY_CONDITIONS_H_
#define TOKENDB_SRC_QUERY_CONDITIONS_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "src/index/cover.h"
#include "src/index/hot_row.h"
#include "src/index/scope_dictionary.h"
#include "src/model/liveness.h"
#include "src/model/millis.h"
#include "tokendb/query.h"

namespace tokendb {

// A span of stored times, both ends included.
struct MillisRange {
  Millis from = kAlways;
  Millis to = kNever;

  bool Contains(Millis time) const { return from <= time && time <= to; }
  bool IsAll() const { return from == kAlways && to == kNever; }
};

// What an index entry says about a token.
enum class Match : uint8_t {
  kNo,
  kYes,
  kAskRecord,  // The entry does not say all; no condition excludes it.
  kMalformed,
};

// The condition that an entry's index and term decide, the entry being from a
// range of this condition.
enum class DecidedBy : uint8_t { kNone, kOwner, kOrganization, kKind };

// The conditions of a query at one moment `now`: checked, in stored units,
// scopes as numbers. Forgotten tokens match no query. The one place that
// decides whether a token matches, from an index entry or from a record.
class Conditions {
 public:
  // Errors as Database::List(). `query` is copied.
  static absl::StatusOr<Conditions> Compile(const Query& query,
                                            const ScopeDictionary& scopes,
                                            Millis now, const Cutoff& cutoff);

  // Tests an entry.
  Match TestEntry(Millis expires_at, const Cover& cover,
                  DecidedBy decided) const;

  // Tests a record. If needs_hot_row(), `row` is its hot row, if it has one,
  // and the last use of that is laid over the token.
  bool TestRecord(const Token& token, const HotRow* row) const;

  const Query& query() const { return query_; }
  Millis now() const { return now_; }

  bool needs_hot_row() const;

  // No token can match: a scope nobody ever had, or an empty range.
  bool impossible() const { return impossible_; }

  // The expiry of every match is in here; states are taken into account.
  const MillisRange& expiry() const { return expiry_; }
  // And their creation in here; `unused_since` is taken into account.
  const MillisRange& created() const { return created_; }

  // Sorted, unique.
  const std::vector<std::string>& owners() const { return owners_; }
  const ScopeNumbers& all_of() const { return all_of_; }
  const ScopeNumbers& any_of() const { return any_of_; }
  bool without_scopes() const {
    return query_.scopes.exact && query_.scopes.all_of.empty();
  }

  // Names of the conditions that entries can decide, and of those for which
  // the record must be read, if the entries' place decides `decided`.
  std::vector<std::string> IndexConditionNames(DecidedBy decided) const;
  std::vector<std::string> RecordConditionNames(DecidedBy decided) const;

  // Whether there is any condition besides states.
  static bool HasAny(const Query& query);

 private:
  Conditions() = default;
  absl::Status CheckTexts() const;
  absl::Status CompileRanges();
  absl::Status CompileExpiry();
  void CompileScopes(const ScopeDictionary& scopes);
  void NarrowExpiryToStates();
  void NarrowExpiryToRemembered();
  bool ScopesMatch(absl::Span<const uint32_t> scopes) const;

  Query query_;
  Millis now_ = 0;
  Cutoff cutoff_;
  bool impossible_ = false;
  MillisRange expiry_;
  MillisRange created_;
  MillisRange accessed_;
  MillisRange unused_;  // Of last uses, if there was one.
  std::vector<std::string> owners_;
  std::vector<uint32_t> owner_checks_;  // Sorted.
  ScopeNumbers all_of_;
  ScopeNumbers any_of_;
  ScopeNumbers none_of_;
  bool has_scope_condition_ = false;
  // By DecidedBy: whether any condition needs the record, besides `owners`.
  std::array<bool, 4> needs_record_{};
};

// Whether a call may end before it has examined everything.
bool IsWorkBounded(const Query& query);

}  // namespace tokendb

#endif  // TOKENDB_SRC_QUERY_CONDITIONS_H_
