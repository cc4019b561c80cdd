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

}  // namespace

absl::Status MonotoneClock::Load() {
  PinnedValue value;
  ASSIGN_OR_RETURN(const bool found,
                   store_.Get(nullptr, Family::kMeta, kClockKey, value));
  if (found) {
    if (value.view().size() != sizeof(uint64_t)) {
      return absl::DataLossError("the kept clock is malformed");
    }
    resumed_ = highest_ = kept_ =
        FromOrderedMillis(LoadBig64(value.view().data()));
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
  highest = std::max(highest, now);
  const Millis kept = kept_.load();
  if ((kept == kAlways || highest - kept >= kKeepEvery) &&
      keeping_.try_lock()) {
    // If it cannot be written, the next call tries again; whoever asked for
    // the time meets the failure on their own account.
    Write(highest).IgnoreError();
    keeping_.unlock();
  }
  return highest;
}

absl::Status MonotoneClock::Save() {
  const std::lock_guard lock(keeping_);
  return Write(highest_.load());
}

absl::Status MonotoneClock::Write(Millis time) {
  if (time <= kept_.load()) return absl::OkStatus();
  std::string value;
  AppendBig64(value, OrderedMillis(time));
  Batch batch = store_.NewBatch();
  batch.Put(Family::kMeta, kClockKey, value);
  RETURN_IF_ERROR(store_.Commit(batch, Durability::kBuffered));
  kept_ = time;
  return absl::OkStatus();
}

}  // namespace tokendb
