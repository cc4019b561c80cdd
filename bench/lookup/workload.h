#ifndef TOKENDB_BENCH_LOOKUP_WORKLOAD_H_
#define TOKENDB_BENCH_LOOKUP_WORKLOAD_H_

#include <cstddef>
#include <vector>

#include "bench/peers/token_source.h"
#include "bench/peers/zipf.h"
#include "bench/synthetic.h"
#include "tokendb/token.h"

namespace tokendb::bench {

// Draws whom operations are about, before they are timed. Never the same twice:
// what one sample left in caches is no help to the next.
class Workload {
 public:
  explicit Workload(const TokenSource& tokens);

  std::vector<Digest> Uniform(size_t count);
  // By Zipf's law.
  std::vector<Digest> Skewed(size_t count);
  // Of no token.
  std::vector<Digest> Unknown(size_t count);

  const TokenId& SkewedId() { return ids_[zipf_.Next()]; }
  const Digest& SkewedDigest() { return digests_[zipf_.Next()]; }

  // Another one with each call, until all were there.
  const TokenId& NextToRevoke();

  // Tokens that no store has.
  std::vector<Token> NewTokens(size_t count);

  size_t tokens() const { return ids_.size(); }

 private:
  std::vector<Digest> digests_;
  std::vector<TokenId> ids_;
  Zipf zipf_;
  Random random_;
  size_t revoked_ = 0;
  SyntheticTokens new_tokens_;
  size_t made_ = 0;
};

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_LOOKUP_WORKLOAD_H_
