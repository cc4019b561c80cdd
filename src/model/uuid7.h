#ifndef TOKENDB_SRC_MODEL_UUID7_H_
#define TOKENDB_SRC_MODEL_UUID7_H_

#include "absl/time/time.h"
#include "tokendb/token.h"

namespace tokendb {

// Returns a new UUIDv7 (RFC 9562 section 5.7): milliseconds since 1970, held
// to 48 bits, and 74 random bits. Two never meet in practice, so that a new id
// needs no look-up.
TokenId NewTokenId(absl::Time created_at);

}  // namespace tokendb

#endif  // TOKENDB_SRC_MODEL_UUID7_H_
