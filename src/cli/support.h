// What the commands share.
#ifndef TOKENDB_SRC_CLI_SUPPORT_H_
#define TOKENDB_SRC_CLI_SUPPORT_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokendb/db.h"

namespace tokendb::cli {

enum ExitCode : int {
  kSuccess = 0,
  // check or repair left differences, get found nothing, touch wrote nothing.
  kDifferent = 1,
  kUsage = 2,
  kBadInput = 3,
  kFailure = 4,
  kInterrupted = 130,
};

// Writes "tokendb: ..." to stderr.
void PrintError(std::string_view message);

// The exit code of a status, InvalidArgument being wrong usage. Prints errors.
ExitCode Report(const absl::Status& status);

// Adds the positional DIR.
void AddDirectory(CLI::App& command, std::string& directory);

// Adds an option that takes one value each time it is given.
CLI::Option* AddRepeated(CLI::App& command, const std::string& name,
                         std::vector<std::string>& values,
                         const std::string& help);

absl::StatusOr<std::unique_ptr<Database>> OpenWith(const std::string& path,
                                                   const OpenOptions& options);
absl::StatusOr<std::unique_ptr<Database>> OpenExisting(const std::string& path);
// A new database forgets nothing until it is told to (see AddRetention()): what
// is put in by hand or from a file is there to be looked at.
OpenOptions NewDatabaseOptions();
absl::StatusOr<std::unique_ptr<Database>> OpenOrCreate(const std::string& path);

// Runs `body` on the database, and reports what it returns or why the database
// cannot be opened.
int WithDatabase(
    absl::StatusOr<std::unique_ptr<Database>> database,
    const std::function<absl::StatusOr<ExitCode>(Database&)>& body);

// From now on SIGINT and SIGTERM set the flag this returns, the first time; the
// second ends the process as usual.
const std::atomic<bool>& CatchInterrupts();

// "60s", "30d", or "forever".
std::string PeriodText(absl::Duration period);

// A line on stderr that is written over, if stderr is a terminal.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Show(const std::string& text);

 private:
  const bool visible_;
  size_t width_ = 0;
};

// A table of text, columns aligned by two blanks.
class Table {
 public:
  explicit Table(std::vector<std::string> header) { Add(std::move(header)); }

  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void Print() const;  // To stdout.

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Returns the text with everything escaped that would not show as itself:
// control characters, bytes that are no UTF-8, marks that change direction. If
// `width` is not zero, what is longer is cut off and ends in an ellipsis.
std::string Printable(std::string_view text, size_t width = 0);

// Columns the text, as Printable() returns it, takes on a terminal.
size_t DisplayWidth(std::string_view text);

}  // namespace tokendb::cli

#endif  // TOKENDB_SRC_CLI_SUPPORT_H_
