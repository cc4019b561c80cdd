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

// All that was measured, and the tables of it.
class Results {
 public:
  // A fact about the run or the machine.
  void Describe(std::string name, std::string value);

  // A fact about a store in a section, shown below its table.
  void Note(const std::string& section, std::string text);

  // One sample; a store's samples of one measure are its repetitions.
  void Add(const Measure& measure, const std::string& store, double sample);

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
  };
  struct Verdict {
    std::string target;
    bool met = false;
  };
  const Row* Find(const Measure& measure, const std::string& store) const;
  // How many times better tokendb is.
  std::optional<double> Factor(const Row& row) const;
  std::optional<Verdict> Judge(const Row& row) const;
  void PrintRow(const Row& row, std::ostream& out) const;
  void PrintTable(const std::string& section, std::ostream& out) const;

  std::vector<std::pair<std::string, std::string>> description_;
  std::vector<std::pair<std::string, std::string>> notes_;
  std::vector<Row> rows_;
};

double Median(std::vector<double> samples);

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_PEERS_RESULTS_H_
