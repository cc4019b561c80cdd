#ifndef TOKENDB_SRC_DB_PREPARE_H_
#define TOKENDB_SRC_DB_PREPARE_H_

#include "absl/status/statusor.h"
#include "src/model/liveness.h"
#include "src/model/millis.h"
#include "tokendb/token.h"

namespace tokendb {

// Returns the new token that `token` is to be: normalized, of version 1, with
// an id and a creation time, which is `now` if it has none. Every way into the
// database goes through here. InvalidArgument as Validate(); OutOfRange if
// `cutoff` forgets it.
absl::StatusOr<Token> PrepareToken(const Token& token, Millis now,
                                   const Cutoff& cutoff);

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_PREPARE_H_
