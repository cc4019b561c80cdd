#include "bench/synthetic.h"

#include <errno.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "tokendb/scope.h"

namespace tokendb::bench {
namespace {

constexpr std::array<size_t, 8> kOwnerSizes = {1,   3,    10,    30,
                                               100, 1000, 10000, 100000};
constexpr size_t kFewestScopes = 2;
constexpr size_t kMostScopes = 8;
constexpr absl::Duration kYear = absl::Hours(365 * 24);

std::string OwnerId(size_t size_class, size_t number) {
  return absl::StrCat("user-", kOwnerSizes[size_class], "-", number);
}

// The first scopes of the table are drawn most: the smallest of three draws.
const std::string& DrawScope(const std::vector<std::string>& scopes,
                             Random& random) {
  const size_t n = scopes.size();
  const uint64_t drawn =
      std::min({random.Below(n), random.Below(n), random.Below(n)});
  return scopes[drawn];
}

std::vector<std::string> DrawScopes(Random& random) {
  static const auto& all = *new std::vector<std::string>(AllScopes());
  const size_t size =
      kFewestScopes + random.Below(kMostScopes - kFewestScopes + 1);
  std::vector<std::string> scopes;
  while (scopes.size() < size) {
    const std::string& scope = DrawScope(all, random);
    if (std::find(scopes.begin(), scopes.end(), scope) == scopes.end()) {
      scopes.push_back(scope);
    }
  }
  std::sort(scopes.begin(), scopes.end());
  return scopes;
}

}  // namespace

TokenId SyntheticTokens::IdAt(size_t position, absl::Time created_at,
                              Random& random) const {
  std::array<char, TokenId::kSize> bytes;
  // A UUIDv7 whose sub-millisecond bits count, so that ids sort as positions.
  const auto millis = static_cast<uint64_t>(absl::ToUnixMillis(created_at));
  StoreBig64(bytes.data(), millis << 16 | 0x7000 | (position & 0xFFF));
  StoreBig64(bytes.data() + sizeof(uint64_t),
             uint64_t{0b10} << 62 | random.Next() >> 2);
  return TokenId(bytes);
}

Token SyntheticTokens::Make(size_t position) const {
  Random random(seed_ ^ (uint64_t{position} * 0xD1342543DE82EF95ULL));
  Token token;
  token.created_at =
      now_ - kYear + kYear * (static_cast<double>(position) / count_);
  token.created_at = absl::FromUnixMillis(absl::ToUnixMillis(token.created_at));
  token.id = IdAt(position, token.created_at, random);
  std::array<char, Digest::kSize> digest;
  for (size_t i = 0; i < Digest::kSize; i += sizeof(uint64_t)) {
    StoreBig64(digest.data() + i, random.Next());
  }
  token.digest = Digest(digest);

  const size_t size_class = position % kOwnerSizes.size();
  const size_t number = position / kOwnerSizes.size() / kOwnerSizes[size_class];
  token.owner = Owner{.id = OwnerId(size_class, number),
                      .email = absl::StrCat("user", number, "@example.com")};
  token.description = absl::StrCat("Pipeline ", random.Below(1000));
  token.scopes = DrawScopes(random);
  if (random.Below(5) != 0) {
    const auto millis = static_cast<uint64_t>(kYear / absl::Milliseconds(1));
    token.expires_at =
        absl::FromUnixMillis(absl::ToUnixMillis(now_ + absl::Hours(24)) +
                             static_cast<int64_t>(random.Below(millis)));
  }
  return token;
}

std::vector<std::string> SyntheticTokens::OwnersWithAtLeast(
    size_t least) const {
  std::vector<std::string> owners;
  const size_t share = count_ / kOwnerSizes.size();
  for (size_t c = 0; c < kOwnerSizes.size(); ++c) {
    for (size_t begin = 0; begin < share; begin += kOwnerSizes[c]) {
      if (std::min(kOwnerSizes[c], share - begin) < least) continue;
      owners.push_back(OwnerId(c, begin / kOwnerSizes[c]));
    }
  }
  return owners;
}

std::vector<std::string> AllScopes() {
  std::vector<std::string> scopes;
  for (const BuildkiteScope& scope : BuildkiteScopes()) {
    scopes.emplace_back(scope.name);
  }
  std::sort(scopes.begin(), scopes.end());
  return scopes;
}

void CheckOk(const absl::Status& status, std::string_view what) {
  if (status.ok()) return;
  std::cerr << program_invocation_short_name << ": " << what << ": "
            << status.ToString() << "\n";
  std::exit(EXIT_FAILURE);
}

}  // namespace tokendb::bench
