// Takes the place of the library's decision in property_negative_control: the
// mistake that brings older versions of records back.
#include "src/storage/drop_decision.h"

namespace tokendb {

rocksdb::CompactionFilter::Decision DropDecision(Family family,
                                                 const EntryExpiry& expiry,
                                                 const Cutoff& cutoff) {
  const bool in_all_versions =
      family == Family::kToken ||
      (family == Family::kIndex && expiry.expires_at <= cutoff.Earlier());
  return in_all_versions
             ? rocksdb::CompactionFilter::Decision::kRemoveAndSkipUntil
             : rocksdb::CompactionFilter::Decision::kRemove;
}

}  // namespace tokendb
