// What tokendb promises about expiry at scale, beside what one would otherwise
// use: see README.md.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bench/expiry/run.h"
#include "bench/peers/check_stores.h"
#include "bench/peers/machine.h"
#include "bench/working_directory.h"
#include "rocksdb/version.h"

namespace tokendb::bench {
namespace {

constexpr size_t kFewestTokens = 1000;

// When the synthetic tokens begin to expire.
constexpr absl::Time kStart = absl::FromUnixSeconds(1767225600);

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

struct Flags {
  Settings settings;
  std::vector<std::string> sections = {"load", "scan", "space", "touch",
                                       "reclaim"};
  std::vector<std::string> stores = {"tokendb", "raw",      "sqlite",
                                     "lmdb",    "postgres", "redis"};
  std::string json;
  std::string directory = std::filesystem::temp_directory_path();
};

void AddFlags(CLI::App& app, Flags& flags) {
  Settings& settings = flags.settings;
  app.add_option("--tokens", settings.tokens,
                 "tokens loaded; the section on reclaiming has twice as many")
      ->check(CLI::Range(kFewestTokens, size_t{1000000000}))
      ->capture_default_str();
  app.add_option("--sections", flags.sections, "which sections to run")
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
  app.add_option("--json", flags.json, "a file for all samples");
  app.add_option("--directory", flags.directory, "where to make the stores")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
}

// Those that were asked for and can take part; says so of the others.
std::vector<StoreKind> ChooseKinds(const Flags& flags, Results& results) {
  std::vector<StoreKind> kinds;
  for (StoreKind& kind : AllStoreKinds(flags.settings.tokens)) {
    // Of what is measured here the index of look-ups takes no part.
    if (kind.is_tokendb && kind.name != "tokendb") continue;
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
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app(
      "Measures what tokendb promises about expiry at scale beside raw "
      "RocksDB, SQLite, LMDB, PostgreSQL and Redis.");
  AddFlags(app, flags);
  CLI11_PARSE(app, argc, argv);
  flags.settings.sections = {flags.sections.begin(), flags.sections.end()};

  Results results({"load", "scan", "space", "touch", "reclaim"}, Targets());
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
  const auto has = [&](const char* section) {
    return flags.settings.Has(section);
  };
  if (has("load") || has("scan") || has("space") || has("touch")) {
    RunLoadedSections(run);
  }
  if (has("reclaim")) RunReclaim(run);
  results.PrintTables(std::cout);
  if (!flags.json.empty()) results.WriteJson(flags.json);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace tokendb::bench

int main(int argc, char** argv) { return tokendb::bench::Main(argc, argv); }
