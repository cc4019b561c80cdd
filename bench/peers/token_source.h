#ifndef TOKENDB_BENCH_PEERS_TOKEN_SOURCE_H_
#define TOKENDB_BENCH_PEERS_TOKEN_SOURCE_H_

#include <cstddef>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "bench/synthetic.h"
#include "tokendb/token.h"

namespace tokendb::bench {

// Tokens made one at a time, in the order of their ids.
class TokenSource {
 public:
  enum class Kind {
    // Those of SyntheticTokens; `now` is theirs: they expire from a day later
    // on.
    kYear,
    // Of each two, one expires in the second before `ending`.
    kHalfEnding,
    // The other halves of kHalfEnding, of the same count and seed.
    kOtherHalf,
  };

  // Of `count` tokens (an even number) or, of kOtherHalf, half as many.
  TokenSource(size_t count, absl::Time now, Kind kind, absl::Time ending,
              uint64_t seed);

  size_t count() const { return count_; }
  Token Make(size_t position) const;

  // Calls `use` with all tokens, some thousands at a time.
  void ForEachChunk(absl::FunctionRef<void(absl::Span<const Token>)> use) const;

  // Digests of `count` tokens drawn from those that do not end with
  // `ending`.
  std::vector<Digest> DrawLivingDigests(size_t count, uint64_t seed) const;

  // Owners with at least `least` tokens (of kYear).
  std::vector<std::string> OwnersWithAtLeast(size_t least) const {
    return tokens_.OwnersWithAtLeast(least);
  }

 private:
  SyntheticTokens tokens_;
  Kind kind_;
  absl::Time ending_;
  size_t count_;
};

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_PEERS_TOKEN_SOURCE_H_
