#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "src/base/status_macros.h"
#include "src/cli/commands.h"
#include "src/cli/support.h"
#include "src/formats/time_text.h"

namespace tokendb::cli {
namespace {

struct Options {
  std::string directory;
  std::string expired;
  std::string revoked;
  std::string changes;
  bool json = false;
};

// Nothing for an empty text.
absl::StatusOr<std::optional<absl::Duration>> ParsePeriod(
    const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (text == "forever") return absl::InfiniteDuration();
  if (text == "0") return absl::ZeroDuration();
  ASSIGN_OR_RETURN(const absl::Duration period, ParseSpan(text));
  return period;
}

absl::StatusOr<ExitCode> Show(Database& database, const Options& options) {
  ASSIGN_OR_RETURN(const DatabaseStats stats, database.Stats());
  const std::string expired = PeriodText(stats.reclaim.retain_expired);
  const std::string revoked = PeriodText(stats.reclaim.retain_revoked);
  const std::string changes = PeriodText(stats.retain_changes);
  if (options.json) {
    const nlohmann::ordered_json json = {{"retainExpired", expired},
                                         {"retainRevoked", revoked},
                                         {"retainChanges", changes}};
    std::cout << json.dump(1) << '\n';
  } else {
    std::cout << "expired  " << expired << "\nrevoked  " << revoked
              << "\nchanges  " << changes << '\n';
  }
  return kSuccess;
}

int Retention(const Options& options) {
  OpenOptions open = {.create_mode = CreateMode::kOpenExisting};
  const auto expired = ParsePeriod(options.expired);
  if (!expired.ok()) return Report(expired.status());
  const auto revoked = ParsePeriod(options.revoked);
  if (!revoked.ok()) return Report(revoked.status());
  const auto changes = ParsePeriod(options.changes);
  if (!changes.ok()) return Report(changes.status());
  open.retain_changes = *changes;
  open.retain_expired = *expired;
  open.retain_revoked = *revoked;
  return WithDatabase(
      OpenWith(options.directory, open),
      [&](Database& database) { return Show(database, options); });
}

}  // namespace

void AddRetention(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "retention",
      "Show or set how long tokens stay readable after they expired. Later "
      "they are\nforgotten, and their space is taken back.");
  AddDirectory(*command, options->directory);
  command
      ->add_option("--expired", options->expired,
                   "For tokens that were not revoked: 60s, 30d, forever")
      ->type_name("SPAN");
  command
      ->add_option("--revoked", options->revoked,
                   "For tokens that were revoked: 60s, 30d, forever")
      ->type_name("SPAN");
  command
      ->add_option("--changes", options->changes,
                   "For the feed of changes: 7d, forever; 0: keep none")
      ->type_name("SPAN");
  command->add_flag("--json", options->json, "For programs");
  command->callback([options, &exit_code] { exit_code = Retention(*options); });
}

}  // namespace tokendb::cli
