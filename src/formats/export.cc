#include "src/formats/export.h"

#include <memory>
#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/formats/csv.h"
#include "src/formats/fd_stream.h"
#include "src/formats/fields.h"
#include "src/formats/list_text.h"
#include "src/formats/utf8.h"
#include "tokendb/scope.h"

namespace tokendb {
namespace {

using Json = nlohmann::ordered_json;

// Never throws, as it replaces what is no UTF-8.
std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json TextOrNull(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json OwnerJson(const Token& token) {
  if (!token.owner.has_value()) return nullptr;
  Json owner;
  owner["id"] = token.owner->id;
  owner["name"] = TextOrNull(token.owner->name);
  owner["email"] = TextOrNull(token.owner->email);
  return owner;
}

// The fields of Buildkite's type. Its node id is never null there, and left
// out if it is not known.
Json BuildkiteJson(const Token& token, const std::vector<std::string>& scopes) {
  Json json;
  if (!token.node_id.empty()) json["id"] = token.node_id;
  for (const Field field :
       {Field::kUuid, Field::kDescription, Field::kCreatedAt, Field::kExpiresAt,
        Field::kLastAccessedAt, Field::kIpAddress}) {
    for (const FieldInfo& info : Fields()) {
      if (info.field == field) {
        json[std::string(info.key)] = TextOrNull(FieldText(field, token));
      }
    }
  }
  json["scopes"] = scopes;
  json["owner"] = OwnerJson(token);
  return json;
}

// tokendb's own fields, where they differ from the default. So a line without
// them means what it says only for a new token: importing leaves the fields of
// a token that exists.
void AddOwnFields(const Token& token, Json& json) {
  for (const FieldInfo& info : Fields()) {
    const std::string key(info.key);
    if (key.empty() || json.contains(key) || info.field == Field::kNodeId ||
        info.field == Field::kDigest) {
      continue;
    }
    if (info.type == FieldType::kList) {
      const std::vector<std::string>& items = FieldList(info.field, token);
      if (!items.empty()) json[key] = items;
    } else if (info.field == Field::kEnabled) {
      if (!token.enabled) json[key] = false;
    } else if (info.field == Field::kPepperVersion) {
      if (token.pepper_version != 0) json[key] = token.pepper_version;
    } else if (std::string text = FieldText(info.field, token); !text.empty()) {
      json[key] = std::move(text);
    }
  }
}

// JSON must be UTF-8; says which text of the token is not.
absl::Status CheckUtf8(const Token& token) {
  for (const FieldInfo& info : Fields()) {
    const bool list = info.type == FieldType::kList;
    bool valid = list || IsUtf8(FieldText(info.field, token));
    if (list) {
      for (const std::string& item : FieldList(info.field, token)) {
        valid = valid && IsUtf8(item);
      }
    }
    if (!valid) {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", std::string(info.column), "\" of the token ",
          token.id.ToString(), " is not UTF-8: only CSV can carry it"));
    }
  }
  return absl::OkStatus();
}

// Writes one format, a token at a time, into a text the caller empties.
class Formatter {
 public:
  virtual ~Formatter() = default;
  virtual void Begin(std::string&) {}
  virtual absl::Status Add(const Token& token, std::string& text) = 0;
  virtual void End(std::string&) {}
};

class CsvFormatter : public Formatter {
 public:
  explicit CsvFormatter(bool with_digests) : with_digests_(with_digests) {}

  void Begin(std::string& text) override {
    WriteRow([](const FieldInfo& info) { return std::string(info.column); },
             text);
  }

  absl::Status Add(const Token& token, std::string& text) override {
    WriteRow(
        [&token](const FieldInfo& info) {
          return info.type == FieldType::kList
                     ? FormatListText(FieldList(info.field, token))
                     : FieldText(info.field, token);
        },
        text);
    return absl::OkStatus();
  }

 private:
  template <typename Value>
  void WriteRow(const Value& value, std::string& text) {
    bool first = true;
    for (const FieldInfo& info : Fields()) {
      if (info.field == Field::kState) continue;
      if (info.field == Field::kDigest && !with_digests_) continue;
      if (!std::exchange(first, false)) text.push_back(',');
      AppendCsvField(text, value(info));
    }
    text.push_back('\n');
  }

