#include <iostream>
#include <memory>
#include <string>

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

void PrintJson(const CheckReport& report) {
  Json problems = Json::array();
  for (const CheckProblem& problem : report.problems) {
    problems.push_back(
        {{"kind", std::string(CheckProblemKindName(problem.kind))},
         {"family", problem.family},
         {"key", problem.key},
         {"detail", problem.detail}});
  }
  const Json json = {{"records", report.records},
                     {"entries", report.entries},
                     {"problemsFound", report.problems_found},
                     {"problems", std::move(problems)}};
  std::cout << json.dump(1, ' ', false, Json::error_handler_t::replace) << '\n';
}

void PrintText(const CheckReport& report) {
  for (const CheckProblem& problem : report.problems) {
    std::cout << CheckProblemKindName(problem.kind) << "  " << problem.family
              << "  " << problem.key << "  " << Printable(problem.detail)
              << '\n';
  }
  std::cout << report.records << " records and " << report.entries
            << " entries checked, " << report.problems_found
            << " differences\n";
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
    PrintJson(report);
  } else {
    PrintText(report);
  }
  return report.problems_found == 0 ? kSuccess : kDifferent;
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
  auto directory = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "repair", "Put right the counters of live tokens that check finds wrong");
  AddDirectory(*command, *directory);
  command->callback([directory, &exit_code] {
    exit_code = WithDatabase(
        OpenExisting(*directory),
        [](Database& database) -> absl::StatusOr<ExitCode> {
          ASSIGN_OR_RETURN(const uint64_t repaired, database.RepairCounters());
          std::cout << repaired << " counters repaired\n";
          return kSuccess;
        });
  });
}

}  // namespace tokendb::cli
