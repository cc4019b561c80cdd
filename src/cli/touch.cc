#include <iostream>
#include <memory>
#include <string>

#include "src/base/status_macros.h"
#include "src/cli/commands.h"
#include "src/cli/support.h"
#include "src/formats/time_text.h"

namespace tokendb::cli {
namespace {

struct Options {
  std::string directory;
  std::string uuid;
  std::string at;
  std::string ip_address;
};

absl::StatusOr<ExitCode> Touch(Database& database, const Options& options) {
  ASSIGN_OR_RETURN(const TokenId id, TokenId::Parse(options.uuid));
  absl::Time at = database.Now();
  if (!options.at.empty()) {
    ASSIGN_OR_RETURN(at, ParseTime(options.at, at));
  }
  RETURN_IF_ERROR(database.Touch(id, at, options.ip_address));
  RETURN_IF_ERROR(database.FlushTouches());
  ASSIGN_OR_RETURN(const DatabaseStats stats, database.Stats());
  if (stats.touches.written == 0) {
    PrintError(
        "note: nothing was written: the token does not exist, is not live, or "
        "has a later use");
    return kDifferent;
  }
  return kSuccess;
}

}  // namespace

void AddTouch(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "touch",
      "Note that a live token was used. Exit code 1 if that says nothing new.");
  AddDirectory(*command, options->directory);
  command->add_option("UUID", options->uuid, "The token")->required();
  command->add_option("--at", options->at, "When; else now")->type_name("TIME");
  command->add_option("--ip", options->ip_address, "From which address")
      ->type_name("ADDRESS");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenExisting(options->directory),
        [&](Database& database) { return Touch(database, *options); });
  });
}

}  // namespace tokendb::cli
