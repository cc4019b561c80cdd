#include "src/storage/expiry_histogram.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "src/base/coding.h"

namespace tokendb {
namespace {

// The end of the bucket that `time` is in.
Millis RoundUp(Millis time, Millis width) {
  Millis rest = time % width;
  if (rest == 0) return time;
  if (rest < 0) rest += width;
  return time > kNever - 1 - width ? kNever - 1 : time - rest + width;
}

}  // namespace

void ExpiryHistogram::Add(const std::optional<EntryExpiry>& expiry,
                          uint64_t bytes) {
  total_bytes_ += bytes;
  if (!expiry.has_value() || expiry->expires_at == kNever) return;
  Kind& kind = kinds_[static_cast<size_t>(expiry->revoked)];
  kind.bytes_until[RoundUp(expiry->expires_at, kind.width)] += bytes;
  while (kind.bytes_until.size() > kMaxWorkingBuckets) Widen(kind);
}

void ExpiryHistogram::Widen(Kind& kind) {
  kind.width *= 2;
  absl::flat_hash_map<Millis, uint64_t> wider;
  for (const auto& [until, bytes] : kind.bytes_until) {
    wider[RoundUp(until, kind.width)] += bytes;
  }
  kind.bytes_until = std::move(wider);
}

// total, then for each kind the number of buckets and the buckets: end be64,
// bytes varint.
std::string ExpiryHistogram::Encode() const {
  std::string out;
  AppendVarint(out, total_bytes_);
  for (const Kind& kind : kinds_) {
    uint64_t kind_bytes = 0;
    std::vector<std::pair<Millis, uint64_t>> sorted(kind.bytes_until.begin(),
                                                    kind.bytes_until.end());
    std::sort(sorted.begin(), sorted.end());
    for (const auto& [until, bytes] : sorted) kind_bytes += bytes;
    // Each bucket but the last is filled to its share of the bytes.
    const uint64_t share = kind_bytes / kMaxBuckets + 1;
    std::string buckets;
    uint64_t count = 0;
    uint64_t in_bucket = 0;
    for (const auto& [until, bytes] : sorted) {
      in_bucket += bytes;
      if (in_bucket < share && until != sorted.back().first) continue;
      AppendBig64(buckets, OrderedMillis(until));
      AppendVarint(buckets, in_bucket);
      ++count;
      in_bucket = 0;
    }
    AppendVarint(out, count);
    out += buckets;
  }
  return out;
}

std::optional<ExpiryHistogram> ExpiryHistogram::Decode(
    std::string_view encoded) {
  ExpiryHistogram histogram;
  if (!ConsumeVarint(encoded, histogram.total_bytes_)) return std::nullopt;
  for (Kind& kind : histogram.kinds_) {
    uint64_t count = 0;
    if (!ConsumeVarint(encoded, count)) return std::nullopt;
    for (uint64_t i = 0; i < count; ++i) {
      Millis until = 0;
      uint64_t bytes = 0;
      if (!ConsumeMillis(encoded, until) || !ConsumeVarint(encoded, bytes)) {
        return std::nullopt;
      }
      kind.bytes_until[until] += bytes;
    }
  }
  if (!encoded.empty()) return std::nullopt;
  return histogram;
}

uint64_t ExpiryHistogram::ForgottenBytes(const Cutoff& cutoff) const {
  uint64_t forgotten = 0;
  for (size_t i = 0; i < kinds_.size(); ++i) {
    EntryExpiry expiry{.revoked = static_cast<EntryExpiry::Revoked>(i)};
    for (const auto& [until, bytes] : kinds_[i].bytes_until) {
      expiry.expires_at = until;
      if (expiry.IsForgotten(cutoff)) forgotten += bytes;
    }
  }
  return forgotten;
}

}  // namespace tokendb
