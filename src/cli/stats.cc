#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
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
  bool json = false;
};

Json ToJson(const ReclaimStats& reclaim) {
  return {{"retainExpired", PeriodText(reclaim.retain_expired)},
          {"retainRevoked", PeriodText(reclaim.retain_revoked)},
          {"forgottenBytes", reclaim.forgotten_bytes},
          {"liveBytes", reclaim.live_bytes},
          {"filesWaiting", reclaim.files_waiting}};
}

Json ToJson(const TouchStats& touches) {
  return {{"pending", touches.pending},
          {"written", touches.written},
          {"dropped", touches.dropped}};
}

void PrintJson(const DatabaseStats& stats,
               const std::optional<absl::Time>& next_expiry) {
  Json families = Json::array();
  for (const DatabaseStats::Family& family : stats.families) {
    families.push_back({{"name", family.name},
                        {"estimatedEntries", family.estimated_entries},
                        {"fileBytes", family.file_bytes},
                        {"memoryBytes", family.memory_bytes}});
  }
  const Json json = {
      {"families", std::move(families)},
      {"scopes", stats.scopes},
      {"formatVersion", stats.format_version},
      {"clock", Rfc3339(stats.clock)},
      {"nextExpiry",
       next_expiry.has_value() ? Json(Rfc3339(*next_expiry)) : Json(nullptr)},
      {"engine", stats.engine},
      {"reclaim", ToJson(stats.reclaim)},
      {"touches", ToJson(stats.touches)},
      {"retainChanges", PeriodText(stats.retain_changes)},
      {"changes", stats.changes}};
  std::cout << json.dump(1, ' ', false, Json::error_handler_t::replace) << '\n';
}

absl::StatusOr<ExitCode> Stats(Database& database, const Options& options) {
  ASSIGN_OR_RETURN(const DatabaseStats stats, database.Stats());
  ASSIGN_OR_RETURN(const std::optional<absl::Time> next_expiry,
                   database.NextExpiry());
  if (options.json) {
    PrintJson(stats, next_expiry);
    return kSuccess;
  }
  std::cout << "engine   " << stats.engine << "\nformat   "
            << stats.format_version << "\nclock    " << Rfc3339(stats.clock)
            << "\nnext expiry "
            << (next_expiry.has_value() ? Rfc3339(*next_expiry) : "none")
            << "\nscopes   " << stats.scopes << "\nretained expired "
            << PeriodText(stats.reclaim.retain_expired) << ", revoked "
            << PeriodText(stats.reclaim.retain_revoked) << "\nreclaim  "
            << stats.reclaim.forgotten_bytes << " bytes in files forgotten, "
            << stats.reclaim.live_bytes << " others, "
            << stats.reclaim.files_waiting << " files waiting\nchanges  "
            << "about " << stats.changes << ", retained "
            << PeriodText(stats.retain_changes) << "\n\n";
  Table table({"FAMILY", "ENTRIES (ABOUT)", "BYTES IN FILES", "IN MEMORY"});
  for (const DatabaseStats::Family& family : stats.families) {
    table.Add({family.name, absl::StrCat(family.estimated_entries),
               absl::StrCat(family.file_bytes),
               absl::StrCat(family.memory_bytes)});
  }
  table.Print();
  return kSuccess;
}

}  // namespace

void AddStats(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "stats", "Show the size and the versions of a database");
  AddDirectory(*command, options->directory);
  command->add_flag("--json", options->json, "For programs");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenExisting(options->directory),
        [&](Database& database) { return Stats(database, *options); });
  });
}

}  // namespace tokendb::cli
