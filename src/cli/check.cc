#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "src/base/status_macros.h"
#include "src/cli/commands.h"
#include "src/cli/support.h"

namespace tokendb::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string directory;
  bool json = false;
};

Json ToJson(const std::vector<CheckProblem>& problems) {
  Json json = Json::array();
  for (const CheckProblem& problem : problems) {
    json.push_back({{"kind", std::string(CheckProblemKindName(problem.kind))},
                    {"family", problem.family},
                    {"key", problem.key},
                    {"detail", problem.detail}});
  }
  return json;
}

void Print(const Json& json) {
  std::cout << json.dump(1, ' ', false, Json::error_handler_t::replace) << '\n';
}

void Print(const std::vector<CheckProblem>& problems) {
  for (const CheckProblem& problem : problems) {
    std::cout << CheckProblemKindName(problem.kind) << "  " << problem.family
              << "  " << problem.key << "  " << Printable(problem.detail)
              << '\n';
  }
}

absl::StatusOr<ExitCode> Check(Database& database, const Options& options) {
  CheckReport report;
  {
    ProgressLine progress;
    ASSIGN_OR_RETURN(report, database.Check([&progress](uint64_t records) {
      progress.Show(absl::StrCat(records, " records checked"));
    }));
  }
  if (options.json) {
    Print(Json{{"records", report.records},
               {"entries", report.entries},
               {"problemsFound", report.problems_found},
               {"problems", ToJson(report.problems)}});
  } else {
    Print(report.problems);
    std::cout << report.records << " records and " << report.entries
              << " entries checked, " << report.problems_found
              << " differences\n";
  }
  return report.problems_found == 0 ? kSuccess : kDifferent;
}

absl::StatusOr<ExitCode> Repair(Database& database, const Options& options) {
  RepairReport report;
  {
    ProgressLine progress;
    ASSIGN_OR_RETURN(report, database.Repair([&progress](uint64_t records) {
      progress.Show(absl::StrCat(records, " records checked"));
    }));
  }
  if (options.json) {
    Print(Json{{"records", report.records},
               {"repaired", report.repaired},
               {"counters", report.counters},
               {"unrepairedFound", report.unrepaired_found},
               {"unrepaired", ToJson(report.unrepaired)}});
  } else {
    Print(report.unrepaired);
    std::cout << report.records << " records checked, " << report.repaired
              << " entries and " << report.counters << " counters repaired, "
              << report.unrepaired_found << " differences left\n";
  }
  return report.unrepaired_found == 0 ? kSuccess : kDifferent;
}

}  // namespace

void AddCheck(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "check",
      "Compare every record with its index entries, and every entry with its\n"
      "record. Exit code 1, and a list, if any differ.");
  AddDirectory(*command, options->directory);
  command->add_flag("--json", options->json, "For programs");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenExisting(options->directory),
        [&](Database& database) { return Check(database, *options); });
  });
}

void AddRepair(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "repair",
      "Put right what check finds: index entries and counters follow the "
      "records. Exit\ncode 1, and a list, if something could not be repaired.");
  AddDirectory(*command, options->directory);
  command->add_flag("--json", options->json, "For programs");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenExisting(options->directory),
        [&](Database& database) { return Repair(database, *options); });
  });
}

}  // namespace tokendb::cli
