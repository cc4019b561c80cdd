#include "src/db/retention.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/db/period.h"

namespace tokendb {
namespace {

constexpr std::string_view kCutoffKey = "cutoff";
constexpr std::string_view kPeriodsKey = "retention";
constexpr Millis kDefaultPeriod = Millis{60} * 1000;
constexpr size_t kPairBytes = 2 * sizeof(uint64_t);

using Pair = std::pair<Millis, Millis>;

// Two times or periods in one row, each ordered and big-endian.
absl::StatusOr<std::optional<Pair>> ReadPair(const Store& store,
                                             std::string_view key) {
  PinnedValue value;
  ASSIGN_OR_RETURN(const bool found,
                   store.Get(nullptr, Family::kMeta, key, value));
  if (!found) return std::nullopt;
  const std::string_view bytes = value.view();
  if (bytes.size() != kPairBytes) {
    return absl::DataLossError(
        absl::StrCat("the kept ", AbslView(key), " is malformed"));
  }
  return Pair{FromOrderedMillis(LoadBig64(bytes.data())),
              FromOrderedMillis(LoadBig64(bytes.data() + sizeof(uint64_t)))};
}

std::string PairValue(const Pair& pair) {
  std::string value;
  AppendBig64(value, OrderedMillis(pair.first));
  AppendBig64(value, OrderedMillis(pair.second));
  return value;
}

Cutoff Later(const Cutoff& a, const Cutoff& b) {
  return {.expired = std::max(a.expired, b.expired),
          .revoked = std::max(a.revoked, b.revoked)};
}

}  // namespace

absl::Status Retention::Load(const OpenOptions& options) {
  ASSIGN_OR_RETURN(const auto cutoff, ReadPair(store_, kCutoffKey));
  ASSIGN_OR_RETURN(const auto periods, ReadPair(store_, kPeriodsKey));
  Cutoff kept;
  if (cutoff.has_value()) {
    kept = {.expired = cutoff->first, .revoked = cutoff->second};
  }
  Pair wanted = periods.value_or(Pair{kDefaultPeriod, kDefaultPeriod});
  std::tie(retain_expired_, retain_revoked_) = wanted;
  if (options.retain_expired.has_value()) {
    ASSIGN_OR_RETURN(wanted.first,
                     PeriodOf(*options.retain_expired, "retain_expired"));
  }
  if (options.retain_revoked.has_value()) {
    ASSIGN_OR_RETURN(wanted.second,
                     PeriodOf(*options.retain_revoked, "retain_revoked"));
  }
  if (periods != wanted) {
    // What was forgotten under the old periods stays so under longer ones.
    if (periods.has_value()) kept = Later(kept, Before(clock_.resumed()));
    Batch batch = store_.NewBatch();
    batch.Put(Family::kMeta, kCutoffKey,
              PairValue({kept.expired, kept.revoked}));
    batch.Put(Family::kMeta, kPeriodsKey, PairValue(wanted));
    RETURN_IF_ERROR(store_.Commit(batch, Durability::kSync));
  }
  std::tie(retain_expired_, retain_revoked_) = wanted;
  kept_.Set(kept);
  store_.AllowDropping(kept);
  return absl::OkStatus();
}

Cutoff Retention::Before(Millis now) const {
  return {.expired = Minus(now, retain_expired_),
          .revoked = Minus(now, retain_revoked_)};
}

Cutoff Retention::At(Millis now) const { return Later(kept(), Before(now)); }

// The order matters: the time is taken before the snapshots are asked. A call
// whose snapshot is not seen here takes its time after that, so that its own
// cutoff is not before this one.
absl::Status Retention::Advance() {
  const std::lock_guard advancing(advancing_);
  const Millis now = clock_.Now();
  const Cutoff allowed = Before(std::min(now, store_.EarliestSnapshot()));
  const Cutoff next = Later(kept(), allowed);
  if (next == kept()) return absl::OkStatus();
  Batch batch = store_.NewBatch();
  batch.Put(Family::kMeta, kCutoffKey, PairValue({next.expired, next.revoked}));
  RETURN_IF_ERROR(store_.Commit(batch, Durability::kSync));
  kept_.Set(next);
  store_.AllowDropping(next);
  return absl::OkStatus();
}

}  // namespace tokendb
