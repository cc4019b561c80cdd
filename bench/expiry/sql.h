// What the SQL stores share: the columns of a token as texts and numbers.
#ifndef TOKENDB_BENCH_EXPIRY_SQL_H_
#define TOKENDB_BENCH_EXPIRY_SQL_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_join.h"
#include "src/model/millis.h"
#include "tokendb/token.h"

namespace tokendb::bench {

// Never-expiring tokens have the latest expiry, as in tokendb's keys: it sorts
// last, and `expires_at > now` holds without a case of its own.
inline int64_t ExpiryColumn(const Token& token) {
  return token.expires_at.has_value() ? FloorToMillis(*token.expires_at)
                                      : kNever;
}

inline std::string ScopesColumn(const Token& token) {
  return absl::StrJoin(token.scopes, " ");
}

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_EXPIRY_SQL_H_
