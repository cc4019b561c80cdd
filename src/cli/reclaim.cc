#include <iostream>
#include <memory>
#include <string>

#include "nlohmann/json.hpp"
#include "src/base/status_macros.h"
#include "src/cli/commands.h"
#include "src/cli/support.h"

namespace tokendb::cli {
namespace {

struct Options {
  std::string directory;
  bool json = false;
};

absl::StatusOr<ExitCode> Reclaim(Database& database, const Options& options) {
  ASSIGN_OR_RETURN(const ReclaimReport report, database.Reclaim());
  if (options.json) {
    const nlohmann::ordered_json json = {
        {"filesDropped", report.files_dropped},
        {"filesRewritten", report.files_rewritten},
        {"bytesRewritten", report.bytes_rewritten},
        {"bytesReclaimed", report.bytes_reclaimed}};
    std::cout << json.dump(1) << '\n';
    return kSuccess;
  }
  std::cout << "about " << report.bytes_reclaimed
            << " bytes reclaimed: " << report.files_dropped
            << " files dropped, " << report.files_rewritten << " rewritten ("
            << report.bytes_rewritten << " bytes)\n";
  return kSuccess;
}

}  // namespace

void AddReclaim(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "reclaim",
      "Take the space of forgotten tokens back now, which a program that has "
      "the\ndatabase open does by itself");
  AddDirectory(*command, options->directory);
  command->add_flag("--json", options->json, "For programs");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenExisting(options->directory),
        [&](Database& database) { return Reclaim(database, *options); });
  });
}

}  // namespace tokendb::cli
