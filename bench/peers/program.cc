#include "bench/peers/program.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bench/peers/machine.h"
#include "rocksdb/version.h"

namespace tokendb::bench {
namespace {

constexpr size_t kFewestTokens = 1000;

}  // namespace

void AddCommonFlags(CLI::App& app, const char* about_tokens,
                    const char* about_sections, CommonSettings& settings,
                    CommonFlags& flags) {
  app.add_option("--tokens", settings.tokens, about_tokens)
      ->check(CLI::Range(kFewestTokens, size_t{1000000000}))
      ->capture_default_str();
  app.add_option("--sections", flags.sections, about_sections)
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
  app.add_option("--json", flags.json, "a file for all samples");
  app.add_option("--directory", flags.directory, "where to make the stores")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
}

std::vector<StoreKind> ChooseKinds(const CommonSettings& settings,
                                   const CommonFlags& flags, Results& results) {
  std::vector<StoreKind> kinds;
  for (StoreKind& kind : AllStoreKinds(settings.tokens)) {
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

void DescribeRun(const CommonSettings& settings, Results& results) {
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

}  // namespace tokendb::bench
