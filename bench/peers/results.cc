#include "bench/peers/results.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <set>

#include "absl/strings/str_format.h"
#include "bench/synthetic.h"
#include "nlohmann/json.hpp"

namespace tokendb::bench {
namespace {

double Mean(const std::vector<double>& samples) {
  return std::accumulate(samples.begin(), samples.end(), 0.0) /
         static_cast<double>(samples.size());
}

// Standard deviation / mean.
std::optional<double> Variation(const std::vector<double>& samples) {
  const double mean = Mean(samples);
  if (samples.size() < 2 || mean == 0) return std::nullopt;
  double squares = 0;
  for (const double sample : samples) {
    squares += (sample - mean) * (sample - mean);
  }
  return std::sqrt(squares / static_cast<double>(samples.size() - 1)) / mean;
}

// (Largest - least) / median.
std::optional<double> Spread(const std::vector<double>& samples) {
  const double median = Median(samples);
  if (samples.size() < 2 || median == 0) return std::nullopt;
  const auto [least, largest] =
      std::minmax_element(samples.begin(), samples.end());
  return (*largest - *least) / median;
}

std::string Number(double value) {
  const double size = std::fabs(value);
  if (size >= 100 || value == std::floor(value)) {
    return absl::StrFormat("%.0f", value);
  }
  if (size < 1) return absl::StrFormat("%.3g", value);
  return size >= 10 ? absl::StrFormat("%.1f", value)
                    : absl::StrFormat("%.3f", value);
}

std::string Percent(std::optional<double> part) {
  return part.has_value() ? absl::StrFormat("%.1f%%", *part * 100) : "";
}

}  // namespace

double Median(std::vector<double> samples) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const size_t middle = samples.size() / 2;
  return samples.size() % 2 == 1 ? samples[middle]
                                 : (samples[middle - 1] + samples[middle]) / 2;
}

void Results::Describe(std::string name, std::string value) {
  description_.emplace_back(std::move(name), std::move(value));
}

void Results::Note(const std::string& section, std::string text) {
  notes_.emplace_back(section, std::move(text));
}

void Results::Add(const Measure& measure, const std::string& store,
                  double sample, std::optional<double> cpu_us) {
  const Row* const found = Find(measure.section, measure.name, store);
  Row& row = found != nullptr ? rows_[static_cast<size_t>(found - rows_.data())]
                              : rows_.emplace_back(Row{measure, store, {}, {}});
  row.samples.push_back(sample);
  if (cpu_us.has_value()) row.cpu_us.push_back(*cpu_us);
}

std::optional<double> Results::MedianOf(const std::string& section,
                                        const std::string& name,
                                        const std::string& store) const {
  const Row* const row = Find(section, name, store);
  if (row == nullptr) return std::nullopt;
  return Median(row->samples);
}

const Results::Row* Results::Find(const std::string& section,
                                  const std::string& name,
                                  const std::string& store) const {
  for (const Row& row : rows_) {
    if (row.store == store && row.measure.section == section &&
        row.measure.name == name) {
      return &row;
    }
  }
  return nullptr;
}

std::optional<double> Results::Factor(const Row& row) const {
  const Row* const own = Find(row.measure.section, row.measure.name, "tokendb");
  if (own == nullptr || own == &row) return std::nullopt;
  const double peer = Median(row.samples);
  const double tokendb = Median(own->samples);
  if (peer == 0 || tokendb == 0) return std::nullopt;
  return row.measure.better == Better::kHigher ? tokendb / peer
                                               : peer / tokendb;
}

std::optional<Results::Verdict> Results::Judge(const Row& row) const {
  for (const Target& target : targets_) {
    if (target.section != row.measure.section ||
        target.measure != row.measure.name ||
        (target.peer.empty() ? target.store : target.peer) != row.store) {
      continue;
    }
    if (target.peer.empty()) {
      const double value = Median(row.samples);
      return row.measure.better == Better::kHigher
                 ? Verdict{absl::StrFormat(">= %g", target.bound),
                           value >= target.bound}
                 : Verdict{absl::StrFormat("<= %g", target.bound),
                           value <= target.bound};
    }
    const std::optional<double> factor = Factor(row);
    if (!factor.has_value()) return std::nullopt;
    return Verdict{absl::StrFormat(">= %g", target.bound),
                   *factor >= target.bound};
  }
  return std::nullopt;
}

