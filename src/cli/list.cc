#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/cli/commands.h"
#include "src/cli/filters.h"
#include "src/cli/rows.h"
#include "src/cli/support.h"
#include "src/formats/time_text.h"

namespace tokendb::cli {
namespace {

struct Options {
  std::string directory;
  std::string within = "30d";
  bool not_notified = false;
  bool mark_notified = false;
  FilterOptions filters;
  PageOptions paging;
  RowOptions rows;
};

// An empty list of live tokens is easily taken for an empty database, so that
// what only the state leaves out is told.
absl::Status NoteOtherStates(const Database& database, Query query) {
  constexpr uint64_t kEnough = 100000;
  query.states = StateSet::All();
  query.max_examined = std::min(query.max_examined, kEnough);
  ASSIGN_OR_RETURN(const CountResult others, database.Count(query));
  if (others.count > 0) {
    PrintError(absl::StrCat("note: no live token matches, but ", others.count,
                            others.complete ? "" : " or more",
                            " in other states: see --state"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> List(Database& database, const Options& options) {
  const absl::Time now = database.Now();
  ASSIGN_OR_RETURN(Query query, MakeQuery(options.filters, now));
  ApplyPaging(options.paging, query);
  ASSIGN_OR_RETURN(const Page page, database.List(query));
  PrintPage(page, now, options.rows);
  const bool empty = page.tokens.empty() && page.continuation.empty() &&
                     options.paging.continuation.empty();
  if (empty && !options.rows.json && query.states == TokenState::kLive) {
    RETURN_IF_ERROR(NoteOtherStates(database, query));
  }
  return kSuccess;
}

absl::StatusOr<ExitCode> Expiring(Database& database, const Options& options) {
  const absl::StatusOr<absl::Duration> within = ParseSpan(options.within);
  if (!within.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--within: ", within.status().message()));
  }
  const absl::Time now = database.Now();
  ASSIGN_OR_RETURN(Query query, MakeQuery(options.filters, now));
  query.limit = options.paging.limit;
  query.continuation = options.paging.continuation;
  query.expires_within = *within;
  if (options.not_notified) query.not_notified_within = *within;
  ASSIGN_OR_RETURN(const Page page, database.List(query));
  PrintPage(page, now, options.rows);
  if (!options.mark_notified) return kSuccess;
  std::vector<TokenId> ids;
  for (const Token& token : page.tokens) ids.push_back(token.id);
  ASSIGN_OR_RETURN(const uint64_t marked, database.MarkNotified(ids, *within));
  PrintError(absl::StrCat("note: ", marked, " newly marked"));
  return kSuccess;
}

void AddOutput(CLI::App& command, RowOptions& rows) {
  command.add_flag("--json", rows.json, "For programs");
  command.add_flag("--wide", rows.wide, "Cut no text off in the table");
}

}  // namespace

void AddList(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("list", "List the tokens that meet all conditions");
  AddDirectory(*command, options->directory);
  AddFilters(*command, options->filters);
  AddBounds(*command, options->filters);
  AddPaging(*command, options->paging);
  AddOutput(*command, options->rows);
  command->footer(
      "Examples:\n"
      "  tokendb list DIR --owner user:42\n"
      "  tokendb list DIR --scope write_builds --expires-before 2027-01-01 "
      "--limit 20\n"
      "  tokendb list DIR --state all --order created --desc --json");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenExisting(options->directory),
        [&](Database& database) { return List(database, *options); });
  });
}

void AddExpiring(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  options->rows.remaining = true;
  CLI::App* command = app.add_subcommand(
      "expiring", "List the live tokens that expire soon, the next one first");
  AddDirectory(*command, options->directory);
  command
      ->add_option("--within", options->within,
                   "How soon: 30d, 12h, 15m, 45s, 2w")
      ->capture_default_str()
      ->type_name("SPAN");
  AddFilters(*command, options->filters, FilterSet::kWithoutExpiry);
  command->add_option("--limit", options->paging.limit, "At most N tokens")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(1, 10000));
  command
      ->add_option("--continuation", options->paging.continuation,
                   "Go on where a page with the same filters ended")
      ->type_name("C");
  command->add_flag("--not-notified", options->not_notified,
                    "Not marked for this --within or a shorter one yet");
  command->add_flag("--mark-notified", options->mark_notified,
                    "Mark what is shown: its owners are being told");
  AddOutput(*command, options->rows);
  command->footer(
      "Example:\n"
      "  tokendb expiring DIR --within 7d --owner user:42\n"
      "  tokendb expiring DIR --within 7d --not-notified --mark-notified "
      "--json");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenExisting(options->directory),
        [&](Database& database) { return Expiring(database, *options); });
  });
}

}  // namespace tokendb::cli
