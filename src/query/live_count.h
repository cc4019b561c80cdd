#ifndef TOKENDB_SRC_QUERY_LIVE_COUNT_H_
#define TOKENDB_SRC_QUERY_LIVE_COUNT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "src/query/conditions.h"
#include "src/query/hit_stream.h"

namespace tokendb {

// What counters (src/index/counters.h) are kept for.
struct CountedSubject {
  std::string counters;  // The first part of the counters' keys.
  std::string entries;   // The prefix of its index entries.
};

// The subject whose live tokens are exactly what `conditions` match; nothing if
// they say more or less than that.
std::optional<CountedSubject> SubjectOf(const Conditions& conditions);

// Counts the live tokens of a subject. Reads one row for each hour in which one
// of them expires, and the index entries of the rest of this hour. DataLoss if
// a row is malformed or the sum is negative.
absl::StatusOr<uint64_t> CountLive(const ReadView& view, Millis now,
                                   const CountedSubject& subject,
                                   QueryStats& stats);

// How many tokens of a subject expire within `expiry`, by the hour, if they are
// live now; nothing if that takes more than `most_rows`.
std::optional<uint64_t> EstimateLive(const Store& store,
                                     const std::string& counters,
                                     const MillisRange& expiry,
                                     uint64_t most_rows);

}  // namespace tokendb

#endif  // TOKENDB_SRC_QUERY_LIVE_COUNT_H_
