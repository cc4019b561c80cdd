#include "src/formats/import.h"

#include <iostream>
#include <istream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/cli/commands.h"
#include "src/cli/support.h"
#include "src/formats/fd_stream.h"

namespace tokendb::cli {
namespace {

struct Options {
  std::string directory;
  std::vector<std::string> files;
  std::string format;
  bool skip_bad = false;
};

void PrintReport(const std::string& file, const ImportReport& report) {
  for (const InputError& error : report.errors) {
    PrintError(absl::StrCat(file, ":", error.position.line, ":",
                            error.position.column, ": ", error.message));
  }
  if (report.bad_lines > report.errors.size()) {
    PrintError(absl::StrCat(file, ": and ",
                            report.bad_lines - report.errors.size(),
                            " more bad lines"));
  }
  const bool imported = report.issued + report.updated + report.forgotten > 0;
  if (absl::IsInvalidArgument(report.status) && !imported) return;
  std::cout << file << ": " << report.issued << " issued, " << report.updated
            << " updated, " << report.unchanged << " unchanged, "
            << report.skipped << " skipped\n";
  if (report.forgotten > 0) {
    std::cout << file << ": " << report.forgotten
              << " expired longer ago than the database keeps (see tokendb "
                 "retention)\n";
  }
  if (report.more_pages) {
    PrintError(absl::StrCat(
        file, ": note: the response says that more pages follow this one"));
  }
}

absl::StatusOr<ExitCode> ImportFile(Database& database, const Options& options,
                                    const std::string& file,
                                    const std::atomic<bool>& stop) {
  const std::string name = file == "-" ? "standard input" : file;
  ASSIGN_OR_RETURN(const std::unique_ptr<FdStreambuf> buffer, OpenInput(file));
  std::istream in(buffer.get());
  std::optional<FileFormat> format = FindFileFormat(options.format);
  if (!format.has_value()) {
    format = DetectFileFormat(file, in);
    in.seekg(0);
  }
  if (!format.has_value()) {
    PrintError(absl::StrCat(name, ": cannot tell the format: use --format"));
    return kBadInput;
  }
  ImportReport report;
  {
    ProgressLine progress;
    report = ImportTokens(
        database, *format, in,
        {.skip_bad = options.skip_bad,
         .stop = &stop,
         .progress = [&](bool writing, uint64_t tokens) {
           progress.Show(absl::StrCat(name, ": ", tokens,
                                      writing ? " imported" : " checked"));
         }});
  }
  PrintReport(name, report);
  if (report.status.ok()) return kSuccess;
  // The database says InvalidArgument for bad lines only: the command line is
  // right.
  if (absl::IsInvalidArgument(report.status)) {
    PrintError(absl::StrCat(name, ": ", report.status.message()));
    return kBadInput;
  }
  return report.status;
}

absl::StatusOr<ExitCode> Import(Database& database, const Options& options) {
  const std::atomic<bool>& stop = CatchInterrupts();
  ExitCode code = kSuccess;
  for (const std::string& file : options.files) {
    const absl::StatusOr<ExitCode> result =
        ImportFile(database, options, file, stop);
    code = result.ok() ? *result : Report(result.status());
    if (code != kSuccess) break;
  }
  // Batches are not synced one by one.
  RETURN_IF_ERROR(database.Flush());
  return code;
}

}  // namespace

void AddImport(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "import",
      "Put the tokens of files into a database, which is made if there is "
      "none.\nNew tokens are added; those that exist take the fields the file "
      "has, and are\nleft alone if nothing differs. Files are imported one "
      "after the other; the\nfirst one with a bad line ends the import, and "
      "nothing of that file is taken.");
  AddDirectory(*command, options->directory);
  command->add_option("FILE", options->files, "Files; - is standard input")
      ->required();
  command
      ->add_option("--format", options->format,
                   "csv, jsonl or graphql; else told by name and content")
      ->check(CLI::IsMember({"csv", "jsonl", "graphql"}));
  command->add_flag("--skip-bad", options->skip_bad,
                    "Import the good lines of a file with bad ones");
  command->footer(
      "Examples:\n"
      "  tokendb import DIR keyring.csv\n"
      "  curl ... | tokendb import DIR - --format graphql");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenOrCreate(options->directory),
        [&](Database& database) { return Import(database, *options); });
  });
}

}  // namespace tokendb::cli
