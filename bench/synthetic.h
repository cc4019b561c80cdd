// Synthetic tokens, the same ones in every run.
#ifndef TOKENDB_BENCH_SYNTHETIC_H_
#define TOKENDB_BENCH_SYNTHETIC_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokendb/token.h"

namespace tokendb::bench {

// A small seeded generator (SplitMix64), so that data and access patterns do
// not depend on the standard library.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }

  // From 0 to `end` - 1.
  uint64_t Below(uint64_t end) { return Next() % end; }

 private:
  uint64_t state_;
};

// A set of `count` tokens, made one at a time: they need no memory.
//
// Eight classes of owners, who hold 1, 3, 10, 30, 100, 1,000, 10,000 and
// 100,000 tokens, share the tokens evenly; the last owner of a class holds what
// is left. Each token has 2 to 8 (on average 5) of Buildkite's scopes, of
// which some are much more frequent than others. Every fifth never expires; the
// others expire at a random time of the year that follows `now`. Creation is
// spread over the year before it, in the order of positions.
class SyntheticTokens {
 public:
  SyntheticTokens(size_t count, absl::Time now, uint64_t seed)
      : count_(count), now_(now), seed_(seed) {}

  size_t count() const { return count_; }

  // The token of a position below count(). Two sets of different seeds share
  // no id and no digest.
  Token Make(size_t position) const;

  // Owners with at least `least` tokens.
  std::vector<std::string> OwnersWithAtLeast(size_t least) const;

 private:
  TokenId IdAt(size_t position, absl::Time created_at, Random& random) const;

  size_t count_;
  absl::Time now_;
  uint64_t seed_;
};

// All of Buildkite's scopes, sorted as a token keeps them.
std::vector<std::string> AllScopes();

// Ends the program with a message if something went wrong: a benchmark of
// failing calls would measure nothing.
void CheckOk(const absl::Status& status, std::string_view what);

template <typename T>
T ValueOrDie(absl::StatusOr<T> value, std::string_view what) {
  CheckOk(value.status(), what);
  return *std::move(value);
}

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_SYNTHETIC_H_
