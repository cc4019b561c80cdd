// The row of a token in the hot family: what changes too often, or matters too
// little, for its record. Key: the token's id. Value:
//
//   0  crc32c of id and bytes 4..end, u32 little-endian
//   4  expiry, OrderedMillis, be64
//  12  flags u8: 1 revoked_at is set, 2 last use follows, 4 notified follows
//   .  last use: OrderedMillis, be64; length of the address, varint, and it
//   .  notified: expiry, OrderedMillis, be64; window in milliseconds, be64
//
// Expiry and the first flag are always those of the record, so that row and
// record are forgotten together. A row that says otherwise is what a forgotten
// token left under an id that was issued anew.
#ifndef TOKENDB_SRC_INDEX_HOT_ROW_H_
#define TOKENDB_SRC_INDEX_HOT_ROW_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "src/model/millis.h"
#include "src/storage/store.h"
#include "tokendb/token.h"

namespace tokendb {

// The end that somebody was told of, and how long before it at most.
struct Notified {
  Millis expires_at = 0;
  Millis window = 0;

  friend bool operator==(const Notified&, const Notified&) = default;
};

struct HotRow {
  Millis expires_at = kNever;
  bool revoked = false;
  std::optional<Millis> last_used;
  std::string ip_address;  // Of the last use; empty without one.
  std::optional<Notified> notified;

  // A row of `token` that says nothing yet.
  static HotRow Of(const Token& token);

  // Whether this is the row of `token`, which has its id.
  bool IsOf(const Token& token) const;

  // Whether the present end was told of within `window` of it.
  bool IsNotifiedFor(Millis window) const {
    return notified.has_value() && notified->expires_at == expires_at &&
           notified->window <= window;
  }

  friend bool operator==(const HotRow&, const HotRow&) = default;
};

void AppendHotRow(std::string& out, const TokenId& id, const HotRow& row);

// Reads a row. DataLoss if any bit of it or of its id changed.
absl::StatusOr<HotRow> ParseHotRow(const TokenId& id, std::string_view value);

// Reads the rows of `tokens`, as they were decoded from records of `snapshot`,
// in one batch, and puts the later last use into each token. Returns the rows,
// absent where there is none; reads nothing if the family is empty. DataLoss if
// a row is damaged.
absl::StatusOr<std::vector<std::optional<HotRow>>> OverlayHotRows(
    const Store& store, const Snapshot* snapshot,
    absl::Span<Token* const> tokens);

// The same for one token.
absl::StatusOr<std::optional<HotRow>> OverlayHotRow(const Store& store,
                                                    const Snapshot* snapshot,
                                                    Token& token);

}  // namespace tokendb

#endif  // TOKENDB_SRC_INDEX_HOT_ROW_H_
