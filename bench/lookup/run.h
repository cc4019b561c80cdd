#ifndef TOKENDB_BENCH_LOOKUP_RUN_H_
#define TOKENDB_BENCH_LOOKUP_RUN_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "bench/lookup/workload.h"
#include "bench/peers/bench_clock.h"
#include "bench/peers/program.h"
#include "bench/peers/results.h"
#include "bench/peers/store.h"
#include "bench/peers/token_source.h"

namespace tokendb::bench {

struct Settings : CommonSettings {
  double sample_seconds = 0.2;
  double mixed_per_second = 2000;
  double mixed_seconds = 3;
};

// What the sections share.
struct Run {
  const Settings& settings;
  std::string directory;
  BenchClock& clock;
  std::vector<StoreKind> kinds;  // Those that take part, tokendb first.
  Results& results;

  const StoreKind& tokendb() const { return kinds.front(); }
};

// A store filled with the run's tokens, on disk and perhaps open.
class LoadedStore {
 public:
  LoadedStore(const Run& run, const StoreKind& kind, std::string path)
      : run_(run), kind_(kind), path_(std::move(path)) {}

  const std::string& name() const { return kind_.name; }
  const StoreKind& kind() const { return kind_; }
  const std::string& path() const { return path_; }
  Store& store() { return *store_; }

  // Opens it, or makes it. `entries` outlives it.
  void Open(const EntrySource* entries,
            Surviving writes = Surviving::kProcess) {
    store_ = kind_.make({.path = path_,
                         .cache_bytes = run_.settings.cache_bytes(),
                         .tokens = run_.settings.tokens,
                         .clock = &run_.clock,
                         .writes = writes,
                         .entries = entries});
  }
  void Close() { store_.reset(); }

 private:
  const Run& run_;
  const StoreKind& kind_;
  const std::string path_;
  std::unique_ptr<Store> store_;
};

// Stores that take turns: tokendb and perhaps a peer.
using Stores = std::vector<LoadedStore*>;

// Says on stderr what is being done.
void Progress(const std::string& text);

// What the machine itself can do, with a table as large as the tokens' is.
void RunLimits(const Run& run);

// Loads stores, one beside tokendb at a time, and runs the other sections.
void RunStores(const Run& run);

// Only reads. The stores are open.
void RunLookups(const Run& run, Workload& work, const Stores& stores);
void RunQueries(const Run& run, const TokenSource& tokens,
                const Stores& stores);
// Of stores that are closed, and whose tokens may have changed.
void RunCold(const Run& run, Workload& work, const EntrySource& entries,
             const Stores& stores);

// Change the stores.
void RunWrites(const Run& run, Workload& work, const Stores& stores);
void RunMixed(const Run& run, Workload& work, const Stores& stores);
// Of stores opened with Surviving::kPower.
void RunDurableIssues(const Run& run, Workload& work, const Stores& stores);
// Opens the stores, which are closed, and leaves them closed.
void RunReopen(const Run& run, const EntrySource& entries,
               const Stores& stores);

// The part of RunReopen() that is a process of its own: opens a store, issues
// tokens, says so by making a file, and waits to be killed.
struct VictimFlags {
  size_t tokens = 0;  // Of the loaded store.
  std::string store;
  std::string path;
  std::string entries;  // The directory of an EntrySource, to be copied.
  std::string ready;    // The file to make.
};
[[noreturn]] void RunVictim(const VictimFlags& flags, absl::Time now);

// Ratios between rows of different measures, once all are there.
void AddRatios(const Run& run);
std::vector<Target> Targets();

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_LOOKUP_RUN_H_
