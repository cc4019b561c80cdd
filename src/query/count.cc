// Count(), CountBy(), and walking over all matches.
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/index/counters.h"
#include "src/index/keys.h"
#include "src/query/live_count.h"
#include "src/query/run.h"

namespace tokendb {
namespace {

constexpr size_t kFetchBatch = 256;
constexpr Millis kMillisPerDay = 24 * kMillisPerHour;

// Counts matches apart. Keys are texts or numbers in the order of their texts;
// they become texts when all is counted.
class Grouper {
 public:
  Grouper(Grouping grouping, const Conditions& conditions)
      : grouping_(grouping), now_(conditions.now()) {}

  // Counts a match from its index entry, if that says enough.
  absl::StatusOr<bool> CountEntry(const Hit& hit, std::string_view key,
                                  const Cover& cover, bool owner_in_key);
  void CountRecord(const Token& token);

  absl::StatusOr<std::vector<Group>> Finish(
      const ScopeDictionary& scopes) const;

 private:
  void CountTime(Millis expires_at) {
    const Millis unit =
        grouping_ == Grouping::kExpiryHour ? kMillisPerHour : kMillisPerDay;
    if (expires_at == kNever) {
      ++times_[kNever];
      return;
    }
    // Towards the past, also before 1970.
    const Millis rest = ((expires_at % unit) + unit) % unit;
    ++times_[expires_at - rest];
  }

