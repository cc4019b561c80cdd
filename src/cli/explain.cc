#include <iostream>
#include <memory>
#include <string>

#include "src/base/status_macros.h"
#include "src/cli/commands.h"
#include "src/cli/filters.h"
#include "src/cli/support.h"

namespace tokendb::cli {
namespace {

struct Options {
  std::string directory;
  bool analyze = false;
  FilterOptions filters;
  PageOptions paging;
};

absl::StatusOr<ExitCode> Explain(Database& database, const Options& options) {
  ASSIGN_OR_RETURN(Query query, MakeQuery(options.filters, database.Now()));
  ApplyPaging(options.paging, query);
  ASSIGN_OR_RETURN(const Explanation explanation,
                   options.analyze ? database.ExplainAnalyze(query)
                                   : database.Explain(query));
  const std::string text = explanation.ToString();
  std::cout << text;
  if (!text.ends_with('\n')) std::cout << '\n';
  return kSuccess;
}

}  // namespace

void AddExplain(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "explain", "Say how list would find the tokens, without reading them");
  AddDirectory(*command, options->directory);
  command->add_flag("--analyze", options->analyze,
                    "List one page too, and say what it took");
  AddFilters(*command, options->filters);
  AddBounds(*command, options->filters);
  AddPaging(*command, options->paging);
  command->footer(
      "Example:\n"
      "  tokendb explain DIR --owner user:42 --scope write_builds --analyze");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenExisting(options->directory),
        [&](Database& database) { return Explain(database, *options); });
  });
}

}  // namespace tokendb::cli
