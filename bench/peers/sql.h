// What SQL stores and Redis share: the columns of a token as bytes and numbers.
#ifndef TOKENDB_BENCH_PEERS_SQL_H_
#define TOKENDB_BENCH_PEERS_SQL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/coding.h"
#include "src/index/cover.h"
#include "src/index/keys.h"
#include "src/model/millis.h"
#include "tokendb/token.h"

namespace tokendb::bench {

// Never-expiring tokens have the latest expiry, as in tokendb's keys: it sorts
// last, and `expires_at > now` holds without a case of its own.
inline int64_t ExpiryColumn(const Token& token) {
  return token.expires_at.has_value() ? FloorToMillis(*token.expires_at)
                                      : kNever;
}

// Scopes are kept as their numbers, four bytes each: no store is given more to
// carry than another.
inline std::string ScopesColumn(const ScopeNumbers& scopes) {
  std::string bytes;
  for (const uint32_t scope : scopes) AppendBig32(bytes, scope);
  return bytes;
}

inline ScopeNumbers ScopesOfColumn(std::string_view bytes) {
  ScopeNumbers scopes;
  for (size_t i = 0; i + sizeof(uint32_t) <= bytes.size();
       i += sizeof(uint32_t)) {
    scopes.push_back(LoadBig32(bytes.data() + i));
  }
  return scopes;
}

inline std::optional<absl::Time> ExpiryOfColumn(int64_t expires_at) {
  if (expires_at == kNever) return std::nullopt;
  return FromMillis(expires_at);
}

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_PEERS_SQL_H_
