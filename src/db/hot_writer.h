#ifndef TOKENDB_SRC_DB_HOT_WRITER_H_
#define TOKENDB_SRC_DB_HOT_WRITER_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "src/db/monotone_clock.h"
#include "src/db/retention.h"
#include "src/index/hot_row.h"
#include "src/storage/store.h"
#include "src/storage/stripes.h"
#include "tokendb/options.h"
#include "tokendb/token.h"

namespace tokendb {

// Changes hot rows, under the locks of their tokens: a row is never written
// for a token that is gone, and never says another expiry or revocation than
// the record. Works in groups of up to kGroup tokens, each atomic.
//
// Thread-safe.
class HotWriter {
 public:
  static constexpr size_t kGroup = 256;

  // All must outlive this. `stripes` are those of the writer of records.
  HotWriter(Store& store, Stripes& stripes, MonotoneClock& clock,
            const Retention& retention)
      : store_(store),
        stripes_(stripes),
        clock_(clock),
        retention_(retention) {}

  struct Use {
    TokenId id;
    Millis at = 0;
    std::string ip_address;
  };

  // Keeps up to kGroup uses, of different tokens; returns how many. Left out
  // are those of tokens that are not live now, those that are not later than
  // what is kept, and those less than `resolution` after it. A use in the
  // future is one of now.
  absl::StatusOr<uint64_t> WriteUses(absl::Span<const Use> uses,
                                     Millis resolution);

  // Database::MarkNotified(), for any number of tokens, repeated ones too.
  absl::StatusOr<uint64_t> MarkNotified(absl::Span<const TokenId> ids,
                                        Millis window, Durability durability);

 private:
  // Changes the row of a token, which is the `i`-th. False to leave it.
  using Change = absl::FunctionRef<bool(size_t i, const Token& token,
                                        Millis now, HotRow& row)>;
  // Calls `change` with those of `ids` that there are; returns how many rows
  // it changed.
  absl::StatusOr<uint64_t> ChangeGroup(absl::Span<const TokenId> ids,
                                       Durability durability, Change change);

  Store& store_;
  Stripes& stripes_;
  MonotoneClock& clock_;
  const Retention& retention_;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_HOT_WRITER_H_
