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

namespace tokendb {
namespace {

constexpr std::string_view kCutoffKey = "cutoff";
constexpr std::string_view kPeriodsKey = "retention";
constexpr Millis kDefaultPeriod = 60 * 1000;
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

absl::Status WritePair(Store& store, std::string_view key, const Pair& pair) {
  std::string value;
  AppendBig64(value, OrderedMillis(pair.first));
  AppendBig64(value, OrderedMillis(pair.second));
  Batch batch = store.NewBatch();
  batch.Put(Family::kMeta, key, value);
  return store.Commit(batch, Durability::kSync);
}

absl::StatusOr<Millis> PeriodOf(absl::Duration period, const char* name) {
  if (period < absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(name, " is negative"));
  }
  // Rounded up: no token is forgotten before its period has passed.
  const absl::Duration whole = absl::Ceil(period, absl::Milliseconds(1));
  return absl::ToInt64Milliseconds(whole);  // kNever if it is infinite.
}

// `now` - `period`, held to the times there are.
Millis Minus(Millis now, Millis period) {
  return now < kAlways + period ? kAlways : now - period;
}

}  // namespace

absl::Status Retention::Load(const OpenOptions& options) {
  RETURN_IF_ERROR(LoadPeriods(options));
  ASSIGN_OR_RETURN(const auto cutoff, ReadPair(store_, kCutoffKey));
  if (cutoff.has_value()) {
    const Cutoff kept{.expired = cutoff->first, .revoked = cutoff->second};
    kept_.Set(kept);
    store_.AllowDropping(kept);
  }
  return absl::OkStatus();
}

absl::Status Retention::LoadPeriods(const OpenOptions& options) {
  ASSIGN_OR_RETURN(const auto kept, ReadPair(store_, kPeriodsKey));
  Pair periods = kept.value_or(Pair{kDefaultPeriod, kDefaultPeriod});
  if (options.retain_expired.has_value()) {
    ASSIGN_OR_RETURN(periods.first,
                     PeriodOf(*options.retain_expired, "retain_expired"));
  }
  if (options.retain_revoked.has_value()) {
    ASSIGN_OR_RETURN(periods.second,
                     PeriodOf(*options.retain_revoked, "retain_revoked"));
  }
  if (kept != periods) RETURN_IF_ERROR(WritePair(store_, kPeriodsKey, periods));
  std::tie(retain_expired_, retain_revoked_) = periods;
  return absl::OkStatus();
}

Cutoff Retention::Before(Millis now) const {
  return {.expired = Minus(now, retain_expired_),
          .revoked = Minus(now, retain_revoked_)};
}

Cutoff Retention::At(Millis now) const {
  const Cutoff kept = this->kept();
  const Cutoff before = Before(now);
  return {.expired = std::max(kept.expired, before.expired),
          .revoked = std::max(kept.revoked, before.revoked)};
}

// The order matters: the time is taken before the snapshots are asked. A call
// whose snapshot is not seen here takes its time after that, so that its own
// cutoff is not before this one.
absl::Status Retention::Advance() {
  const std::lock_guard advancing(advancing_);
  const Millis now = clock_.Now();
  const Cutoff allowed = Before(std::min(now, store_.EarliestSnapshot()));
  Cutoff next = kept();
  next.expired = std::max(next.expired, allowed.expired);
  next.revoked = std::max(next.revoked, allowed.revoked);
  if (next == kept()) return absl::OkStatus();
  RETURN_IF_ERROR(WritePair(store_, kCutoffKey, {next.expired, next.revoked}));
  kept_.Set(next);
  store_.AllowDropping(next);
  return absl::OkStatus();
}

}  // namespace tokendb
