#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/cli/commands.h"
#include "src/cli/filters.h"
#include "src/cli/support.h"
#include "src/formats/time_text.h"

namespace tokendb::cli {
namespace {

struct Options {
  std::string directory;
  std::vector<std::string> uuids;
  std::string reason;
  std::string at;
  bool yes = false;
  FilterOptions filters;
};

// Which tokens a command that changes many is about.
absl::Status CheckSelection(const Options& options) {
  if (options.uuids.empty() != HasCondition(options.filters)) {
    return absl::InvalidArgumentError(
        "name tokens by their UUIDs or by conditions, not both");
  }
  return absl::OkStatus();
}

// A mistyped condition must not hit more than was meant.
absl::Status CheckConfirmed(const Database& database, const Query& query,
                            const Options& options, const char* verb) {
  if (options.yes) return absl::OkStatus();
  ASSIGN_OR_RETURN(const CountResult found, database.Count(query));
  if (found.count <= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      found.count, " tokens match: give --yes to ", verb, " them all"));
}

absl::StatusOr<std::vector<TokenId>> ParseIds(
    const std::vector<std::string>& uuids) {
  std::vector<TokenId> ids;
  for (const std::string& uuid : uuids) {
    ASSIGN_OR_RETURN(const TokenId id, TokenId::Parse(uuid));
    ids.push_back(id);
  }
  return ids;
}

absl::StatusOr<uint64_t> RevokeIds(Database& database,
                                   const std::vector<TokenId>& ids,
                                   const RevokeOptions& options) {
  uint64_t revoked = 0;
  for (const TokenId& id : ids) {
    ASSIGN_OR_RETURN(const Revocation revocation, database.Revoke(id, options));
    if (revocation.changed) ++revoked;
  }
  return revoked;
}

// RevokeAll() revokes now only. Revoking changes no expiry, so that pages stay
// in place.
absl::StatusOr<uint64_t> RevokePages(Database& database, Query query,
                                     const RevokeOptions& options) {
  query.limit = 1000;
  uint64_t revoked = 0;
  do {
    ASSIGN_OR_RETURN(const IdPage page, database.ListIds(query));
    ASSIGN_OR_RETURN(const uint64_t count,
                     RevokeIds(database, page.ids, options));
    revoked += count;
    query.continuation = page.continuation;
  } while (!query.continuation.empty());
  return revoked;
}

absl::StatusOr<uint64_t> RevokeSelected(Database& database,
                                        const Options& options) {
  RevokeOptions revoke = {.reason = options.reason};
  if (!options.at.empty()) {
    ASSIGN_OR_RETURN(revoke.at, ParseTime(options.at, database.Now()));
  }
  if (!options.uuids.empty()) {
    ASSIGN_OR_RETURN(const std::vector<TokenId> ids, ParseIds(options.uuids));
    return RevokeIds(database, ids, revoke);
  }
  ASSIGN_OR_RETURN(Query query, MakeQuery(options.filters, database.Now()));
  query.states = {TokenState::kLive, TokenState::kExpired,
                  TokenState::kDisabled, TokenState::kNotYetValid};
  RETURN_IF_ERROR(CheckConfirmed(database, query, options, "revoke"));
  if (revoke.at.has_value()) return RevokePages(database, query, revoke);
  return database.RevokeAll(query, {.reason = options.reason});
}

absl::StatusOr<ExitCode> Revoke(Database& database, const Options& options) {
  RETURN_IF_ERROR(CheckSelection(options));
  ASSIGN_OR_RETURN(const uint64_t count, RevokeSelected(database, options));
  std::cout << count << " revoked\n";
  return kSuccess;
}

absl::StatusOr<ExitCode> Delete(Database& database, const Options& options) {
  RETURN_IF_ERROR(CheckSelection(options));
  uint64_t count = 0;
  if (!options.uuids.empty()) {
    ASSIGN_OR_RETURN(const std::vector<TokenId> ids, ParseIds(options.uuids));
    for (const TokenId& id : ids) {
      RETURN_IF_ERROR(database.Delete(id));
      ++count;
    }
  } else {
    ASSIGN_OR_RETURN(const Query query,
                     MakeQuery(options.filters, database.Now()));
    RETURN_IF_ERROR(CheckConfirmed(database, query, options, "delete"));
    ASSIGN_OR_RETURN(count, database.DeleteAll(query));
  }
  std::cout << count << " deleted\n";
  return kSuccess;
}

void AddSelection(CLI::App& command, Options& options) {
  AddDirectory(command, options.directory);
  command.add_option("UUID", options.uuids, "The tokens");
  command.add_flag("--yes", options.yes,
                   "Needed if more than one token meets the conditions");
}

}  // namespace

void AddRevoke(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "revoke",
      "Revoke tokens, by their UUIDs or all that meet the conditions,\n"
      "whatever their state. The earliest revocation of a token holds.");
  AddSelection(*command, *options);
  command->add_option("--reason", options->reason, "Kept with the tokens");
  command
      ->add_option("--at", options->at, "Since when, or from when on; else now")
      ->type_name("TIME");
  AddFilters(*command, options->filters, FilterSet::kWithoutStates);
  command->footer(
      "Examples:\n"
      "  tokendb revoke DIR 2217bead-dbc4-46cb-8e81-973e0becd7b0\n"
      "  tokendb revoke DIR --owner user:42 --reason \"left\" --yes\n"
      "  tokendb revoke DIR --unused-since \"90d ago\" --yes");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenExisting(options->directory),
        [&](Database& database) { return Revoke(database, *options); });
  });
}

void AddDelete(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "delete",
      "Remove tokens, by their UUIDs or all that meet the conditions: live\n"
      "ones only, unless --state says otherwise.");
  AddSelection(*command, *options);
  AddFilters(*command, options->filters);
  command->footer(
      "Example:\n"
      "  tokendb delete DIR --state expired --expires-before -365d --yes");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenExisting(options->directory),
        [&](Database& database) { return Delete(database, *options); });
  });
}

}  // namespace tokendb::cli
