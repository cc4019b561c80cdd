#ifndef TOKENDB_BENCH_PEERS_ANSWERS_H_
#define TOKENDB_BENCH_PEERS_ANSWERS_H_

#include <cstddef>
#include <map>
#include <string>

#include "bench/peers/store.h"
#include "bench/peers/token_source.h"

namespace tokendb::bench {

// Asks stores the same questions, and ends the program if one answers
// otherwise than the first one did.
class AnswerBook {
 public:
  // `tokens` are what the questions are about.
  AnswerBook(const TokenSource& tokens, const BenchClock& clock)
      : tokens_(tokens), clock_(clock) {}

  // Compares the answers of `store` at a stage of the run, "loaded" for
  // instance.
  void Compare(Store& store, const std::string& name, const std::string& stage);

 private:
  void CompareOne(size_t answer, const std::string& name,
                  const std::string& question);

  const TokenSource& tokens_;
  const BenchClock& clock_;
  std::map<std::string, std::pair<size_t, std::string>> answers_;
};

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_PEERS_ANSWERS_H_
