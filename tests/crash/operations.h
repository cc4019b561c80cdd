// What the crash test's writing process does, and what must come of it.
#ifndef TOKENDB_TESTS_CRASH_OPERATIONS_H_
#define TOKENDB_TESTS_CRASH_OPERATIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tokendb/token.h"

namespace tokendb::testing {

inline constexpr int kTokens = 60;

// What a token is after an operation: absent, or as MakeToken() makes it.
struct State {
  bool present = false;
  uint64_t serial = 0;
  bool revoked = false;
};

enum class Kind : char {
  kPut = 'P',
  kRevoke = 'R',
  kDelete = 'D',
  kBatch = 'B',  // Issues all of its tokens, which are absent, together.
};

struct Operation {
  Kind kind = Kind::kPut;
  uint64_t serial = 0;
  std::vector<int> tokens;
};

TokenId IdOf(int token);
Digest DigestOf(int token, uint64_t serial);
Token MakeToken(int token, uint64_t serial);

// What a token is after `operation`.
State After(const Operation& operation, State state);

// The writing process: opens the database at `path`, and tells what it does on
// `fd` until it is killed.
[[noreturn]] void RunWriter(const std::string& path, int fd, uint64_t seed,
                            int threads);

}  // namespace tokendb::testing

#endif  // TOKENDB_TESTS_CRASH_OPERATIONS_H_
