// Explain().
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/index/keys.h"
#include "src/query/continuation.h"
#include "src/query/run.h"

namespace tokendb {
namespace {

constexpr size_t kMaxRangesShown = 20;

std::string Readable(Millis time) {
  if (time == kNever) return "never";
  if (time < kMinMillis) return "the beginning";
  if (time > kMaxMillis) return "the last expiry";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", FromMillis(time),
                          absl::UTCTimeZone());
}

std::string Readable(const MillisRange& range) {
  return absl::StrCat(Readable(range.from), " .. ", Readable(range.to));
}

// What the ranges of a driver are called, in the order of its prefixes.
std::vector<std::string> TermNames(const DriverOption& option,
                                   const Conditions& conditions,
                                   const ScopeDictionary& scopes) {
  std::vector<std::string> names;
  for (const std::string& prefix : option.prefixes) {
    const std::string_view term =
        std::string_view(prefix).substr(kIndexPrefixBytes);
    if (option.driver == Driver::kOwner) {
      bool valid = false;
      const auto owner = OwnerFromTerm(term, valid);
      names.push_back(
          owner.has_value()
              ? absl::StrCat("owner \"", absl::CEscape(*owner), "\"")
              : "no owner");
    } else if (option.driver == Driver::kScopeAllOf ||
               option.driver == Driver::kScopeAnyOf) {
      std::vector<std::string> scope;
      const bool known = scopes.NamesOf({LoadBig32(term.data())}, scope).ok();
      names.push_back(
          known ? absl::StrCat("scope \"", absl::CEscape(scope.front()), "\"")
                : "no scope");
    } else if (option.driver == Driver::kOrganization ||
               option.driver == Driver::kKind) {
      bool valid = false;
      const std::string text = OwnerFromTerm(term, valid).value_or("");
      names.push_back(absl::StrCat(std::string(DriverName(option.driver)),
                                   " \"", absl::CEscape(text), "\""));
    } else {
      names.emplace_back("all");
    }
    const MillisRange& range = option.driver == Driver::kCreation
                                   ? conditions.created()
                                   : conditions.expiry();
    absl::StrAppend(
        &names.back(),
        option.driver == Driver::kCreation ? ", created " : ", expiry ",
        Readable(range));
  }
  return names;
}

void AddReadableRanges(const Plan& plan, const Conditions& conditions,
                       const ScopeDictionary& scopes, Explanation& result) {
  const Query& query = conditions.query();
  for (const TokenId& id : query.ids) result.ranges.push_back(id.ToString());
  if (plan.chosen.driver == Driver::kDigest) {
    result.ranges.emplace_back("one digest");
  }
  for (std::string& name : TermNames(plan.chosen, conditions, scopes)) {
    result.ranges.push_back(std::move(name));
  }
  if (result.ranges.size() > kMaxRangesShown) {
    const size_t more = result.ranges.size() - kMaxRangesShown;
    result.ranges.resize(kMaxRangesShown);
    result.ranges.push_back(absl::StrCat("and ", more, " more"));
  }
}

}  // namespace

absl::StatusOr<Explanation> ExplainQuery(const ReadView& view, Millis now,
                                         const Query& query) {
  RETURN_IF_ERROR(CheckLimit(query));
  RETURN_IF_ERROR(ReadContinuation(query).status());
  ASSIGN_OR_RETURN(const Conditions conditions,
                   Conditions::Compile(query, view.scopes, now, view.cutoff));
  const Plan plan = MakePlan(view.store, *view.indexes, conditions,
                             Purpose::kPage, Estimates::kAlways);
  Explanation result;
  result.driver = std::string(DriverName(plan.chosen.driver));
  AddReadableRanges(plan, conditions, view.scopes, result);
  for (const DriverOption& option : plan.considered) {
    result.candidates.push_back({std::string(DriverName(option.driver)),
                                 option.estimated_entries, option.cost});
  }
  const DecidedBy decided = ConditionOf(plan.chosen.driver);
  result.on_index = conditions.IndexConditionNames(decided);
  result.on_record = conditions.RecordConditionNames(decided);
  if (!conditions.owners().empty() && decided != DecidedBy::kOwner) {
    result.on_record.emplace_back("owners");
  }
  result.order =
      absl::StrCat(query.order == Order::kExpiry ? "expiry" : "creation",
                   query.direction == Direction::kAscending ? ", ascending"
                                                            : ", descending");
  result.sorts = !plan.ordered;
  result.fetches_records = true;
  return result;
}

std::string Explanation::ToString() const {
  std::string text = absl::StrCat("driver: ", driver, "\n");
  for (const std::string& range : ranges) {
    absl::StrAppend(&text, "  range: ", range, "\n");
  }
  absl::StrAppend(&text, "order: ", order,
                  sorts ? " (all entries are read and the first kept)\n"
                        : " (as the index has it)\n");
  const auto line = [&](const char* name,
                        const std::vector<std::string>& conditions) {
    if (conditions.empty()) return;
    absl::StrAppend(&text, name, absl::StrJoin(conditions, ", "), "\n");
  };
  line("tested on index entries: ", on_index);
  line("tested on records: ", on_record);
  absl::StrAppend(&text, "records: ",
                  on_record.empty() ? "fetched for the page only\n"
                                    : "fetched for every entry that passes\n");
  text += "considered:\n";
  for (const Candidate& candidate : candidates) {
    absl::StrAppend(&text, "  ", candidate.driver, ": about ",
                    candidate.estimated_entries, " entries, cost ",
                    candidate.cost, "\n");
  }
  if (!actual.has_value()) return text;
  absl::StrAppend(&text, "actual: ", actual->seeks, " seeks, ",
                  actual->examined, " entries examined, ", actual->fetched,
                  " records fetched, ", actual->matched, " matched, ",
                  absl::FormatDuration(actual->elapsed), "\n");
  return text;
}

}  // namespace tokendb
