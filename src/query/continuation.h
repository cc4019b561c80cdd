// Continuations: where a page ended, bound to the query it is of.
//
//   version u8 = 1 | fingerprint of the query[8] | time be64 | id[16] |
//   crc32c of all before, be32; in web-safe base64 without padding
//
// They hold no state of the plan or the database, so that they stay valid
// across writes, restarts and changes of plan.
#ifndef TOKENDB_SRC_QUERY_CONTINUATION_H_
#define TOKENDB_SRC_QUERY_CONTINUATION_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "src/query/position.h"
#include "tokendb/query.h"

namespace tokendb {

// Returns the continuation that goes on after `position`.
std::string EncodeContinuation(const Query& query, const Position& position);

// Returns the position that `query` goes on after; none without a continuation.
// InvalidArgument if that is damaged or was made for another query. The page
// size and the bounds on work may differ.
absl::StatusOr<std::optional<Position>> ReadContinuation(const Query& query);

}  // namespace tokendb

#endif  // TOKENDB_SRC_QUERY_CONTINUATION_H_