void Results::PrintDescription(std::ostream& out) const {
  for (const auto& [name, value] : description_) {
    out << "- " << name << ": " << value << "\n";
  }
}

void Results::PrintRow(const Row& row, std::ostream& out) const {
  const std::optional<double> factor = Factor(row);
  const std::optional<Verdict> verdict = Judge(row);
  std::string judgement;
  if (verdict.has_value()) judgement = verdict->met ? "PASS" : "below";
  out << absl::StreamFormat(
      "| %s | %s | %s | %s | %s | %s | %s | %d | %s | %s | %s |\n",
      row.measure.name, row.store, Number(Median(row.samples)),
      row.measure.unit, row.cpu_us.empty() ? "" : Number(Median(row.cpu_us)),
      Percent(Variation(row.samples)), Percent(Spread(row.samples)),
      row.samples.size(),
      factor.has_value() ? absl::StrFormat("%.3g", *factor) : "",
      verdict.has_value() ? verdict->target : "", judgement);
}

void Results::PrintTable(const std::string& section, std::ostream& out) const {
  out << "\n## " << section << "\n"
      << "| measure | store | median | unit | CPU us/op | CoV | spread | n |"
         " tokendb better by | target | |\n"
      << "|---|---|---:|---|---:|---:|---:|---:|---:|---|---|\n";
  // Rows of a measure together, in the order of the first of each; tokendb's
  // above the others.
  std::set<std::string> shown;
  for (const Row& first : rows_) {
    if (first.measure.section != section ||
        !shown.insert(first.measure.name).second) {
      continue;
    }
    const Row* const own = Find(section, first.measure.name, "tokendb");
    if (own != nullptr) PrintRow(*own, out);
    for (const Row& row : rows_) {
      if (&row != own && row.measure.section == section &&
          row.measure.name == first.measure.name) {
        PrintRow(row, out);
      }
    }
  }
  out << "\n";
  for (const auto& [of, note] : notes_) {
    if (of == section) out << "- " << note << "\n";
  }
}

void Results::PrintTables(std::ostream& out) const {
  for (const std::string& section : sections_) {
    const bool measured = std::any_of(
        rows_.begin(), rows_.end(),
        [&](const Row& row) { return row.measure.section == section; });
    if (measured) PrintTable(section, out);
  }
}

void Results::WriteJson(const std::string& path) const {
  nlohmann::ordered_json json;
  for (const auto& [name, value] : description_) {
    json["description"][name] = value;
  }
  for (const auto& [section, note] : notes_) {
    json["notes"][section].push_back(note);
  }
  for (const Row& row : rows_) {
    nlohmann::ordered_json entry = {
        {"section", row.measure.section},
        {"measure", row.measure.name},
        {"store", row.store},
        {"unit", row.measure.unit},
        {"better", row.measure.better == Better::kHigher ? "higher" : "lower"},
        {"median", Median(row.samples)},
        {"samples", row.samples}};
    if (!row.cpu_us.empty()) entry["cpu_us"] = Median(row.cpu_us);
    if (const auto part = Variation(row.samples)) entry["cov"] = *part;
    if (const auto part = Spread(row.samples)) entry["spread"] = *part;
    if (const auto factor = Factor(row)) entry["tokendb_better_by"] = *factor;
    if (const auto verdict = Judge(row)) {
      entry["target"] = verdict->target;
      entry["met"] = verdict->met;
    }
    json["rows"].push_back(std::move(entry));
  }
  std::ofstream file(path);
  file << json.dump(2) << "\n";
  file.close();
  if (!file) CheckOk(absl::InternalError("cannot be written"), path);
}

}  // namespace tokendb::bench
