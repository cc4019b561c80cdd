#include "bench/ratio_reporter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/base/text.h"

namespace tokendb::bench {
namespace {

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle]
                                : (values[middle - 1] + values[middle]) / 2;
}

double Least(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

// How far the repetitions lie apart, in percent of their median.
double Spread(const std::vector<double>& values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return 100 * (*most - *least) / Median(values);
}

// Other measures of the row above, in nanoseconds: they differ from the median
// as far as the machine had other work.
void PrintDetail(const char* name, double ours, double raw, std::ostream& out) {
  out << absl::StrFormat("%-20s %12.2f %12.2f %7s %7s %6.3f\n", name,
                         ours / 1e3, raw / 1e3, "", "", raw / ours);
}

}  // namespace

void RatioReporter::ReportRuns(const std::vector<Run>& runs) {
  std::vector<Run> shown;
  for (const Run& run : runs) {
    if (run.error_occurred) {
      shown.push_back(run);
    } else if (run.run_type == Run::RT_Iteration) {
      Times& times = times_[run.run_name.function_name];
      times.wall.push_back(run.GetAdjustedRealTime());
      times.cpu.push_back(run.GetAdjustedCPUTime());
      if (run.repetitions <= 1) shown.push_back(run);
    } else if (run.aggregate_name == "median") {
      shown.push_back(run);
    }
  }
  if (!shown.empty()) ConsoleReporter::ReportRuns(shown);
}

const RatioReporter::Times* RatioReporter::Find(std::string_view name,
                                                std::string_view side) const {
  const auto it =
      times_.find(absl::StrCat(AbslView(name), "/", AbslView(side)));
  return it == times_.end() ? nullptr : &it->second;
}

void RatioReporter::PrintRatios(absl::Span<const Comparison> comparisons,
                                std::ostream& out) const {
  out << absl::StrFormat("\n%-20s %12s %12s %7s %7s %6s %6s  %s\n", "median",
                         "tokendb us", "raw us", "spread", "spread", "ratio",
                         "floor", "");
  for (const Comparison& comparison : comparisons) {
    const Times* const ours = Find(comparison.name, "tokendb");
    const Times* const raw = Find(comparison.name, "raw");
    if (ours == nullptr || raw == nullptr) continue;
    const double ratio = Median(raw->wall) / Median(ours->wall);
    std::string floor = "-";
    std::string verdict;
    if (comparison.floor.has_value()) {
      floor = absl::StrFormat("%.2f", *comparison.floor);
      verdict = ratio >= *comparison.floor ? "PASS" : "below";
    }
    out << absl::StrFormat(
        "%-20s %12.2f %12.2f %6.1f%% %6.1f%% %6.3f %6s  %s\n",
        AbslView(comparison.name), Median(ours->wall) / 1e3,
        Median(raw->wall) / 1e3, Spread(ours->wall), Spread(raw->wall), ratio,
        floor, verdict);
    PrintDetail("  fastest", Least(ours->wall), Least(raw->wall), out);
    PrintDetail("  cpu, median", Median(ours->cpu), Median(raw->cpu), out);
    PrintDetail("  cpu, least", Least(ours->cpu), Least(raw->cpu), out);
  }
}

}  // namespace tokendb::bench
