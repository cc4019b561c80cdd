// Random tokens, changes and queries from small universes, so that they meet:
// few owners and scopes with difficult names, few digests, and times close to
// one another and to now.
#ifndef TOKENDB_TESTS_PROPERTY_GENERATE_H_
#define TOKENDB_TESTS_PROPERTY_GENERATE_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tokendb/db.h"

namespace tokendb::testing {

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  // 0 .. bound - 1.
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

  Token MakeToken(absl::Time now);
  TokenPatch MakePatch(absl::Time now);

  // One that mostly holds for `token`.
  Precondition MakePrecondition(const Token& token);

  // `ids` are those that exist.
  Query MakeQuery(absl::Time now, const std::vector<TokenId>& ids);
  Digest MakeDigest();
  TokenId MakeId();
  absl::Time MakeTime(absl::Time now);
  absl::Duration MakeRetention();
  absl::Duration MakeSpan();
  VerifyIndexOptions MakeVerifyIndex();
  static std::vector<Digest> AllDigests();

 private:
  template <typename T>
  const T& Pick(const std::vector<T>& values) {
    return values[Below(values.size())];
  }
  std::vector<std::string> PickScopes(uint64_t most);
  TimeRange MakeRange(absl::Time now);
  void AddDetails(Token& token);

  std::mt19937_64 random_;
};

}  // namespace tokendb::testing

#endif  // TOKENDB_TESTS_PROPERTY_GENERATE_H_
