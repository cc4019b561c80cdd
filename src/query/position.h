#ifndef TOKENDB_SRC_QUERY_POSITION_H_
#define TOKENDB_SRC_QUERY_POSITION_H_

#include <compare>

#include "src/model/millis.h"
#include "tokendb/token.h"

namespace tokendb {

// A token's place in an order: its expiry or creation, then its id. The order
// of positions is that of Direction::kAscending.
struct Position {
  Millis time = 0;
  TokenId id;

  // NOLINTNEXTLINE(modernize-use-nullptr): it is the check's mistake.
  friend auto operator<=>(const Position&, const Position&) = default;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_QUERY_POSITION_H_
