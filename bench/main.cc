// tokendb beside raw RocksDB doing the least that the same work takes: see
// README.md.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "bench/ratio_reporter.h"
#include "bench/read_benchmarks.h"
#include "bench/synthetic.h"
#include "bench/working_directory.h"
#include "bench/write_benchmarks.h"
#include "benchmark/benchmark.h"
#include "rocksdb/version.h"

namespace tokendb::bench {
namespace {

constexpr std::string_view kUsage =
    "tokendb_bench [--tokens=N] [--cache-mib=N] [--directory=PATH] "
    "[--benchmark_...]\n"
    "  --tokens=N        tokens in the databases that are read (1000000)\n"
    "  --cache-mib=N     block cache of each database (256, the library's)\n"
    "  --directory=PATH  where to make them (the system's for temporary "
    "files)\n"
    "All flags of Google Benchmark may follow, for instance\n"
    "  --benchmark_filter=GetByDigest --benchmark_repetitions=9\n";

constexpr std::array<Comparison, 6> kComparisons = {{
    {"GetByDigest", 0.85},
    {"IssueBatch100", 0.80},
    {"ScanExpiry10000", 0.85},
    {"ListOwner20", 0.85},
    {"Authenticate", std::nullopt},
    {"IssueBatch100Unique", std::nullopt},
}};

constexpr uint64_t kLoadSeed = 1;
constexpr size_t kMostIssueBatches = 1000;

struct Flags {
  size_t tokens = 1000000;
  size_t cache_mib = 256;
  std::string directory = std::filesystem::temp_directory_path();
};

[[noreturn]] void ExitWithUsage(int code) {
  (code == 0 ? std::cout : std::cerr) << kUsage;
  std::exit(code);
}

// Takes the value of `--name=value` from `argument`. False if it is another
// flag.
bool TakeFlag(std::string_view argument, std::string_view name,
              std::string_view& value) {
  if (!argument.starts_with(name)) return false;
  value = argument.substr(name.size());
  return true;
}

size_t NumberOrExit(std::string_view text) {
  size_t number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) {
    ExitWithUsage(2);
  }
  return number;
}

// Takes this program's own flags out of the arguments.
Flags TakeFlags(std::vector<char*>& arguments) {
  Flags flags;
  std::erase_if(arguments, [&](const char* argument) {
    std::string_view value;
    if (TakeFlag(argument, "--tokens=", value)) {
      flags.tokens = std::max<size_t>(NumberOrExit(value), 1000);
    } else if (TakeFlag(argument, "--cache-mib=", value)) {
      flags.cache_mib = NumberOrExit(value);
    } else if (TakeFlag(argument, "--directory=", value)) {
      flags.directory = value;
    } else if (std::string_view(argument) == "--help") {
      ExitWithUsage(0);
    } else {
      return false;
    }
    return true;
  });
  return flags;
}

void PrintWhatIsMeasured(const Flags& flags) {
  std::cout << "RocksDB " << rocksdb::GetRocksVersionAsString() << " ("
            << TOKENDB_BENCH_ROCKSDB << "); tokendb: " << TOKENDB_BENCH_BUILD
            << "; block cache of " << flags.cache_mib << " MiB each.\n";
}

int Main(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  const Flags flags = TakeFlags(arguments);
  // Repetitions of all benchmarks take turns, so that what else the machine
  // does falls on both sides alike. Flags given override these.
  std::string repetitions = "--benchmark_repetitions=5";
  std::string interleaving = "--benchmark_enable_random_interleaving=true";
  arguments.insert(arguments.begin() + 1,
                   {repetitions.data(), interleaving.data()});
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) {
    ExitWithUsage(2);
  }

  PrintWhatIsMeasured(flags);
  const WorkingDirectory directory(flags.directory);
  const OpenOptions options{.cache_bytes = flags.cache_mib << 20};
  const absl::Time now = absl::Now();
  const LoadedDatabases databases(SyntheticTokens(flags.tokens, now, kLoadSeed),
                                  directory.path(), options);
  CheckSameAnswers(databases);
  const IssueBatches batches(
      std::min(kMostIssueBatches, flags.tokens / IssueBatches::kTokens), now);
  RegisterReadBenchmarks(databases);
  RegisterWriteBenchmarks(batches, directory.path(), options);

  RatioReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  reporter.PrintRatios(kComparisons, std::cout);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace tokendb::bench

int main(int argc, char** argv) { return tokendb::bench::Main(argc, argv); }
