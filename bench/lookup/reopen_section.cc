// How long it takes from opening a store to its first answer.
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "bench/lookup/run.h"
#include "bench/peers/server_process.h"
#include "bench/working_directory.h"

namespace tokendb::bench {
namespace {

// What is in memory or a log only when the process is killed.
constexpr size_t kLastTokens = 5000;
constexpr uint64_t kLastSeed = 79;
constexpr size_t kBatch = 100;
constexpr int kMostWaits = 60000;

// Makes the same tokens in the victim and in who looks for them.
SyntheticTokens LastTokens(absl::Time now) {
  return SyntheticTokens(kLastTokens, now + absl::Hours(2 * 366 * 24),
                         kLastSeed);
}

double SecondsToAnswer(LoadedStore& store, const EntrySource& entries,
                       const Digest& digest) {
  Stopwatch watch;
  watch.Resume();
  store.Open(&entries);
  const bool live = store.store().NewCaller()->IsLive(digest);
  watch.Pause();
  if (!live) CheckOk(absl::InternalError("a live token is not"), store.name());
  return watch.Seconds();
}

// Lets another process change the store and kills it.
void KillAWriter(const Run& run, const LoadedStore& store,
                 const EntrySource& entries) {
  const std::string ready = run.directory + "/victim-ready";
  const FreshDirectory copy(ready + "-entries");
  std::filesystem::remove(ready);
  ServerProcess victim(
      {"/proc/self/exe", absl::StrCat("--victim=", store.name()),
       absl::StrCat("--victim-path=", store.path()),
       absl::StrCat("--victim-entries=", entries.path()),
       absl::StrCat("--victim-ready=", ready),
       absl::StrCat("--tokens=", run.settings.tokens)},
      run.directory, "", run.directory + "/victim-log", SIGKILL);
  for (int i = 0; !std::filesystem::exists(ready); ++i) {
    if (i == kMostWaits || !victim.IsRunning()) {
      std::cerr << std::ifstream(run.directory + "/victim-log").rdbuf();
      CheckOk(absl::InternalError("does not write"), store.name());
    }
    usleep(10000);
  }
}

}  // namespace

void RunVictim(const VictimFlags& flags, absl::Time now) {
  const BenchClock clock(now);
  const EntrySource entries(flags.entries, flags.ready + "-entries");
  for (const StoreKind& kind : AllStoreKinds(0)) {
    if (kind.name != flags.store) continue;
    const auto store = kind.make({.path = flags.path,
                                  .tokens = flags.tokens + kLastTokens,
                                  .clock = &clock,
                                  .entries = &entries});
    const auto caller = store->NewCaller();
    const SyntheticTokens tokens = LastTokens(now);
    std::vector<Token> batch;
    for (size_t i = 0; i < kLastTokens; ++i) {
      batch.push_back(tokens.Make(i));
      if (batch.size() < kBatch) continue;
      caller->Issue(batch);
      batch.clear();
    }
    std::ofstream(flags.ready) << "ready\n";
    while (true) pause();
  }
  std::exit(EXIT_FAILURE);
}

void RunReopen(const Run& run, const EntrySource& entries,
               const Stores& stores) {
  Progress(absl::StrCat("opening tokendb and ", stores.back()->name()));
  const Digest known =
      *LastTokens(run.clock.Now()).Make(kLastTokens - 1).digest;
  for (LoadedStore* const store : stores) {
    if (store->kind().is_server) continue;
    KillAWriter(run, *store, entries);
    run.results.Add(
        {"reopen", "open to first answer, after a kill", "s", Better::kLower},
        store->name(), SecondsToAnswer(*store, entries, known));
    store->Close();
  }
  for (size_t i = 0; i < run.settings.repetitions; ++i) {
    for (LoadedStore* const store : stores) {
      if (store->kind().is_server) continue;
      run.results.Add({"reopen", "open to first answer, after a clean close",
                       "s", Better::kLower},
                      store->name(), SecondsToAnswer(*store, entries, known));
      store->Close();
    }
  }
}

}  // namespace tokendb::bench
