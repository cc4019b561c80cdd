// What look-ups and changes of single tokens cost, beside what one would
// otherwise use: see README.md.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bench/lookup/run.h"
#include "bench/peers/check_stores.h"
#include "bench/peers/machine.h"
#include "bench/working_directory.h"
#include "rocksdb/version.h"

namespace tokendb::bench {
namespace {

constexpr size_t kFewestTokens = 1000;

// When the synthetic tokens begin to expire.
constexpr absl::Time kStart = absl::FromUnixSeconds(1767225600);

const std::vector<std::string>& AllSections() {
  static const auto& all = *new std::vector<std::string>{
      "limits", "lookup", "list",   "touch", "issue",
      "revoke", "mixed",  "reopen", "load",  "space"};
  return all;
}

struct Flags {
  Settings settings;
  std::vector<std::string> sections = AllSections();
  std::vector<std::string> stores = {"tokendb",         "tokendb-bounded",
                                     "tokendb-noindex", "raw",
                                     "sqlite",          "lmdb",
                                     "postgres",        "redis"};
  std::string json;
  std::string directory = std::filesystem::temp_directory_path();
  VictimFlags victim;
};

void AddFlags(CLI::App& app, Flags& flags) {
  Settings& settings = flags.settings;
  app.add_option("--tokens", settings.tokens, "tokens loaded")
      ->check(CLI::Range(kFewestTokens, size_t{1000000000}))
      ->capture_default_str();
  app.add_option("--sections", flags.sections,
                 "which sections to run; load and space cost nothing")
      ->delimiter(',')
      ->check(CLI::IsMember(flags.sections))
      ->capture_default_str();
  app.add_option("--stores", flags.stores, "which stores, besides tokendb")
      ->delimiter(',')
      ->check(CLI::IsMember(flags.stores))
      ->capture_default_str();
  app.add_option("--repetitions", settings.repetitions)
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--cache-mib", settings.cache_mib, "cache of each store")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--sample-seconds", settings.sample_seconds,
                 "about how long one sample takes")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--mixed-per-second", settings.mixed_per_second,
                 "the steady rate of the mixed load")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--mixed-seconds", settings.mixed_seconds,
                 "how long it is kept up")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--json", flags.json, "a file for all samples");
  app.add_option("--directory", flags.directory, "where to make the stores")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  // Of the process that is killed.
  app.add_option("--victim", flags.victim.store)->group("");
  app.add_option("--victim-path", flags.victim.path)->group("");
  app.add_option("--victim-entries", flags.victim.entries)->group("");
  app.add_option("--victim-ready", flags.victim.ready)->group("");
}

// Those that were asked for and can take part; says so of the others.
std::vector<StoreKind> ChooseKinds(const Flags& flags, Results& results) {
  std::vector<StoreKind> kinds;
  for (StoreKind& kind : AllStoreKinds(flags.settings.tokens)) {
    const bool asked = kind.name == "tokendb" ||
                       std::find(flags.stores.begin(), flags.stores.end(),
                                 kind.name) != flags.stores.end();
    if (!asked) continue;
    if (!kind.why_not.empty()) {
      results.Describe(kind.name, absl::StrCat("left out: ", kind.why_not));
      continue;
    }
    results.Describe(kind.name, kind.version);
    kinds.push_back(std::move(kind));
  }
  return kinds;
}

void DescribeRun(const Flags& flags, Results& results) {
  const Settings& settings = flags.settings;
  results.Describe("machine", DescribeMachine());
  results.Describe("RocksDB", absl::StrCat(rocksdb::GetRocksVersionAsString(),
                                           ", ", TOKENDB_BENCH_ROCKSDB));
  results.Describe("build", TOKENDB_BENCH_BUILD);
  results.Describe(
      "run",
      absl::StrCat(settings.tokens, " tokens, ", settings.repetitions,
                   " repetitions, caches of ", settings.cache_mib,
                   " MiB, sections ", absl::StrJoin(settings.sections, ",")));
  results.Describe("mixed load",
                   absl::StrCat("95% look-ups, 2% touches, 2% issues, 1% "
                                "revocations; steady at ",
                                settings.mixed_per_second, "/s"));
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app(
      "Measures look-ups and changes of tokens in tokendb beside raw RocksDB, "
      "SQLite, LMDB, PostgreSQL and Redis.");
  AddFlags(app, flags);
  CLI11_PARSE(app, argc, argv);
  flags.victim.tokens = flags.settings.tokens;
  if (!flags.victim.store.empty()) RunVictim(flags.victim, kStart);
  flags.settings.sections = {flags.sections.begin(), flags.sections.end()};

  Results results(AllSections(), Targets());
  DescribeRun(flags, results);
  BenchClock clock(kStart);
  // Static: removed also when a check ends the program.
  static const WorkingDirectory directory(flags.directory);
  const Run run{flags.settings, directory.path(), clock,
                ChooseKinds(flags, results), results};
  results.PrintDescription(std::cout);
  std::cout << std::flush;

  Progress("comparing the answers of the stores");
  CheckStores(run.kinds, run.directory, clock.Now(),
              flags.settings.cache_bytes());
  if (flags.settings.Has("limits")) RunLimits(run);
  RunStores(run);
  AddRatios(run);
  results.PrintTables(std::cout);
  if (!flags.json.empty()) results.WriteJson(flags.json);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace tokendb::bench

int main(int argc, char** argv) { return tokendb::bench::Main(argc, argv); }
