#include "src/query/plan.h"

#include <algorithm>

#include "src/index/counters.h"
#include "src/index/keys.h"
#include "src/query/live_count.h"

namespace tokendb {
namespace {

// A record read by MultiGet costs about as much as this many entries of a
// range; measured with the benchmark's tokens, cached.
constexpr double kFetchCost = 12;

// Terms beyond this many are taken to be like the first ones.
constexpr size_t kEstimatedTerms = 16;

bool IsPointRead(Driver driver) {
  return driver == Driver::kIds || driver == Driver::kDigest;
}

KeyRange ExpiryRange(const std::string& prefix, const MillisRange& expiry) {
  KeyRange range{.lower = prefix, .upper = {}};
  AppendBig64(range.lower, OrderedMillis(expiry.from));
  if (expiry.to == kNever) {
    range.upper = PrefixEnd(prefix);
  } else {
    range.upper = prefix;
    AppendBig64(range.upper, OrderedMillis(expiry.to + 1));
  }
  return range;
}

// Cuts off what lies at or before `after` in the direction of reading.
void CutOff(KeyRange& range, const std::string& prefix, Driver driver,
            const Position& after, Direction direction) {
  std::string bound = prefix;
  AppendBig64(bound, OrderedMillis(after.time));
  bound += after.id.bytes();
  if (direction == Direction::kDescending) {
    range.upper = std::min(range.upper, bound);
    return;
  }
  // In the creation index expiry and id follow the bound once more.
  bound = driver == Driver::kCreation ? PrefixEnd(bound) : bound + '\0';
  range.lower = std::max(range.lower, bound);
}

// A range smaller than what the store can estimate is taken for this part of
// its term, so that the smaller term is preferred.
constexpr uint64_t kSmallRangePart = 16;

// Counters are read for an estimate as long as they are few: those of an owner
// with few tokens are, those of a large scope are not.
constexpr uint64_t kMostCounters = 32;

// The tokens that are live, of owners; nothing if that is not known cheaply.
std::optional<uint64_t> EstimateFromCounters(const Store& store,
                                             const Conditions& conditions,
                                             const DriverOption& option) {
  if (option.driver != Driver::kOwner ||
      conditions.expiry().from <= conditions.now() ||
      option.prefixes.size() > kEstimatedTerms) {
    return std::nullopt;
  }
  uint64_t entries = 0;
  for (const std::string& owner : conditions.owners()) {
    const auto of_owner = EstimateLive(store, OwnerSubject(owner),
                                       conditions.expiry(), kMostCounters);
    if (!of_owner.has_value()) return std::nullopt;
    entries += *of_owner;
  }
  if (conditions.owners().empty()) return std::nullopt;
  return entries;
}

uint64_t Estimate(const Store& store, const Conditions& conditions,
                  const DriverOption& option) {
  const auto counted = EstimateFromCounters(store, conditions, option);
  if (counted.has_value()) return *counted;
  DriverOption first = option;
  first.prefixes.resize(std::min(kEstimatedTerms, option.prefixes.size()));
  uint64_t entries = 0;
  for (const KeyRange& range : RangesOf(first, conditions, std::nullopt)) {
    entries += store.EstimateEntries(Family::kIndex, range);
  }
  if (entries == 0) {
    for (const std::string& prefix : first.prefixes) {
      entries +=
          store.EstimateEntries(Family::kIndex, {prefix, PrefixEnd(prefix)});
    }
    entries /= kSmallRangePart;
  }
  return entries * option.prefixes.size() /
         std::max<size_t>(1, first.prefixes.size());
}

// All drivers that find every match, before costs. Of those that deliver one
// order, ones whose entries are a part of another's make the other pointless.
std::vector<DriverOption> Options(const IndexSet& indexes,
                                  const Conditions& conditions,
                                  Purpose purpose) {
  const Query& query = conditions.query();
  if (conditions.impossible()) return {{.driver = Driver::kNothing}};
  if (!query.ids.empty()) return {{.driver = Driver::kIds}};
  if (query.digest.has_value()) return {{.driver = Driver::kDigest}};

  std::vector<DriverOption> options;
  if (query.without_owner) {
    options.push_back({Driver::kOwner, {OwnerPrefix(std::nullopt)}});
  } else if (!conditions.owners().empty()) {
    DriverOption& option = options.emplace_back();
    option.driver = Driver::kOwner;
    for (const std::string& owner : conditions.owners()) {
      option.prefixes.push_back(OwnerPrefix(owner));
    }
  }
  if (conditions.without_scopes()) {
    options.push_back({Driver::kScopeAllOf, {ScopePrefix(kNoScope)}});
  }
  for (const uint32_t scope : conditions.all_of()) {
    options.push_back({Driver::kScopeAllOf, {ScopePrefix(scope)}});
  }
  if (!conditions.any_of().empty()) {
    DriverOption& option = options.emplace_back();
    option.driver = Driver::kScopeAnyOf;
    for (const uint32_t scope : conditions.any_of()) {
      option.prefixes.push_back(ScopePrefix(scope));
    }
  }
  const auto add_optional = [&](OptionalIndex index, Driver driver,
                                const std::string& text) {
    if (text.empty() || !indexes.IsReadable(index)) return;
    options.push_back({driver, {indexes.TermPrefix(index, text)}});
  };
  add_optional(OptionalIndex::kOrganization, Driver::kOrganization,
               query.organization);
  add_optional(OptionalIndex::kKind, Driver::kKind, query.kind);
  if (options.empty()) {
    options.push_back({Driver::kExpiry, {IndexPrefix(IndexKind::kExpiry)}});
  }
  const bool in_order =
      purpose == Purpose::kPage || purpose == Purpose::kStream;
  if (!conditions.created().IsAll() ||
      (in_order && query.order == Order::kCreation)) {
    options.push_back({Driver::kCreation, {IndexPrefix(IndexKind::kCreation)}});
  }
  if (purpose == Purpose::kCountByOwner && conditions.owners().empty()) {
    options.push_back({Driver::kAllOwners, {IndexPrefix(IndexKind::kOwner)}});
  }
  return options;
}

bool Delivers(Driver driver, Order order) {
  return driver == Driver::kNothing || IsPointRead(driver) ||
         OrderOf(driver) == order;
}

// The entries to examine until the page is full, if matches are spread evenly.
double CostOf(const DriverOption& option, const Conditions& conditions,
              Purpose purpose, uint64_t fewest) {
  const Query& query = conditions.query();
  const auto entries = static_cast<double>(option.estimated_entries);
  switch (purpose) {
    case Purpose::kPage:
      if (!Delivers(option.driver, query.order)) return entries;
      return entries * std::min(1.0, static_cast<double>(query.limit + 1) /
                                         static_cast<double>(
                                             std::max<uint64_t>(1, fewest)));
    case Purpose::kCountByOwner:
      return option.driver == Driver::kOwner ||
                     option.driver == Driver::kAllOwners
                 ? entries
                 : entries * (1 + kFetchCost);
    case Purpose::kStream:
    case Purpose::kCount:
      return entries;
  }
  return entries;
}

}  // namespace

std::string_view DriverName(Driver driver) {
  switch (driver) {
    case Driver::kNothing:
      return "nothing";
    case Driver::kIds:
      return "ids";
    case Driver::kDigest:
      return "digest";
    case Driver::kOwner:
      return "owner";
    case Driver::kScopeAllOf:
      return "scope all of";
    case Driver::kScopeAnyOf:
      return "scope any of";
    case Driver::kExpiry:
      return "expiry";
    case Driver::kCreation:
      return "creation";
    case Driver::kAllOwners:
      return "all owners";
    case Driver::kOrganization:
      return "organization";
    case Driver::kKind:
      return "kind";
  }
  return "unknown";
}

Order OrderOf(Driver driver) {
  return driver == Driver::kCreation ? Order::kCreation : Order::kExpiry;
}

DecidedBy ConditionOf(Driver driver) {
  switch (driver) {
    case Driver::kOwner:
      return DecidedBy::kOwner;
    case Driver::kOrganization:
      return DecidedBy::kOrganization;
    case Driver::kKind:
      return DecidedBy::kKind;
    case Driver::kNothing:
    case Driver::kIds:
    case Driver::kDigest:
    case Driver::kScopeAllOf:
    case Driver::kScopeAnyOf:
    case Driver::kExpiry:
    case Driver::kCreation:
    case Driver::kAllOwners:
      return DecidedBy::kNone;
  }
  return DecidedBy::kNone;
}

std::vector<KeyRange> RangesOf(const DriverOption& option,
                               const Conditions& conditions,
                               const std::optional<Position>& after) {
  const Query& query = conditions.query();
  std::vector<KeyRange> ranges;
  for (const std::string& prefix : option.prefixes) {
    KeyRange range;
    if (option.driver == Driver::kAllOwners) {
      range = {prefix, PrefixEnd(prefix)};
    } else {
      range = ExpiryRange(prefix, option.driver == Driver::kCreation
                                      ? conditions.created()
                                      : conditions.expiry());
    }
    if (after.has_value() && OrderOf(option.driver) == query.order) {
      CutOff(range, prefix, option.driver, *after, query.direction);
    }
    if (range.lower < range.upper) ranges.push_back(std::move(range));
  }
  return ranges;
}

Plan MakePlan(const Store& store, const IndexSet& indexes,
              const Conditions& conditions, Purpose purpose,
              Estimates estimates) {
  const Query& query = conditions.query();
  std::vector<DriverOption> options = Options(indexes, conditions, purpose);
  const bool ordered_only = purpose == Purpose::kStream ||
                            (purpose == Purpose::kPage && IsWorkBounded(query));
  if (ordered_only) {
    std::erase_if(options, [&](const DriverOption& option) {
      return !Delivers(option.driver, query.order);
    });
  }
  if (options.size() > 1 || estimates == Estimates::kAlways) {
    uint64_t fewest = std::numeric_limits<uint64_t>::max();
    for (DriverOption& option : options) {
      option.estimated_entries = IsPointRead(option.driver)
                                     ? std::max<size_t>(1, query.ids.size())
                                     : Estimate(store, conditions, option);
      fewest = std::min(fewest, option.estimated_entries);
    }
    for (DriverOption& option : options) {
      option.cost = CostOf(option, conditions, purpose, fewest);
    }
    std::stable_sort(options.begin(), options.end(),
                     [](const DriverOption& a, const DriverOption& b) {
                       return a.cost < b.cost;
                     });
  }
  Plan plan;
  plan.chosen = options.front();
  plan.considered = std::move(options);
  plan.ordered = Delivers(plan.chosen.driver, query.order);
  return plan;
}

}  // namespace tokendb
