#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/cli/commands.h"
#include "src/cli/rows.h"
#include "src/cli/support.h"
#include "src/formats/time_text.h"

namespace tokendb::cli {
namespace {

struct Options {
  std::string directory;
  std::string from;
  std::string before = "now";
  ExpiredOptions feed;
  RowOptions rows;
};

absl::StatusOr<absl::Time> TimeOption(const char* name, const std::string& text,
                                      absl::Time now) {
  absl::StatusOr<absl::Time> time = ParseTime(text, now);
  if (time.ok()) return time;
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": ", time.status().message()));
}

absl::StatusOr<ExitCode> Expired(Database& database, const Options& options) {
  const absl::Time now = database.Now();
  ASSIGN_OR_RETURN(const absl::Time from,
                   TimeOption("--from", options.from, now));
  ASSIGN_OR_RETURN(const absl::Time before,
                   TimeOption("--before", options.before, now));
  ASSIGN_OR_RETURN(ExpiredPage expired,
                   database.ExpiredBetween(from, before, options.feed));
  Page page{.tokens = std::move(expired.tokens),
            .continuation = std::move(expired.continuation)};
  PrintPage(page, now, options.rows);
  if (page.continuation.empty()) {
    PrintError(absl::StrCat("note: complete; go on with --from ",
                            Rfc3339(expired.complete_until)));
  }
  return kSuccess;
}

}  // namespace

void AddExpired(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "expired",
      "List the tokens that expired in a window of time, in that order.\n"
      "An error if some of them may be forgotten already.");
  AddDirectory(*command, options->directory);
  command->add_option("--from", options->from, "Expired at TIME or later")
      ->type_name("TIME")
      ->required();
  command->add_option("--before", options->before, "Expired before TIME")
      ->capture_default_str()
      ->type_name("TIME");
  AddRepeated(*command, "--owner", options->feed.owners,
              "Belongs to the owner with this id (any of them)")
      ->type_name("ID");
  AddRepeated(*command, "--scope", options->feed.scopes.all_of,
              "Has this scope (all of them)")
      ->type_name("SCOPE");
  command->add_option("--limit", options->feed.limit, "At most N tokens")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(1, 10000));
  command
      ->add_option("--continuation", options->feed.continuation,
                   "Go on where a page of the same window ended; its times "
                   "must be fixed ones")
      ->type_name("C");
  command->add_flag("--json", options->rows.json, "For programs");
  command->add_flag("--wide", options->rows.wide,
                    "Cut no text off in the table");
  command->footer(
      "Example:\n"
      "  tokendb expired DIR --from 2026-11-01 --before 2026-12-01");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenExisting(options->directory),
        [&](Database& database) { return Expired(database, *options); });
  });
}

}  // namespace tokendb::cli
