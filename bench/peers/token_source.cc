#include "bench/peers/token_source.h"

#include <algorithm>

namespace tokendb::bench {
namespace {

constexpr size_t kChunkTokens = 10000;

// Which of the tokens 2 * pair and 2 * pair + 1 does not end.
size_t LivingOf(size_t pair) { return 2 * pair + (Random(pair).Next() & 1); }

bool IsLiving(size_t position) { return LivingOf(position / 2) == position; }

}  // namespace

TokenSource::TokenSource(size_t count, absl::Time now, Kind kind,
                         absl::Time ending, uint64_t seed)
    : tokens_(count, now, seed),
      kind_(kind),
      ending_(ending),
      count_(kind == Kind::kOtherHalf ? count / 2 : count) {}

Token TokenSource::Make(size_t position) const {
  if (kind_ == Kind::kOtherHalf) return tokens_.Make(LivingOf(position));
  Token token = tokens_.Make(position);
  if (kind_ == Kind::kHalfEnding && !IsLiving(position)) {
    token.expires_at =
        ending_ - absl::Milliseconds(static_cast<int64_t>(position % 1000));
  }
  return token;
}

void TokenSource::ForEachChunk(
    absl::FunctionRef<void(absl::Span<const Token>)> use) const {
  std::vector<Token> chunk;
  for (size_t begin = 0; begin < count_; begin += kChunkTokens) {
    chunk.clear();
    const size_t end = std::min(begin + kChunkTokens, count_);
    for (size_t i = begin; i < end; ++i) chunk.push_back(Make(i));
    use(chunk);
  }
}

std::vector<Digest> TokenSource::DrawLivingDigests(size_t count,
                                                   uint64_t seed) const {
  Random random(seed);
  std::vector<Digest> digests;
  while (digests.size() < count) {
    const size_t position = random.Below(count_);
    if (kind_ == Kind::kHalfEnding && !IsLiving(position)) continue;
    digests.push_back(*Make(position).digest);
  }
  return digests;
}

}  // namespace tokendb::bench
