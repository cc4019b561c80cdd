#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "src/base/status_macros.h"
#include "src/cli/commands.h"
#include "src/cli/support.h"
#include "src/formats/time_text.h"

namespace tokendb::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string directory;
  std::string after;
  size_t limit = 1000;
  bool from_now = false;
  bool json = false;
};

Json ToJson(const TokenChange& change) {
  Json json = {{"change", std::string(TokenChangeKindName(change.kind))},
               {"uuid", change.id.ToString()},
               {"version", change.version},
               {"at", Rfc3339(change.at)}};
  if (change.revoked_at.has_value()) {
    json["revokedAt"] = Rfc3339(*change.revoked_at);
  }
  return json;
}

void PrintJson(const ChangePage& page) {
  Json changes = Json::array();
  for (const TokenChange& change : page.changes) {
    changes.push_back(ToJson(change));
  }
  const Json json = {{"changes", std::move(changes)},
                     {"continuation", page.continuation},
                     {"caughtUp", page.caught_up}};
  std::cout << json.dump(1) << '\n';
}

void PrintTable(const ChangePage& page) {
  Table table({"AT", "CHANGE", "UUID", "VERSION", "REVOKED AT"});
  for (const TokenChange& change : page.changes) {
    table.Add(
        {Rfc3339(change.at), std::string(TokenChangeKindName(change.kind)),
         change.id.ToString(), absl::StrCat(change.version),
         change.revoked_at.has_value() ? Rfc3339(*change.revoked_at) : ""});
  }
  table.Print();
  std::cout << (page.caught_up ? "later: --after " : "more: --after ")
            << page.continuation << '\n';
}

absl::StatusOr<ExitCode> Changes(Database& database, const Options& options) {
  if (options.from_now) {
    ASSIGN_OR_RETURN(const std::string continuation, database.ChangesFromNow());
    if (options.json) {
      std::cout << Json{{"continuation", continuation}}.dump(1) << '\n';
    } else {
      std::cout << continuation << '\n';
    }
    return kSuccess;
  }
  ASSIGN_OR_RETURN(const ChangePage page,
                   database.Changes(options.after, options.limit));
  if (options.json) {
    PrintJson(page);
  } else {
    PrintTable(page);
  }
  return kSuccess;
}

}  // namespace

void AddChanges(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "changes",
      "Show what was issued, updated, revoked and deleted, the oldest change "
      "first.\nChanges are kept once \"tokendb retention DIR --changes SPAN\" "
      "was set.");
  AddDirectory(*command, options->directory);
  CLI::Option* after =
      command
          ->add_option("--after", options->after,
                       "Go on behind a page, with the continuation it ended in")
          ->type_name("CONTINUATION");
  command->add_option("--limit", options->limit, "At most N changes")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(1, 10000));
  command
      ->add_flag("--from-now", options->from_now,
                 "Show only the continuation behind all changes so far")
      ->excludes(after);
  command->add_flag("--json", options->json, "For programs");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenExisting(options->directory),
        [&](Database& database) { return Changes(database, *options); });
  });
}

}  // namespace tokendb::cli
