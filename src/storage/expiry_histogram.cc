#include "src/storage/expiry_histogram.h"

#include "src/base/coding.h"

namespace tokendb {
namespace {

// The end of the bucket that `time` is in.
Millis RoundUp(Millis time, Millis width) {
  const Millis rest = ((time % width) + width) % width;
  if (rest == 0) return time;
  return time > kNever - 1 - width ? kNever - 1 : time - rest + width;
}

bool ConsumeMillis(std::string_view& in, Millis& millis) {
  if (in.size() < sizeof(uint64_t)) return false;
  millis = FromOrderedMillis(LoadBig64(in.data()));
  in.remove_prefix(sizeof(uint64_t));
  return true;
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
  std::map<Millis, uint64_t> wider;
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
    for (const auto& [until, bytes] : kind.bytes_until) kind_bytes += bytes;
    // Each bucket but the last is filled to its share of the bytes.
    const uint64_t share = kind_bytes / kMaxBuckets + 1;
    std::string buckets;
    uint64_t count = 0;
    uint64_t in_bucket = 0;
    for (const auto& [until, bytes] : kind.bytes_until) {
      in_bucket += bytes;
      if (in_bucket < share && until != kind.bytes_until.rbegin()->first) {
        continue;
      }
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
      if (!expiry.IsForgotten(cutoff)) break;
      forgotten += bytes;
    }
  }
  return forgotten;
}

}  // namespace tokendb
