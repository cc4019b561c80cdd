#include "src/db/touches.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"

namespace tokendb {

absl::Status CheckTouchOptions(const TouchOptions& options) {
  if (options.flush_period <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("touch.flush_period is not positive");
  }
  if (options.resolution < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("touch.resolution is negative");
  }
  if (options.max_pending == 0) {
    return absl::InvalidArgumentError("touch.max_pending is 0; at least 1");
  }
  return absl::OkStatus();
}

Touches::Touches(HotWriter& writer, const TouchOptions& options)
    : writer_(writer), options_(options) {
  if (options_.flush_period == absl::InfiniteDuration()) return;
  // An error stays in Stats(), and what is pending for the next time.
  thread_.Start(options_.flush_period, [this] { Flush().IgnoreError(); });
}

Touches::~Touches() {
  thread_.Stop();
  Flush().IgnoreError();
}

absl::Status Touches::Note(const TokenId& id, absl::Time at,
                           std::string_view ip_address) {
  if (id.IsNil()) return absl::InvalidArgumentError("the id is nil");
  const Millis millis = FloorToMillis(at);
  if (millis < kMinMillis || millis > kMaxMillis) {
    return absl::InvalidArgumentError("at: not in the years 1 to 9999");
  }
  if (ip_address.size() > Limits::kIpAddressBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("ip_address: up to ", Limits::kIpAddressBytes,
                     " bytes, not ", ip_address.size()));
  }
  // Before, so that what cannot be written does not pile up.
  if (pending_.load(std::memory_order_relaxed) >= options_.max_pending) {
    RETURN_IF_ERROR(Flush());
  }
  Add(id, millis, ip_address);
  return absl::OkStatus();
}

void Touches::Add(const TokenId& id, Millis at, std::string_view ip_address) {
  Shard& shard = ShardOf(id);
  const std::lock_guard lock(shard.mutex);
  const auto [it, is_new] = shard.uses.try_emplace(id);
  if (!is_new && at < it->second.at) return;
  it->second.at = at;
  it->second.ip_address.assign(ip_address);
  if (is_new) pending_.fetch_add(1, std::memory_order_relaxed);
}

std::vector<HotWriter::Use> Touches::TakeAll() {
  std::vector<HotWriter::Use> taken;
  taken.reserve(pending_.load(std::memory_order_relaxed));
  for (Shard& shard : shards_) {
    Uses uses;
    {
      const std::lock_guard lock(shard.mutex);
      uses.swap(shard.uses);
    }
    for (auto& [id, use] : uses) {
      taken.push_back({id, use.at, std::move(use.ip_address)});
    }
  }
  // Neighbours in the file lie close to one another.
  std::sort(taken.begin(), taken.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  return taken;
}

absl::Status Touches::Flush() {
  const std::lock_guard flushing(flushing_);
  std::vector<HotWriter::Use> uses = TakeAll();
  if (uses.empty()) return absl::OkStatus();
  absl::Status status = WriteAll(std::move(uses));
  const std::lock_guard lock(mutex_);
  last_error_ = status;
  return status;
}

absl::Status Touches::WriteAll(std::vector<HotWriter::Use> uses) {
  const Millis resolution = absl::ToInt64Milliseconds(options_.resolution);
  absl::Span<HotWriter::Use> rest = absl::MakeSpan(uses);
  while (!rest.empty()) {
    const auto group =
        rest.first(std::min<size_t>(rest.size(), HotWriter::kGroup));
    const absl::StatusOr<uint64_t> written =
        writer_.WriteUses(group, resolution);
    if (!written.ok()) {
      // Back to the pending ones, unless a later use is there by now.
      pending_.fetch_sub(rest.size(), std::memory_order_relaxed);
      for (const HotWriter::Use& use : rest) {
        Add(use.id, use.at, use.ip_address);
      }
      return written.status();
    }
    written_ += *written;
    dropped_ += group.size() - *written;
    pending_.fetch_sub(group.size(), std::memory_order_relaxed);
    rest.remove_prefix(group.size());
  }
  return absl::OkStatus();
}

TouchStats Touches::Stats() const {
  const std::lock_guard lock(mutex_);
  return {.pending = pending_,
          .written = written_,
          .dropped = dropped_,
          .last_error = last_error_};
}

}  // namespace tokendb
