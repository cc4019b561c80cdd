#include "src/formats/export.h"

#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/cli/commands.h"
#include "src/cli/filters.h"
#include "src/cli/support.h"

namespace tokendb::cli {
namespace {

struct Options {
  std::string directory;
  std::string file = "-";
  std::string format = "csv";
  bool with_digests = false;
  FilterOptions filters;
};

absl::StatusOr<ExitCode> Export(Database& database, const Options& options) {
  ASSIGN_OR_RETURN(const Query query,
                   MakeQuery(options.filters, database.Now()));
  const std::atomic<bool>& stop = CatchInterrupts();
  ProgressLine progress;
  const ExportOptions export_options = {
      .format = *FindFileFormat(options.format),
      .with_digests = options.with_digests,
      .stop = &stop,
      .progress =
          [&](uint64_t tokens) {
            if (options.file != "-") {
              progress.Show(absl::StrCat(tokens, " exported"));
            }
          },
  };
  if (options.file == "-") {
    RETURN_IF_ERROR(
        ExportTokens(database, query, export_options, std::cout).status());
    return kSuccess;
  }
  RETURN_IF_ERROR(
      ExportToFile(database, query, export_options, options.file).status());
  return kSuccess;
}

}  // namespace

void AddExport(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "export",
      "Write tokens to a file, which appears when it is complete, or to\n"
      "standard output. Live ones only, unless --state says otherwise.");
  AddDirectory(*command, options->directory);
  command->add_option("FILE", options->file, "- is standard output")
      ->capture_default_str();
  command
      ->add_option("--format", options->format,
                   "csv, jsonl, or graphql (Buildkite's fields only)")
      ->capture_default_str()
      ->check(CLI::IsMember({"csv", "jsonl", "graphql"}));
  command->add_flag("--with-digests", options->with_digests,
                    "Write the digests of the secrets too");
  AddFilters(*command, options->filters);
  command->footer(
      "Examples:\n"
      "  tokendb export DIR backup.jsonl --format jsonl --state all "
      "--with-digests\n"
      "  tokendb export DIR --owner user:42 --expires-before 30d");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenExisting(options->directory),
        [&](Database& database) { return Export(database, *options); });
  });
}

}  // namespace tokendb::cli
