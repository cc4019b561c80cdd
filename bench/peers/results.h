#ifndef TOKENDB_BENCH_PEERS_RESULTS_H_
#define TOKENDB_BENCH_PEERS_RESULTS_H_

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace tokendb::bench {

enum class Better : uint8_t { kHigher, kLower };

struct Measure {
  std::string section;
  std::string name;
  std::string unit;
  Better better = Better::kLower;
};

// What is promised: how many times better than `peer` tokendb must be or, with
// `peer` empty, the bound of a measure of `store` itself: the least if higher
// is better, else the most.
struct Target {
  std::string section;
  std::string measure;
  std::string peer;
  double bound = 0;
  std::string store = "tokendb";
};

// All that was measured, and the tables of it.
class Results {
 public:
  // `sections` in the order in which they are shown.
  Results(std::vector<std::string> sections, std::vector<Target> targets)
      : sections_(std::move(sections)), targets_(std::move(targets)) {}

  // A fact about the run or the machine.
  void Describe(std::string name, std::string value);

  // A fact about a store in a section, shown below its table.
  void Note(const std::string& section, std::string text);

  // One sample; a store's samples of one measure are its repetitions. `cpu_us`
  // is the processors' time for one operation, the store's servers included.
  void Add(const Measure& measure, const std::string& store, double sample,
           std::optional<double> cpu_us = std::nullopt);

  // The median; absent if there is no sample.
  std::optional<double> MedianOf(const std::string& section,
                                 const std::string& name,
                                 const std::string& store) const;

  void PrintDescription(std::ostream& out) const;

  // A Markdown table for each section, and whether targets are met.
  void PrintTables(std::ostream& out) const;

  // The same and all samples as JSON. Ends the program if the file cannot be
  // written.
  void WriteJson(const std::string& path) const;

 private:
  struct Row {
    Measure measure;
    std::string store;
    std::vector<double> samples;
    std::vector<double> cpu_us;
  };
  struct Verdict {
    std::string target;
    bool met = false;
  };
  const Row* Find(const std::string& section, const std::string& name,
                  const std::string& store) const;
  // How many times better tokendb is.
  std::optional<double> Factor(const Row& row) const;
  std::optional<Verdict> Judge(const Row& row) const;
  void PrintRow(const Row& row, std::ostream& out) const;
  void PrintTable(const std::string& section, std::ostream& out) const;

  const std::vector<std::string> sections_;
  const std::vector<Target> targets_;
  std::vector<std::pair<std::string, std::string>> description_;
  std::vector<std::pair<std::string, std::string>> notes_;
  std::vector<Row> rows_;
};

double Median(std::vector<double> samples);

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_PEERS_RESULTS_H_