  const bool with_digests_;
};

class JsonLinesFormatter : public Formatter {
 public:
  explicit JsonLinesFormatter(bool with_digests)
      : options_{.with_digest = with_digests} {}

  absl::Status Add(const Token& token, std::string& text) override {
    RETURN_IF_ERROR(CheckUtf8(token));
    absl::StrAppend(&text, TokenToJson(token, options_), "\n");
    return absl::OkStatus();
  }

 private:
  const JsonOptions options_;
};

class GraphQlFormatter : public Formatter {
 public:
  void Begin(std::string& text) override {
    text.append(R"({"data":{"organization":{"apiAccessTokens":{"edges":[)");
  }

  absl::Status Add(const Token& token, std::string& text) override {
    RETURN_IF_ERROR(CheckUtf8(token));
    std::vector<std::string> scopes;
    for (const std::string& scope : token.scopes) {
      const std::optional<BuildkiteScope> known = FindBuildkiteScope(scope);
      scopes.push_back(known.has_value() ? std::string(known->enum_name)
                                         : scope);
    }
    absl::StrAppend(&text, std::exchange(first_, false) ? "\n" : ",\n",
                    "{\"node\":", Dump(BuildkiteJson(token, scopes)), "}");
    return absl::OkStatus();
  }

  void End(std::string& text) override {
    text.append(
        "\n],\"pageInfo\":{\"hasNextPage\":false,\"endCursor\":null}}}}}\n");
  }

 private:
  bool first_ = true;
};

std::unique_ptr<Formatter> MakeFormatter(const ExportOptions& options) {
  switch (options.format) {
    case FileFormat::kCsv:
      return std::make_unique<CsvFormatter>(options.with_digests);
    case FileFormat::kJsonLines:
      return std::make_unique<JsonLinesFormatter>(options.with_digests);
    case FileFormat::kGraphQl:
      break;
  }
  return std::make_unique<GraphQlFormatter>();
}

absl::Status Write(std::string& text, std::ostream& out) {
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  text.clear();
  if (!out.good()) return absl::UnavailableError("cannot write the output");
  return absl::OkStatus();
}

}  // namespace

std::string TokenToJson(const Token& token, const JsonOptions& options) {
  Json json = BuildkiteJson(token, token.scopes);
  AddOwnFields(token, json);
  if (options.with_digest && token.digest.has_value()) {
    json["digest"] = token.digest->ToString();
  }
  if (options.with_version) json["version"] = token.version;
  return Dump(json);
}

absl::StatusOr<uint64_t> ExportTokens(const Database& database,
                                      const Query& query,
                                      const ExportOptions& options,
                                      std::ostream& out) {
  if (options.with_digests && options.format == FileFormat::kGraphQl) {
    return absl::InvalidArgumentError("graphql has no place for digests");
  }
  constexpr uint64_t kStep = 1000;
  ASSIGN_OR_RETURN(const std::unique_ptr<TokenReader> reader,
                   database.Read(query));
  const std::unique_ptr<Formatter> formatter = MakeFormatter(options);
  std::string text;
  formatter->Begin(text);
  for (uint64_t count = 0;;) {
    ASSIGN_OR_RETURN(const std::optional<Token> token, reader->Next());
    if (!token.has_value()) {
      formatter->End(text);
      RETURN_IF_ERROR(Write(text, out));
      out.flush();
      if (!out.good()) return absl::UnavailableError("cannot write the output");
      return count;
    }
    RETURN_IF_ERROR(formatter->Add(*token, text));
    RETURN_IF_ERROR(Write(text, out));
    if (++count % kStep != 0) continue;
    if (options.stop != nullptr && options.stop->load()) {
      return absl::CancelledError("the export was interrupted");
    }
    if (options.progress) options.progress(count);
  }
}

absl::StatusOr<uint64_t> ExportToFile(const Database& database,
                                      const Query& query,
                                      const ExportOptions& options,
                                      const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<OutputFile> file,
                   OutputFile::Create(path));
  std::ostream out(&file->buffer());
  ASSIGN_OR_RETURN(const uint64_t count,
                   ExportTokens(database, query, options, out));
  RETURN_IF_ERROR(file->Commit());
  return count;
}

}  // namespace tokendb
