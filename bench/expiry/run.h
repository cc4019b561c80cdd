#ifndef TOKENDB_BENCH_EXPIRY_RUN_H_
#define TOKENDB_BENCH_EXPIRY_RUN_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "bench/peers/answers.h"
#include "bench/peers/bench_clock.h"
#include "bench/peers/program.h"
#include "bench/peers/results.h"
#include "bench/peers/store.h"
#include "bench/peers/token_source.h"

namespace tokendb::bench {

struct Settings : CommonSettings {
  size_t touches_per_token = 10;
  double lookups_per_second = 2000;
  double lookup_seconds = 10;
};

// What the sections share.
struct Run {
  const Settings& settings;
  std::string directory;
  BenchClock& clock;
  std::vector<StoreKind> kinds;  // Those that take part, tokendb first.
  Results& results;

  const StoreKind& tokendb() const { return kinds.front(); }
  std::unique_ptr<Store> Make(const StoreKind& kind, const std::string& path,
                              size_t tokens,
                              const EntrySource* entries = nullptr) const {
    return kind.make({.path = path,
                      .cache_bytes = settings.cache_bytes(),
                      .tokens = tokens,
                      .clock = &clock,
                      .entries = entries});
  }
};

// A store filled with the run's tokens.
struct LoadedStore {
  std::string name;
  std::unique_ptr<Store> store;
};

// Says on stderr what is being done.
void Progress(const std::string& text);

// Loads, scans, space and touches.
void RunLoadedSections(const Run& run);

// Calls `load` and keeps its figures, if the section was asked for.
void AddLoad(const Run& run, const LoadInput& input, LoadedStore& loaded,
             uint64_t logical_bytes);

// Both stores take turns; `peer` may be null.
void RunScan(const Run& run, const TokenSource& tokens, LoadedStore& tokendb,
             LoadedStore* peer);
void RunSpaceOfWrites(const Run& run, const EntrySource& entries,
                      LoadedStore& loaded);
void RunTouch(const Run& run, const std::vector<TokenId>& ids,
              LoadedStore& loaded);
std::vector<TokenId> IdsOf(const TokenSource& tokens);

// The section on reclaiming, with databases of its own.
void RunReclaim(const Run& run);

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_EXPIRY_RUN_H_
