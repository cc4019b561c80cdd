#include "src/db/expiry_feed.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "src/base/coding.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/index/keys.h"
#include "src/query/continuation.h"
#include "src/query/run.h"

namespace tokendb {
namespace {

// OutOfRange if a token that expired at `begin` may be forgotten. The later
// cutoff counts: a token that ended by expiry may have been due to be revoked
// afterwards, and is then kept as long as revoked ones are.
absl::Status CheckRemembered(Millis begin, const Cutoff& cutoff) {
  const Millis forgotten = std::max(cutoff.expired, cutoff.revoked);
  if (forgotten < kMinMillis || begin > forgotten) return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat(
      "tokens that expired at the beginning of what is asked for may be "
      "forgotten; the earliest time still remembered is ",
      absl::FormatTime(absl::RFC3339_full, FromMillis(forgotten + 1),
                       absl::UTCTimeZone())));
}

}  // namespace

absl::StatusOr<ExpiredPage> ListExpired(const ReadView& view, Millis now,
                                        absl::Time from, absl::Time before,
                                        const ExpiredOptions& options) {
  const Query query = {.owners = options.owners,
                       .scopes = options.scopes,
                       .expires = {.from = from, .before = before},
                       .states = TokenState::kExpired,
                       .limit = options.limit,
                       .continuation = options.continuation};
  ASSIGN_OR_RETURN(const std::optional<Position> after,
                   ReadContinuation(query));
  const Millis begin = after.has_value() ? after->time : CeilToMillis(from);
  const Millis end = std::min(CeilToMillis(before), now + 1);
  if (begin < end) RETURN_IF_ERROR(CheckRemembered(begin, view.cutoff));
  ASSIGN_OR_RETURN(Page page, ListTokens(view, now, query));
  return ExpiredPage{.tokens = std::move(page.tokens),
                     .continuation = std::move(page.continuation),
                     .complete_until = std::max(from, FromMillis(end)),
                     .stats = page.stats};
}

absl::StatusOr<std::optional<absl::Time>> FindNextExpiry(const Store& store,
                                                         Millis now) {
  KeyRange range;
  range.lower = IndexPrefix(IndexKind::kExpiry);
  range.upper = range.lower;
  AppendBig64(range.lower, OrderedMillis(now + 1));
  AppendBig64(range.upper, OrderedMillis(kNever));
  Cursor cursor = store.NewCursor(nullptr, Family::kIndex, std::move(range));
  cursor.SeekToFirst();
  RETURN_IF_ERROR(cursor.status());
  if (!cursor.Valid()) return std::nullopt;
  if (!IsIndexKey(cursor.key())) {
    return absl::DataLossError(
        absl::StrCat("index entry ", Hex(cursor.key()), " is malformed"));
  }
  return FromMillis(ExpiryOf(cursor.key()));
}

}  // namespace tokendb
