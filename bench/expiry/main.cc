// What tokendb promises about expiry at scale, beside what one would otherwise
// use: see README.md.
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "bench/expiry/run.h"
#include "bench/peers/check_stores.h"
#include "bench/working_directory.h"

namespace tokendb::bench {
namespace {

std::vector<Target> Targets() {
  return {
      {"load", "bulk load", "raw", 0.8},
      {"load", "bulk load", "sqlite", 5},
      {"scan", "expiring, 10,000", "raw", 0.9},
      {"scan", "expiring, 10,000", "sqlite", 5},
      {"scan", "expiring, 10,000", "postgres", 10},
      {"touch", "touches", "raw", 50},
      {"reclaim", "look-up p99, with / without", "", 1.1},
      {"reclaim", "tombstones in the index, after", "", 0},
      {"reclaim", "expired / live bytes, after", "", 0.3},
      {"reclaim", "first query, reclaimed / only live", "", 1.2},
  };
}

const std::vector<std::string>& AllSections() {
  static const auto& all = *new std::vector<std::string>{
      "load", "scan", "space", "touch", "reclaim"};
  return all;
}

struct Flags {
  Settings settings;
  CommonFlags common{
      .sections = AllSections(),
      .stores = {"tokendb", "raw", "sqlite", "lmdb", "postgres", "redis"}};
};

void AddFlags(CLI::App& app, Flags& flags) {
  Settings& settings = flags.settings;
  AddCommonFlags(app,
                 "tokens loaded; the section on reclaiming has twice as many",
                 "which sections to run", settings, flags.common);
  app.add_option("--touches-per-token", settings.touches_per_token,
                 "touches in tokendb; the others are given a hundredth")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--lookups-per-second", settings.lookups_per_second)
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--lookup-seconds", settings.lookup_seconds,
                 "how long look-ups are measured without reclaiming")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app(
      "Measures what tokendb promises about expiry at scale beside raw "
      "RocksDB, SQLite, LMDB, PostgreSQL and Redis.");
  AddFlags(app, flags);
  CLI11_PARSE(app, argc, argv);
  flags.settings.sections = {flags.common.sections.begin(),
                             flags.common.sections.end()};

  Results results(AllSections(), Targets());
  DescribeRun(flags.settings, results);
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
  const auto has = [&](const char* section) {
    return flags.settings.Has(section);
  };
  if (has("load") || has("scan") || has("space") || has("touch")) {
    RunLoadedSections(run);
  }
  if (has("reclaim")) RunReclaim(run);
  results.PrintTables(std::cout);
  if (!flags.common.json.empty()) results.WriteJson(flags.common.json);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace tokendb::bench

int main(int argc, char** argv) { return tokendb::bench::Main(argc, argv); }
