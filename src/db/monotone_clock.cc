#include "src/db/monotone_clock.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "src/base/coding.h"
#include "src/base/status_macros.h"

namespace tokendb {
namespace {

constexpr std::string_view kClockKey = "clock";
constexpr Millis kKeepEvery = 1000;

void PutTime(Batch& batch, Millis time) {
  std::string value;
  AppendBig64(value, OrderedMillis(time));
  batch.Put(Family::kMeta, kClockKey, value);
}

}  // namespace

absl::Status MonotoneClock::Load(const Store& store) {
  PinnedValue value;
  ASSIGN_OR_RETURN(const bool found,
                   store.Get(nullptr, Family::kMeta, kClockKey, value));
  if (found && value.view().size() != sizeof(uint64_t)) {
    return absl::DataLossError("the kept clock is malformed");
  }
  if (found) {
    highest_ = kept_ = FromOrderedMillis(LoadBig64(value.view().data()));
  }
  Now();
  return absl::OkStatus();
}

Millis MonotoneClock::Now() {
  // A clock outside the times tokens can have is held to them.
  const Millis now =
      std::clamp(FloorToMillis(clock_.Now()), kMinMillis, kMaxMillis);
  Millis highest = highest_.load();
  while (highest < now && !highest_.compare_exchange_weak(highest, now)) {
  }
  return std::max(highest, now);
}

void MonotoneClock::Keep(Batch& batch) {
  const Millis now = highest_.load();
  Millis kept = kept_.load();
  const bool due = kept == kAlways || now - kept >= kKeepEvery;
  // Of several threads one writes the time.
  if (due && kept_.compare_exchange_strong(kept, now)) PutTime(batch, now);
}

absl::Status MonotoneClock::Save(Store& store) {
  const Millis now = highest_.load();
  if (now == kAlways || now == kept_.load()) return absl::OkStatus();
  Batch batch = store.NewBatch();
  PutTime(batch, now);
  return store.Commit(batch, Durability::kBuffered);
}

}  // namespace tokendb
