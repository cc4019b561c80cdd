#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "src/base/status_macros.h"
#include "src/cli/commands.h"
#include "src/cli/filters.h"
#include "src/cli/support.h"

namespace tokendb::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string directory;
  bool analyze = false;
  bool json = false;
  FilterOptions filters;
  PageOptions paging;
};

Json ToJson(const Explanation& explanation) {
  Json candidates = Json::array();
  for (const Explanation::Candidate& candidate : explanation.candidates) {
    candidates.push_back({{"driver", candidate.driver},
                          {"estimatedEntries", candidate.estimated_entries},
                          {"cost", candidate.cost}});
  }
  Json json = {
      {"driver", explanation.driver},       {"ranges", explanation.ranges},
      {"order", explanation.order},         {"sorts", explanation.sorts},
      {"onIndex", explanation.on_index},    {"onRecord", explanation.on_record},
      {"candidates", std::move(candidates)}};
  if (const auto& actual = explanation.actual; actual.has_value()) {
    json["actual"] = {
        {"seeks", actual->seeks},
        {"examined", actual->examined},
        {"fetched", actual->fetched},
        {"matched", actual->matched},
        {"elapsedSeconds", absl::ToDoubleSeconds(actual->elapsed)}};
  }
  return json;
}

absl::StatusOr<ExitCode> Explain(Database& database, const Options& options) {
  ASSIGN_OR_RETURN(Query query, MakeQuery(options.filters, database.Now()));
  ApplyPaging(options.paging, query);
  ASSIGN_OR_RETURN(const Explanation explanation,
                   options.analyze ? database.ExplainAnalyze(query)
                                   : database.Explain(query));
  if (options.json) {
    std::cout << ToJson(explanation)
                     .dump(1, ' ', false, Json::error_handler_t::replace)
              << '\n';
  } else {
    std::cout << explanation.ToString();
  }
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
  command->add_flag("--json", options->json, "Print JSON");
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
