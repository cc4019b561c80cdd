#include <atomic>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
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
  std::string action;
  std::string name;
  bool json = false;
};

std::optional<OptionalIndex> IndexNamed(const std::string& name) {
  for (const OptionalIndex index :
       {OptionalIndex::kOrganization, OptionalIndex::kKind}) {
    if (name == OptionalIndexName(index)) return index;
  }
  return std::nullopt;
}

ExitCode Show(const Database& database, bool as_json) {
  Json json = Json::array();
  Table table({"INDEX", "STATE", "GENERATION", "BUILT"});
  for (const IndexInfo& info : database.Indexes()) {
    const std::string state(IndexStateName(info.state));
    json.push_back({{"name", info.name},
                    {"state", state},
                    {"generation", info.generation},
                    {"tokensBuilt", info.tokens_built}});
    table.Add({info.name, state, absl::StrCat(info.generation),
               absl::StrCat(info.tokens_built)});
  }
  if (as_json) {
    std::cout << json.dump(1) << '\n';
  } else {
    table.Print();
  }
  return kSuccess;
}

absl::StatusOr<ExitCode> Add(Database& database, OptionalIndex index) {
  const std::atomic<bool>& stop = CatchInterrupts();
  absl::Status status;
  {
    ProgressLine progress;
    status = database.AddIndex(
        index, {.progress =
                    [&progress](uint64_t tokens) {
                      progress.Show(absl::StrCat(tokens, " tokens indexed"));
                    },
                .stop = &stop});
  }
  if (absl::IsCancelled(status)) {
    PrintError(absl::StrCat(status.message()));
    return kInterrupted;
  }
  RETURN_IF_ERROR(status);
  std::cout << "index " << OptionalIndexName(index) << " is readable\n";
  return kSuccess;
}

absl::StatusOr<ExitCode> Run(Database& database, const Options& options) {
  if (options.action.empty()) return Show(database, options.json);
  const std::optional<OptionalIndex> index = IndexNamed(options.name);
  if (!index.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no optional index \"", Printable(options.name),
                     "\": organization or kind"));
  }
  if (options.action == "add") return Add(database, *index);
  RETURN_IF_ERROR(database.DropIndex(*index));
  std::cout << "index " << options.name << " is dropped\n";
  return kSuccess;
}

}  // namespace

void AddIndex(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "index",
      "Show the indexes, or add or drop the one of organizations or of kinds");
  AddDirectory(*command, options->directory);
  CLI::Option* action =
      command->add_option("ACTION", options->action, "add or drop")
          ->check(CLI::IsMember({"add", "drop"}));
  CLI::Option* name =
      command->add_option("NAME", options->name, "organization or kind");
  action->needs(name);
  command->add_flag("--json", options->json, "For programs")->excludes(action);
  command->footer(
      "Adding one that was interrupted goes on where it was.\n\n"
      "Example:\n"
      "  tokendb index DIR add organization");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenExisting(options->directory),
        [&](Database& database) { return Run(database, *options); });
  });
}

}  // namespace tokendb::cli
