#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
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
  std::string by;
  bool json = false;
  FilterOptions filters;
};

Grouping GroupingOf(const std::string& by) {
  if (by == "owner") return Grouping::kOwner;
  if (by == "scope") return Grouping::kScope;
  if (by == "state") return Grouping::kState;
  return by == "expiry-hour" ? Grouping::kExpiryHour : Grouping::kExpiryDay;
}

void Print(const Json& json) {
  std::cout << json.dump(1, ' ', false, Json::error_handler_t::replace) << '\n';
}

void NoteIncomplete(bool complete) {
  if (!complete) PrintError("note: the count was ended early by its bounds");
}

absl::StatusOr<ExitCode> CountAll(const Database& database,
                                  const Options& options, const Query& query) {
  ASSIGN_OR_RETURN(const CountResult result, database.Count(query));
  if (options.json) {
    Print({{"count", result.count}, {"complete", result.complete}});
  } else {
    std::cout << result.count << '\n';
    NoteIncomplete(result.complete);
  }
  return kSuccess;
}

absl::StatusOr<ExitCode> CountGroups(const Database& database,
                                     const Options& options,
                                     const Query& query) {
  ASSIGN_OR_RETURN(const GroupedCount result,
                   database.CountBy(query, GroupingOf(options.by)));
  if (options.json) {
    Json groups = Json::array();
    for (const Group& group : result.groups) {
      groups.push_back(
          {{"key", group.key.has_value() ? Json(*group.key) : Json(nullptr)},
           {"count", group.count}});
    }
    Print({{"groups", std::move(groups)}, {"complete", result.complete}});
    return kSuccess;
  }
  Table table({options.by, "count"});
  for (const Group& group : result.groups) {
    table.Add({group.key.has_value() ? Printable(*group.key) : "(none)",
               absl::StrCat(group.count)});
  }
  table.Print();
  NoteIncomplete(result.complete);
  return kSuccess;
}

absl::StatusOr<ExitCode> Count(Database& database, const Options& options) {
  ASSIGN_OR_RETURN(const Query query,
                   MakeQuery(options.filters, database.Now()));
  return options.by.empty() ? CountAll(database, options, query)
                            : CountGroups(database, options, query);
}

}  // namespace

void AddCount(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("count", "Count the tokens that meet all conditions");
  AddDirectory(*command, options->directory);
  command
      ->add_option("--by", options->by,
                   "Count apart by owner, scope (once for each held), state, "
                   "expiry-hour or expiry-day")
      ->check(CLI::IsMember(
          {"owner", "scope", "state", "expiry-hour", "expiry-day"}));
  AddFilters(*command, options->filters);
  AddBounds(*command, options->filters);
  command->add_flag("--json", options->json, "For programs");
  command->footer(
      "Examples:\n"
      "  tokendb count DIR --by scope\n"
      "  tokendb count DIR --state all --by state");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenExisting(options->directory),
        [&](Database& database) { return Count(database, *options); });
  });
}

}  // namespace tokendb::cli
