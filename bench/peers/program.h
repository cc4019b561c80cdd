// What the programs that compare stores have in common: flags, and the choice
// and description of what is run.
#ifndef TOKENDB_BENCH_PEERS_PROGRAM_H_
#define TOKENDB_BENCH_PEERS_PROGRAM_H_

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"
#include "bench/peers/results.h"
#include "bench/peers/store.h"

namespace tokendb::bench {

// When the synthetic tokens begin to expire.
inline constexpr absl::Time kStart = absl::FromUnixSeconds(1767225600);

// How large a run is.
struct CommonSettings {
  size_t tokens = 1000000;
  size_t repetitions = 5;
  size_t cache_mib = 256;
  std::set<std::string> sections;

  bool Has(const char* section) const { return sections.contains(section); }
  size_t cache_bytes() const { return cache_mib << 20; }
};

struct CommonFlags {
  std::vector<std::string> sections;  // As given: all, or those asked for.
  std::vector<std::string> stores;
  std::string json;
  std::string directory = std::filesystem::temp_directory_path();
};

// Adds --tokens, --repetitions and --cache-mib, which set `settings`, and
// --sections, --stores, --json and --directory, which set `flags`; `flags` says
// which sections and stores there are.
void AddCommonFlags(CLI::App& app, const char* about_tokens,
                    const char* about_sections, CommonSettings& settings,
                    CommonFlags& flags);

// The kinds of stores that were asked for, tokendb first, and can take part;
// describes them and says so of the others.
std::vector<StoreKind> ChooseKinds(const CommonSettings& settings,
                                   const CommonFlags& flags, Results& results);

// Describes the machine, the builds and the size of the run.
void DescribeRun(const CommonSettings& settings, Results& results);

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_PEERS_PROGRAM_H_
