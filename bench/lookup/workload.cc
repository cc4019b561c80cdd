#include "bench/lookup/workload.h"

#include "src/base/coding.h"

namespace tokendb::bench {
namespace {

constexpr uint64_t kSeed = 77;
constexpr uint64_t kNewSeed = 78;
// Enough for any run.
constexpr size_t kMostNewTokens = size_t{1} << 40;
// A prime larger than any number of tokens here: steps of it visit all.
constexpr size_t kStride = 2147483647;
// Behind all tokens that are loaded, as new ones are.
constexpr absl::Time kNewTime = absl::FromUnixSeconds(1767225600 + 366 * 86400);

}  // namespace

Workload::Workload(const TokenSource& tokens)
    : zipf_(tokens.count(), kSeed),
      random_(kSeed),
      new_tokens_(kMostNewTokens, kNewTime, kNewSeed) {
  digests_.reserve(tokens.count());
  ids_.reserve(tokens.count());
  tokens.ForEachChunk([&](absl::Span<const Token> chunk) {
    for (const Token& token : chunk) {
      digests_.push_back(*token.digest);
      ids_.push_back(token.id);
    }
  });
}

std::vector<Digest> Workload::Uniform(size_t count) {
  std::vector<Digest> digests;
  digests.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    digests.push_back(digests_[random_.Below(digests_.size())]);
  }
  return digests;
}

std::vector<Digest> Workload::Skewed(size_t count) {
  std::vector<Digest> digests;
  digests.reserve(count);
  for (size_t i = 0; i < count; ++i) digests.push_back(SkewedDigest());
  return digests;
}

std::vector<Digest> Workload::Unknown(size_t count) {
  std::vector<Digest> digests;
  digests.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    std::array<char, Digest::kSize> bytes;
    for (size_t j = 0; j < bytes.size(); j += sizeof(uint64_t)) {
      StoreBig64(bytes.data() + j, random_.Next());
    }
    digests.emplace_back(bytes);
  }
  return digests;
}

const TokenId& Workload::NextToRevoke() {
  return ids_[++revoked_ * kStride % ids_.size()];
}

std::vector<Token> Workload::NewTokens(size_t count) {
  std::vector<Token> tokens;
  tokens.reserve(count);
  for (size_t i = 0; i < count; ++i)
    tokens.push_back(new_tokens_.Make(made_++));
  return tokens;
}

}  // namespace tokendb::bench