  Grouping grouping_;
  Millis now_;
  std::map<std::optional<std::string>, uint64_t> texts_;
  std::map<uint32_t, uint64_t> scopes_;
  std::map<Millis, uint64_t> times_;
};

absl::StatusOr<bool> Grouper::CountEntry(const Hit& hit, std::string_view key,
                                         const Cover& cover,
                                         bool owner_in_key) {
  switch (grouping_) {
    case Grouping::kOwner: {
      if (!owner_in_key) return false;
      bool valid = false;
      ++texts_[OwnerFromTerm(TermOf(key), valid)];
      if (valid) return true;
      return absl::DataLossError(
          absl::StrCat("index entry ", Hex(key), " is malformed"));
    }
    case Grouping::kScope: {
      if (cover.scopes_left_out) return false;
      ScopeNumbers numbers;
      if (!ParseScopes(cover.encoded_scopes, numbers)) {
        return absl::DataLossError(
            absl::StrCat("index entry ", Hex(key), " is malformed"));
      }
      if (numbers.empty()) ++scopes_[kNoScope];
      for (const uint32_t number : numbers) ++scopes_[number];
      return true;
    }
    case Grouping::kState: {
      Validity validity = cover.validity;
      validity.expires_at = hit.expires_at;
      ++texts_[std::string(TokenStateName(StateAt(validity, now_)))];
      return true;
    }
    case Grouping::kExpiryHour:
    case Grouping::kExpiryDay:
      CountTime(hit.expires_at);
      return true;
  }
  return false;
}

void Grouper::CountRecord(const Token& token) {
  switch (grouping_) {
    case Grouping::kOwner:
      ++texts_[token.owner.has_value()
                   ? std::optional<std::string>(token.owner->id)
                   : std::nullopt];
      return;
    case Grouping::kScope:
      if (token.scopes.empty()) ++texts_[std::nullopt];
      for (const std::string& scope : token.scopes) ++texts_[scope];
      return;
    case Grouping::kState:
      ++texts_[std::string(TokenStateName(StateAt(ValidityOf(token), now_)))];
      return;
    case Grouping::kExpiryHour:
    case Grouping::kExpiryDay:
      CountTime(ValidityOf(token).expires_at);
      return;
  }
}

absl::StatusOr<std::vector<Group>> Grouper::Finish(
    const ScopeDictionary& scopes) const {
  std::map<std::optional<std::string>, uint64_t> texts = texts_;
  for (const auto& [number, count] : scopes_) {
    std::vector<std::string> name;
    if (number == kNoScope) {
      texts[std::nullopt] += count;
      continue;
    }
    RETURN_IF_ERROR(scopes.NamesOf({number}, name));
    texts[name.front()] += count;
  }
  std::vector<Group> groups;
  groups.reserve(texts.size());
  for (const auto& [key, count] : texts) groups.push_back({key, count});
  const char* const format =
      grouping_ == Grouping::kExpiryHour ? "%E4Y-%m-%dT%H" : "%E4Y-%m-%d";
  for (const auto& [time, count] : times_) {
    std::string key =
        time == kNever
            ? "never"
            : absl::FormatTime(format, FromMillis(time), absl::UTCTimeZone());
    groups.push_back({std::move(key), count});
  }
  return groups;
}

// Walks over the matches: `entry` sees those an entry decides, and says whether
// it did without the record; `record` sees the others.
absl::Status Walk(const ReadView& view, const Conditions& conditions,
                  const Plan& plan, HitStream& stream,
                  absl::FunctionRef<absl::StatusOr<bool>(const Hit&)> entry,
                  absl::FunctionRef<void(const Hit&)> record,
                  QueryStats& stats) {
  std::vector<Hit> undecided;
  if (plan.chosen.driver == Driver::kIds ||
      plan.chosen.driver == Driver::kDigest) {
    ASSIGN_OR_RETURN(undecided, ReadPoints(view, conditions, plan, stats));
    for (const Hit& hit : undecided) record(hit);
    return absl::OkStatus();
  }
  const auto fetch = [&]() -> absl::Status {
    RETURN_IF_ERROR(
        FetchRecords(view, conditions, Need::kTokens, undecided, stats));
    for (const Hit& hit : undecided) record(hit);
    undecided.clear();
    return absl::OkStatus();
  };
  Hit hit;
  while (stream.Next(hit)) {
    bool counted = false;
    if (hit.decided) {
      ASSIGN_OR_RETURN(counted, entry(hit));
    }
    if (counted) continue;
    undecided.push_back(std::move(hit));
    if (undecided.size() == kFetchBatch) RETURN_IF_ERROR(fetch());
  }
  RETURN_IF_ERROR(stream.status());
  return fetch();
}

}  // namespace

absl::StatusOr<CountResult> CountTokens(const ReadView& view, Millis now,
                                        const Query& query) {
  const Stopwatch watch;
  ASSIGN_OR_RETURN(const Conditions conditions,
                   Conditions::Compile(query, view.scopes, now, view.cutoff));
  CountResult result;
  if (const auto subject = SubjectOf(conditions); subject.has_value()) {
    ASSIGN_OR_RETURN(result.count,
                     CountLive(view, now, *subject, result.stats));
    result.stats.matched = result.count;
    result.stats.elapsed = watch.Elapsed();
    return result;
  }
  const Plan plan = MakePlan(view.store, *view.indexes, conditions,
                             Purpose::kCount, Estimates::kWhenChoosing);
  HitStream stream(view, conditions, plan, std::nullopt, Budget(query),
                   result.stats);
  RETURN_IF_ERROR(Walk(
      view, conditions, plan, stream,
      [&](const Hit&) -> absl::StatusOr<bool> {
        ++result.count;
        return true;
      },
      [&](const Hit&) { ++result.count; }, result.stats));
  result.complete = !stream.out_of_budget();
  result.stats.matched = result.count;
  result.stats.elapsed = watch.Elapsed();
  return result;
}

absl::StatusOr<GroupedCount> CountTokensBy(const ReadView& view, Millis now,
                                           const Query& query,
                                           Grouping grouping) {
  const Stopwatch watch;
  ASSIGN_OR_RETURN(const Conditions conditions,
                   Conditions::Compile(query, view.scopes, now, view.cutoff));
  const Plan plan = MakePlan(
      view.store, *view.indexes, conditions,
      grouping == Grouping::kOwner ? Purpose::kCountByOwner : Purpose::kCount,
      Estimates::kWhenChoosing);
  const bool owner_in_key = plan.chosen.driver == Driver::kOwner ||
                            plan.chosen.driver == Driver::kAllOwners;
  GroupedCount result;
  Grouper grouper(grouping, conditions);
  HitStream stream(view, conditions, plan, std::nullopt, Budget(query),
                   result.stats);
  RETURN_IF_ERROR(Walk(
      view, conditions, plan, stream,
      [&](const Hit& hit) -> absl::StatusOr<bool> {
        ASSIGN_OR_RETURN(const bool counted,
                         grouper.CountEntry(hit, stream.key(), stream.cover(),
                                            owner_in_key));
        if (counted) ++result.stats.matched;
        return counted;
      },
      [&](const Hit& hit) {
        ++result.stats.matched;
        grouper.CountRecord(*hit.token);
      },
      result.stats));
  result.complete = !stream.out_of_budget();
  ASSIGN_OR_RETURN(result.groups, grouper.Finish(view.scopes));
  result.stats.elapsed = watch.Elapsed();
  return result;
}

}  // namespace tokendb
