// What the storage layer must know of the entries it keeps, to take their space
// back: when they expire. The layers above, which know their form, tell.
#ifndef TOKENDB_SRC_STORAGE_ENTRY_EXPIRY_H_
#define TOKENDB_SRC_STORAGE_ENTRY_EXPIRY_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/model/liveness.h"
#include "src/storage/family.h"

namespace tokendb {

struct EntryExpiry {
  Millis expires_at = kNever;
  // Which of the cutoff's times counts; kUnknown: both must have passed.
  enum class Revoked : uint8_t { kNo, kYes, kUnknown } revoked = Revoked::kNo;

  bool IsForgotten(const Cutoff& cutoff) const {
    switch (revoked) {
      case Revoked::kNo:
        return expires_at <= cutoff.expired;
      case Revoked::kYes:
        return expires_at <= cutoff.revoked;
      case Revoked::kUnknown:
        return expires_at <= cutoff.Earlier();
    }
    return false;
  }
};

struct EntryReader {
  // When an entry expires, read as cheaply as can be; nothing if the entry
  // cannot be read or its family knows no expiry.
  std::optional<EntryExpiry> (*expiry)(Family, std::string_view key,
                                       std::string_view value);

  // Whether an entry may be believed. Called before one is dropped.
  bool (*intact)(Family, std::string_view key, std::string_view value);

  // After `key`, an index entry that is forgotten: the first key that may be
  // of one that is not. All between are forgotten, whatever their values.
  std::string (*first_remembered)(std::string_view key, const Cutoff&);
};

// What compactions may drop by now. Nothing until it is first set.
class SharedCutoff {
 public:
  // Neither time may be earlier than before.
  void Set(const Cutoff& cutoff) {
    expired_ = cutoff.expired;
    revoked_ = cutoff.revoked;
  }
  Cutoff Get() const { return {.expired = expired_, .revoked = revoked_}; }

 private:
  // Each grows by itself: one read before and one after Set() are as good as
  // two cutoffs in a row.
  std::atomic<Millis> expired_ = kAlways;
  std::atomic<Millis> revoked_ = kAlways;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_ENTRY_EXPIRY_H_
