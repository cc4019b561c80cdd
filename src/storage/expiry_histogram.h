#ifndef TOKENDB_SRC_STORAGE_EXPIRY_HISTOGRAM_H_
#define TOKENDB_SRC_STORAGE_EXPIRY_HISTOGRAM_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "src/storage/entry_expiry.h"

namespace tokendb {

// How many bytes of a table file expire when. Kept in the file's properties, so
// that files worth rewriting are found without reading them.
//
// Times are rounded up to the end of a bucket: what it says is forgotten is
// forgotten.
class ExpiryHistogram {
 public:
  // Adds an entry of a key and a value of together `bytes`. Nothing: an entry
  // that never expires.
  void Add(const std::optional<EntryExpiry>& expiry, uint64_t bytes);

  // At most kMaxBuckets buckets of each kind, the smallest merged.
  std::string Encode() const;

  // Nothing if `encoded` is malformed.
  static std::optional<ExpiryHistogram> Decode(std::string_view encoded);

  uint64_t total_bytes() const { return total_bytes_; }
  uint64_t ForgottenBytes(const Cutoff& cutoff) const;

 private:
  static constexpr size_t kMaxBuckets = 128;
  // While a file is written; more are merged two by two.
  static constexpr size_t kMaxWorkingBuckets = 4096;

  // Ends of buckets to their bytes, apart for each EntryExpiry::Revoked. Not
  // sorted: an entry is added for each one written, whatever its expiry.
  struct Kind {
    absl::flat_hash_map<Millis, uint64_t> bytes_until;
    Millis width = 1000;
  };
  static void Widen(Kind& kind);

  std::array<Kind, 3> kinds_;
  uint64_t total_bytes_ = 0;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_EXPIRY_HISTOGRAM_H_
