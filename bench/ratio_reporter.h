#ifndef TOKENDB_BENCH_RATIO_REPORTER_H_
#define TOKENDB_BENCH_RATIO_REPORTER_H_

#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "benchmark/benchmark.h"

namespace tokendb::bench {

// A comparison: the benchmarks NAME/tokendb and NAME/raw.
struct Comparison {
  std::string_view name;

  // The least part of raw RocksDB's throughput that tokendb must reach;
  // absent: shown for orientation.
  std::optional<double> floor;
};

// Shows medians as they come, and keeps every repetition's times for a table
// of ratios.
class RatioReporter : public benchmark::ConsoleReporter {
 public:
  RatioReporter() : ConsoleReporter(OO_Tabular) {}

  void ReportRuns(const std::vector<Run>& runs) override;

  // Prints a row for each comparison both sides of which have run.
  void PrintRatios(absl::Span<const Comparison> comparisons,
                   std::ostream& out) const;

 private:
  // Nanoseconds an iteration took, one number for each repetition.
  struct Times {
    std::vector<double> wall;
    std::vector<double> cpu;
  };
  const Times* Find(std::string_view name, std::string_view side) const;

  std::map<std::string, Times> times_;
};

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_RATIO_REPORTER_H_
