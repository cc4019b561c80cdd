// What look-ups and changes of single tokens cost, beside what one would
// otherwise use: see README.md.
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "bench/lookup/run.h"
#include "bench/peers/check_stores.h"
#include "bench/peers/machine.h"
#include "bench/working_directory.h"

namespace tokendb::bench {
namespace {

const std::vector<std::string>& AllSections() {
  static const auto& all = *new std::vector<std::string>{
      "limits", "lookup", "list",   "touch", "issue",
      "revoke", "mixed",  "reopen", "load",  "space"};
  return all;
}

struct Flags {
  Settings settings;
  CommonFlags common{.sections = AllSections(),
                     .stores = {"tokendb", "tokendb-bounded", "tokendb-noindex",
                                "raw", "sqlite", "lmdb", "postgres", "redis"}};
  VictimFlags victim;
};

void AddFlags(CLI::App& app, Flags& flags) {
  Settings& settings = flags.settings;
  AddCommonFlags(app, "tokens loaded",
                 "which sections to run; load and space cost nothing", settings,
                 flags.common);
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
  // Of the process that is killed.
  app.add_option("--victim", flags.victim.store)->group("");
  app.add_option("--victim-path", flags.victim.path)->group("");
  app.add_option("--victim-entries", flags.victim.entries)->group("");
  app.add_option("--victim-ready", flags.victim.ready)->group("");
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
  flags.settings.sections = {flags.common.sections.begin(),
                             flags.common.sections.end()};

  Results results(AllSections(), Targets());
  DescribeRun(flags.settings, results);
  results.Describe("mixed load",
                   absl::StrCat("95% look-ups, 2% touches, 2% issues, 1% "
                                "revocations; steady at ",
                                flags.settings.mixed_per_second, "/s"));
  BenchClock clock(kStart);
  // Static: removed also when a check ends the program.
  static const WorkingDirectory directory(flags.common.directory);
  const Run run{flags.settings, directory.path(), clock,
                ChooseKinds(flags.settings, flags.common, results), results};
  results.PrintDescription(std::cout);
  std::cout << std::flush;

  Progress("comparing the answers of the stores");
  CheckStores(run.kinds, run.directory, clock.Now(),
              flags.settings.cache_bytes());
  if (flags.settings.Has("limits")) RunLimits(run);
  RunStores(run);
  AddRatios(run);
  results.PrintTables(std::cout);
  if (!flags.common.json.empty()) results.WriteJson(flags.common.json);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace tokendb::bench

int main(int argc, char** argv) { return tokendb::bench::Main(argc, argv); }
