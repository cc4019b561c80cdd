#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/cli/commands.h"
#include "src/cli/support.h"
#include "src/formats/fields.h"
#include "src/formats/time_text.h"

namespace tokendb::cli {
namespace {

// A field that is set by its text.
struct TextOption {
  Field field;
  const char* name;
  const char* help;
};

constexpr TextOption kTextOptions[] = {
    {Field::kOwnerId, "--owner", "The owner's id"},
    {Field::kOwnerName, "--owner-name", "The owner's name"},
    {Field::kOwnerEmail, "--owner-email", "The owner's address"},
    {Field::kDescription, "--description", "What it is for"},
    {Field::kOrganization, "--organization", "The organization"},
    {Field::kKind, "--kind", "What sort of token it is"},
    {Field::kName, "--name", "Its name"},
    {Field::kIpAddress, "--ip", "The address it was last used from"},
    {Field::kCreatedBy, "--created-by", "Who made it"},
    {Field::kFamilyId, "--family", "UUID of its family"},
    {Field::kParentId, "--parent", "UUID of the token it came from"},
    {Field::kDigest, "--digest", "64 hexadecimal digits"},
    {Field::kPepperVersion, "--pepper-version", "Pepper of the digest"},
    {Field::kMetadata, "--metadata", "Any bytes, in base64"},
    {Field::kEnabled, "--enabled", "true or false"},
};

constexpr TextOption kTimeOptions[] = {
    {Field::kExpiresAt, "--expires", "When it expires; \"never\""},
    {Field::kNotBefore, "--not-before", "When it becomes valid"},
    {Field::kLastAccessedAt, "--last-accessed", "When it was last used"},
    {Field::kCreatedAt, "--created", "When it was made; of a new token only"},
};

struct Options {
  std::string directory;
  std::string uuid;
  std::vector<std::string> scopes;
  bool without_scopes = false;
  std::vector<std::string> cidrs;
  bool secret_stdin = false;
  // Absent: not given. In the order of the tables above.
  std::vector<std::optional<std::string>> texts;
  std::vector<std::optional<std::string>> times;
};

absl::Status WithOption(const char* name, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::InvalidArgumentError(absl::StrCat(name, ": ", status.message()));
}

absl::Status SetTime(const TextOption& option, const std::string& text,
                     absl::Time now, ImportedToken& token) {
  if (text.empty() || text == "never") {
    return SetField(option.field, "", token);
  }
  ASSIGN_OR_RETURN(const absl::Time time, ParseTime(text, now));
  if (option.field == Field::kCreatedAt) token.created_at = time;
  if (option.field == Field::kExpiresAt) token.fields.expires_at = time;
  if (option.field == Field::kNotBefore) token.fields.not_before = time;
  if (option.field == Field::kLastAccessedAt) {
    token.fields.last_accessed_at = time;
  }
  return absl::OkStatus();
}

absl::StatusOr<ImportedToken> FromOptions(const Options& options,
                                          absl::Time now) {
  ImportedToken token;
  if (!options.uuid.empty()) {
    ASSIGN_OR_RETURN(token.id, TokenId::Parse(options.uuid));
  }
  for (size_t i = 0; i < options.texts.size(); ++i) {
    if (!options.texts[i].has_value()) continue;
    RETURN_IF_ERROR(
        WithOption(kTextOptions[i].name,
                   SetField(kTextOptions[i].field, *options.texts[i], token)));
  }
  for (size_t i = 0; i < options.times.size(); ++i) {
    if (!options.times[i].has_value()) continue;
    RETURN_IF_ERROR(
        WithOption(kTimeOptions[i].name,
                   SetTime(kTimeOptions[i], *options.times[i], now, token)));
  }
  if (!options.scopes.empty() || options.without_scopes) {
    SetList(Field::kScopes, options.scopes, token);
  }
  if (!options.cidrs.empty()) {
    SetList(Field::kAllowedCidrs, options.cidrs, token);
  }
  return token;
}

// Reads the secret, which goes nowhere but into the digest.
absl::StatusOr<Digest> DigestOfInput(const std::string& kind) {
  std::string secret;
  std::getline(std::cin, secret);
  if (secret.ends_with('\r')) secret.pop_back();
  absl::StatusOr<Digest> digest = Digest::OfSecret(secret, kind);
  // A volatile pointer, so that the compiler keeps the stores.
  volatile char* bytes = secret.data();
  for (size_t i = 0; i < secret.size(); ++i) bytes[i] = '\0';
  return digest;
}

absl::StatusOr<ExitCode> Put(Database& database, const Options& options) {
  const absl::Time now = database.Now();
  ASSIGN_OR_RETURN(ImportedToken token, FromOptions(options, now));
  std::optional<Token> current;
  if (!token.id.IsNil()) {
    absl::StatusOr<Token> found = database.Get(token.id);
    if (!found.ok() && !absl::IsNotFound(found.status())) {
      return found.status();
    }
    if (found.ok()) current = *std::move(found);
  }
  if (options.secret_stdin) {
    std::string kind = current.has_value() ? current->kind : std::string();
    if (!token.fields.kind.IsKeep()) {
      kind = token.fields.kind.value().value_or("");
    }
    ASSIGN_OR_RETURN(const Digest digest, DigestOfInput(kind));
    token.fields.digest = digest;
  }
  TokenId id = token.id;
  if (current.has_value()) {
    ASSIGN_OR_RETURN(const TokenPatch patch, PatchFor(token, &*current, now));
    RETURN_IF_ERROR(
        database
            .Update(id, patch,
                    {.precondition = {.if_version = current->version}})
            .status());
  } else {
    ASSIGN_OR_RETURN(const Token issued, NewToken(token, now));
    ASSIGN_OR_RETURN(id, database.Issue(issued));
  }
  std::cout << id.ToString() << '\n';
  return kSuccess;
}

void AddFields(CLI::App& command, Options& options) {
  // Given their size once, so that the options' addresses stay.
  options.texts.resize(std::size(kTextOptions));
  options.times.resize(std::size(kTimeOptions));
  for (size_t i = 0; i < options.texts.size(); ++i) {
    command.add_option_function<std::string>(
        kTextOptions[i].name,
        [&options, i](const std::string& text) { options.texts[i] = text; },
        kTextOptions[i].help);
  }
  for (size_t i = 0; i < options.times.size(); ++i) {
    command
        .add_option_function<std::string>(
            kTimeOptions[i].name,
            [&options, i](const std::string& text) { options.times[i] = text; },
            kTimeOptions[i].help)
        ->type_name("TIME");
  }
  CLI::Option* scope =
      AddRepeated(command, "--scope", options.scopes, "A scope it holds");
  command.add_flag("--no-scopes", options.without_scopes, "It holds no scope")
      ->excludes(scope);
  AddRepeated(command, "--cidr", options.cidrs,
              "A network it may be used from");
  command
      .add_flag("--secret-stdin", options.secret_stdin,
                "Read the secret from standard input; only its digest is kept "
                "(SHA-256, or HMAC-SHA-256 with the kind as key)")
      ->excludes(command.get_option("--digest"));
}

}  // namespace

void AddPut(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "put",
      "Add a token, or with the --uuid of one change the fields given; an "
      "empty\nvalue clears a field. Prints the token's UUID. Makes the "
      "database if there\nis none.");
  AddDirectory(*command, options->directory);
  command->add_option("--uuid", options->uuid, "Its UUID; else a new one")
      ->type_name("UUID");
  AddFields(*command, *options);
  command->footer(
      "Examples:\n"
      "  tokendb put DIR --owner user:42 --scope read_builds --expires 30d\n"
      "  tokendb put DIR --uuid UUID --expires never");
  command->callback([options, &exit_code] {
    exit_code = WithDatabase(
        OpenOrCreate(options->directory),
        [&](Database& database) { return Put(database, *options); });
  });
}

}  // namespace tokendb::cli
