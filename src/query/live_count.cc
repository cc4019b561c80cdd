#include "src/query/live_count.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/index/counters.h"
#include "src/index/keys.h"
#include "src/storage/add_operator.h"

namespace tokendb {
namespace {

// The rows of a class for times from `from` on.
KeyRange RowsFrom(const std::string& subject, CounterClass counter_class,
                  Millis from) {
  std::string all = subject;
  all.push_back(static_cast<char>(counter_class));
  return {CounterKey(subject, counter_class, from), PrefixEnd(all)};
}

absl::StatusOr<int64_t> Sum(const ReadView& view, KeyRange rows,
                            QueryStats& stats) {
  Cursor cursor =
      view.store.NewCursor(&view.snapshot, Family::kStat, std::move(rows));
  ++stats.seeks;
  int64_t sum = 0;
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    ++stats.examined;
    const std::optional<int64_t> count = DecodeCount(cursor.value());
    if (!count.has_value()) {
      return absl::DataLossError(
          absl::StrCat("counter ", Hex(cursor.key()), " is malformed"));
    }
    sum += *count;
  }
  RETURN_IF_ERROR(cursor.status());
  return sum;
}

// Those that expire later in this hour, which has one row.
absl::StatusOr<int64_t> CountThisHour(const ReadView& view, Millis now,
                                      const std::string& prefix,
                                      QueryStats& stats) {
  KeyRange range{prefix, prefix};
  AppendBig64(range.lower, OrderedMillis(now + 1));
  AppendBig64(range.upper, OrderedMillis(HourOf(now) + kMillisPerHour));
  Cursor cursor =
      view.store.NewCursor(&view.snapshot, Family::kIndex, std::move(range));
  ++stats.seeks;
  int64_t count = 0;
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    ++stats.examined;
    Cover cover;
    if (!IsIndexKey(cursor.key()) || !ParseCover(cursor.value(), cover)) {
      return absl::DataLossError(
          absl::StrCat("index entry ", Hex(cursor.key()), " is malformed"));
    }
    cover.validity.expires_at = ExpiryOf(cursor.key());
    if (EndsByExpiry(cover.validity)) ++count;
  }
  RETURN_IF_ERROR(cursor.status());
  return count;
}

}  // namespace

std::optional<CountedSubject> SubjectOf(const Conditions& conditions) {
  const Query& query = conditions.query();
  Query rest = query;
  rest.owners.clear();
  rest.without_owner = false;
  rest.scopes = {};
  const bool counted_states = query.states == StateSet(TokenState::kLive);
  if (!counted_states || conditions.impossible() || Conditions::HasAny(rest) ||
      IsWorkBounded(query)) {
    return std::nullopt;
  }
  const bool of_owner = !query.owners.empty() || query.without_owner;
  const ScopeCondition& scopes = query.scopes;
  const bool of_scope = !scopes.all_of.empty() || scopes.exact;
  if (!scopes.any_of.empty() || !scopes.none_of.empty() ||
      (of_owner && of_scope) || conditions.owners().size() > 1 ||
      conditions.all_of().size() > 1 ||
      (scopes.exact && !scopes.all_of.empty())) {
    return std::nullopt;
  }
  if (of_owner) {
    const std::optional<std::string_view> owner =
        query.without_owner
            ? std::nullopt
            : std::optional<std::string_view>(conditions.owners().front());
    return CountedSubject{OwnerSubject(owner), OwnerPrefix(owner)};
  }
  if (of_scope) {
    const uint32_t scope =
        scopes.exact ? kNoScope : conditions.all_of().front();
    return CountedSubject{ScopeSubject(scope), ScopePrefix(scope)};
  }
  return CountedSubject{TotalSubject(), IndexPrefix(IndexKind::kExpiry)};
}

absl::StatusOr<uint64_t> CountLive(const ReadView& view, Millis now,
                                   const CountedSubject& subject,
                                   QueryStats& stats) {
  const std::string& counters = subject.counters;
  ASSIGN_OR_RETURN(const int64_t expiring,
                   Sum(view,
                       RowsFrom(counters, CounterClass::kExpiryHour,
                                HourOf(now) + kMillisPerHour),
                       stats));
  ASSIGN_OR_RETURN(const int64_t this_hour,
                   CountThisHour(view, now, subject.entries, stats));
  ASSIGN_OR_RETURN(
      const int64_t revoked,
      Sum(view, RowsFrom(counters, CounterClass::kRevocation, now + 1), stats));
  ASSIGN_OR_RETURN(
      const int64_t beginning,
      Sum(view, RowsFrom(counters, CounterClass::kBeginning, now + 1), stats));
  const int64_t live = expiring + this_hour + revoked - beginning;
  if (live >= 0) return static_cast<uint64_t>(live);
  return absl::DataLossError(absl::StrCat("the counters of ", Hex(counters),
                                          " add up to ", live, " live tokens"));
}

std::optional<uint64_t> EstimateLive(const Store& store,
                                     const std::string& counters,
                                     const MillisRange& expiry,
                                     uint64_t most_rows) {
  KeyRange rows =
      RowsFrom(counters, CounterClass::kExpiryHour,
               expiry.from == kAlways ? kAlways : HourOf(expiry.from));
  if (expiry.to != kNever) {
    rows.upper =
        CounterKey(counters, CounterClass::kExpiryHour, expiry.to) + '\0';
  }
  Cursor cursor = store.NewCursor(nullptr, Family::kStat, std::move(rows));
  int64_t sum = 0;
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    if (most_rows-- == 0) return std::nullopt;
    sum += DecodeCount(cursor.value()).value_or(0);
  }
  if (!cursor.status().ok()) return std::nullopt;
  return static_cast<uint64_t>(std::max<int64_t>(sum, 0));
}

}  // namespace tokendb
