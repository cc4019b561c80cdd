// Counts of live tokens that expire by themselves: how many tokens of a subject
// cease, or begin, to be live when. Rows of the stat family:
//
//   subject | class u8 | time, OrderedMillis  ->  number
//
// A token is live from its not_before to the earlier of its expiry and its
// revocation, if it is enabled. Hence, of tokens with such a span,
//
//   live at now = those that end after now - those that begin after now.
//
// Rows for times up to now are never read again. They are not kept right: a
// change adds nothing to them, and takes nothing off them.
#ifndef TOKENDB_SRC_INDEX_COUNTERS_H_
#define TOKENDB_SRC_INDEX_COUNTERS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "src/model/liveness.h"
#include "src/model/millis.h"
#include "tokendb/token.h"

namespace tokendb {

inline constexpr Millis kMillisPerHour = Millis{3600} * 1000;

// Towards the past, also before 1970. kNever stays kNever.
Millis HourOf(Millis time);

enum class CounterClass : uint8_t {
  // Ends by expiry, in the hour that begins at the row's time; never: kNever.
  kExpiryHour = 1,
  // Ends by a revocation before the expiry, at exactly the row's time.
  kRevocation = 2,
  // Begins, at exactly the row's time.
  kBeginning = 3,
};

// Returns the first part of the keys of a subject.
std::string TotalSubject();
std::string OwnerSubject(std::optional<std::string_view> owner);
std::string ScopeSubject(uint32_t scope);

// The key of a row. Times of one class follow one another.
std::string CounterKey(std::string_view subject, CounterClass counter_class,
                       Millis time);

// Whether the token ends by its expiry, if it is ever live: such tokens are in
// rows by the hour, and counted one by one within it.
bool EndsByExpiry(const Validity& validity);

// Calls `emit` with the key of each row that counts a normalized token with
// these scopes, of those that are read at `now` or later.
void ForEachCounter(const Token& token, absl::Span<const uint32_t> scopes,
                    Millis now, absl::FunctionRef<void(std::string_view)> emit);

// When the row of `key` was read for the last time; nothing if it is no key.
std::optional<Millis> CounterExpiry(std::string_view key);

// Whether the row of `key` is read at `now` or later.
bool IsCounterRead(std::string_view key, Millis now);

}  // namespace tokendb

#endif  // TOKENDB_SRC_INDEX_COUNTERS_H_
