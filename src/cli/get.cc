#include <iostream>
#include <memory>
#include <string>

#include "src/base/status_macros.h"
#include "src/cli/commands.h"
#include "src/cli/support.h"
#include "src/formats/export.h"
#include "src/formats/fields.h"
#include "src/formats/list_text.h"
#include "src/formats/time_text.h"

namespace tokendb::cli {
namespace {

struct Options {
  std::string directory;
  std::string key;
  bool json = false;
  bool with_digest = false;
};

void PrintToken(const Token& token, absl::Time now, bool with_digest) {
  std::string state(TokenStateName(StateOf(token, now)));
  const std::optional<absl::Duration> left = RemainingLifetime(token, now);
  if (StateOf(token, now) == TokenState::kLive && left.has_value()) {
    state += ", " + FormatSpan(*left) + " left";
  }
  std::cout << "State:              " << state << '\n';
  for (const FieldInfo& info : Fields()) {
    if (info.field == Field::kState) continue;
    if (info.field == Field::kDigest && !with_digest) continue;
    const std::string text = info.type == FieldType::kList
                                 ? FormatListText(FieldList(info.field, token))
                                 : FieldText(info.field, token);
    if (text.empty()) continue;
    std::string line(info.column);
    line += ':';
    line.resize(20, ' ');
    std::cout << line << Printable(text) << '\n';
  }
  std::cout << "Version:            " << token.version << '\n';
}

absl::StatusOr<ExitCode> Get(Database& database, const Options& options) {
  absl::StatusOr<Token> token = absl::UnknownError("");
  if (options.key.size() == 2 * Digest::kSize) {
    ASSIGN_OR_RETURN(const Digest digest, Digest::Parse(options.key));
    token = database.GetByDigest(digest);
  } else {
    token = database.GetByUuid(options.key);
  }
  if (absl::IsNotFound(token.status())) {
    PrintError("there is no such token");
    return kDifferent;
  }
  RETURN_IF_ERROR(token.status());
  if (options.json) {
    std::cout << TokenToJson(*token, {.with_digest = options.with_digest,
                                      .with_version = true})
              << '\n';
  } else {
    PrintToken(*token, database.Now(), options.with_digest);
  }
  return kSuccess;
}

}  // namespace

void AddGet(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "get",
      "Show one token, in whatever state. Exit code 1 if there is none.");
  AddDirectory(*command, options->directory);
  command
      ->add_option("TOKEN", options->key,
                   "Its UUID, or its digest (64 hexadecimal digits)")
      ->required();
  command->add_flag("--json", options->json, "For programs");
  command->add_flag("--with-digest", options->with_digest,
                    "Show the digest of its secret too");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenExisting(options->directory),
        [&](Database& database) { return Get(database, *options); });
  });
}

}  // namespace tokendb::cli
