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
#include "src/formats/bulk_import.h"
#include "src/formats/fd_stream.h"
#include "tokendb/bulk_load.h"

namespace tokendb::cli {
namespace {

struct Options {
  std::string directory;
  std::vector<std::string> files;
  std::string format;
  bool skip_bad = false;
  bool bulk = false;
};

void PrintErrors(const std::string& file, const ImportReport& report) {
  for (const InputError& error : report.errors) {
    PrintError(absl::StrCat(file, ":", error.position.line, ":",
                            error.position.column, ": ", error.message));
  }
  if (report.bad_lines > report.errors.size()) {
    PrintError(absl::StrCat(file, ": and ",
                            report.bad_lines - report.errors.size(),
                            " more bad lines"));
  }
}

void PrintMorePages(const std::string& file, const ImportReport& report) {
  if (!report.more_pages) return;
  PrintError(absl::StrCat(
      file, ": note: the response says that more pages follow this one"));
}

void PrintForgotten(const std::string& file, uint64_t forgotten) {
  if (forgotten == 0) return;
  std::cout << file << ": " << forgotten
            << " expired longer ago than the database keeps (see tokendb "
               "retention)\n";
}

void PrintReport(const std::string& file, const ImportReport& report) {
  PrintErrors(file, report);
  const bool imported = report.issued + report.updated + report.forgotten > 0;
  if (absl::IsInvalidArgument(report.status) && !imported) return;
  std::cout << file << ": " << report.issued << " issued, " << report.updated
            << " updated, " << report.unchanged << " unchanged, "
            << report.skipped << " skipped\n";
  PrintForgotten(file, report.forgotten);
  PrintMorePages(file, report);
}

std::string NameOf(const std::string& file) {
  return file == "-" ? "standard input" : file;
}

// Nothing, after saying so, if the format cannot be told.
std::optional<FileFormat> FormatOf(const Options& options,
                                   const std::string& file, std::istream& in) {
  std::optional<FileFormat> format = FindFileFormat(options.format);
  if (!format.has_value()) {
    format = DetectFileFormat(file, in);
    in.seekg(0);
  }
  if (!format.has_value()) {
    PrintError(
        absl::StrCat(NameOf(file), ": cannot tell the format: use --format"));
  }
  return format;
}

absl::StatusOr<ExitCode> ImportFile(Database& database, const Options& options,
                                    const std::string& file,
                                    const std::atomic<bool>& stop) {
  const std::string name = NameOf(file);
  ASSIGN_OR_RETURN(const std::unique_ptr<FdStreambuf> buffer, OpenInput(file));
  std::istream in(buffer.get());
  const std::optional<FileFormat> format = FormatOf(options, file, in);
  if (!format.has_value()) return kBadInput;
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

// --- All files at once ---

// Labels of tokens: the file's number above, the line below.
constexpr int kLineBits = 40;

absl::StatusOr<std::unique_ptr<BulkLoader>> OpenLoader(
    const Options& options, const BulkLoadOptions& load) {
  absl::StatusOr<std::unique_ptr<BulkLoader>> loader = BulkLoader::Open(
      options.directory, {.create_mode = CreateMode::kOpenExisting}, load);
  if (absl::IsNotFound(loader.status())) {
    loader = BulkLoader::Open(options.directory, NewDatabaseOptions(), load);
  }
  if (absl::IsFailedPrecondition(loader.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat(options.directory, ": ", loader.status().message(),
                     " (import without --bulk adds to what is there)"));
  }
  // As OpenWith().
  if (absl::IsInvalidArgument(loader.status())) {
    return absl::FailedPreconditionError(loader.status().message());
  }
  return loader;
}

std::string ProgressText(const BulkLoadProgress& progress) {
  switch (progress.phase) {
    case BulkLoadProgress::Phase::kReading:
      return absl::StrCat(progress.tokens, " read");
    case BulkLoadProgress::Phase::kBuilding:
      return absl::StrCat(progress.tokens, " read, ", progress.built_entries,
                          " of about ", progress.entries, " entries built");
    case BulkLoadProgress::Phase::kPublishing:
      return "publishing";
  }
  return "";
}

// Adds a file to the load, and its bad lines to `skipped`.
absl::StatusOr<ExitCode> AddFile(BulkLoader& loader, const Options& options,
                                 size_t number, uint64_t& skipped) {
  const std::string& file = options.files[number];
  ASSIGN_OR_RETURN(const std::unique_ptr<FdStreambuf> buffer, OpenInput(file));
  std::istream in(buffer.get());
  const std::optional<FileFormat> format = FormatOf(options, file, in);
  if (!format.has_value()) return kBadInput;
  const ImportReport report =
      AddToBulkLoad(loader, *format, in,
                    {.skip_bad = options.skip_bad, .label = [&](uint64_t line) {
                       return uint64_t{number} << kLineBits | line;
                     }});
  PrintErrors(NameOf(file), report);
  PrintMorePages(NameOf(file), report);
  skipped += report.skipped;
  if (report.status.ok()) return kSuccess;
  if (!absl::IsInvalidArgument(report.status)) return report.status;
  PrintError(absl::StrCat(NameOf(file), ": ", report.status.message()));
  return kBadInput;
}

absl::StatusOr<ExitCode> BulkImport(const Options& options) {
  const std::atomic<bool>& stop = CatchInterrupts();
  ProgressLine progress;
  ASSIGN_OR_RETURN(
      const std::unique_ptr<BulkLoader> loader,
      OpenLoader(options, {.progress =
                               [&](const BulkLoadProgress& at) {
                                 progress.Show(ProgressText(at));
                               },
                           .stop = &stop,
                           .label_text =
                               [&](uint64_t label) {
                                 const uint64_t line =
                                     label & ((uint64_t{1} << kLineBits) - 1);
                                 return absl::StrCat(
                                     NameOf(options.files[label >> kLineBits]),
                                     ":", line);
                               }}));
  uint64_t skipped = 0;
  for (size_t i = 0; i < options.files.size(); ++i) {
    ASSIGN_OR_RETURN(const ExitCode code,
                     AddFile(*loader, options, i, skipped));
    if (code != kSuccess) return code;
  }
  const absl::StatusOr<BulkLoadReport> report = loader->Finish();
  progress.Show("");
  if (absl::IsAlreadyExists(report.status())) {
    PrintError(
        absl::StrCat(report.status().message(), "; nothing was imported"));
    return kBadInput;
  }
  RETURN_IF_ERROR(report.status());
  std::cout << report->tokens << " issued, " << skipped << " skipped; "
            << report->entries << " entries in " << report->files
            << " files of " << report->bytes << " bytes\n";
  PrintForgotten(options.directory, report->forgotten);
  return kSuccess;
}

int RunBulkImport(const Options& options) {
  const absl::StatusOr<ExitCode> code = BulkImport(options);
  return code.ok() ? *code : Report(code.status());
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
  command->add_flag(
      "--bulk", options->bulk,
      "Put all files into a database without tokens, at once and many times\n"
      "faster: all of them or, if a line is bad or an id or digest comes twice,"
      "\nnone");
  command->footer(
      "Examples:\n"
      "  tokendb import DIR keyring.csv\n"
      "  curl ... | tokendb import DIR - --format graphql");
  command->callback([options, &exit_code] {
    if (options->bulk) {
      exit_code = RunBulkImport(*options);
      return;
    }
    exit_code = WithDatabase(
        OpenOrCreate(options->directory),
        [&](Database& database) { return Import(database, *options); });
  });
}

}  // namespace tokendb::cli
