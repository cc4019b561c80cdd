// Token files in CSV: a header line, then a token a line. The columns are those
// of fields.cc in any order; "Token UUID" may be missing. A column that is not
// known is an error, as a misspelt one would lose data.
#include <algorithm>
#include <bitset>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/formats/csv.h"
#include "src/formats/fields.h"
#include "src/formats/list_text.h"
#include "src/formats/token_reader.h"

namespace tokendb {
namespace {

using Columns = std::vector<const FieldInfo*>;

InputError ErrorAt(Position position, std::string message, bool fatal = false) {
  return {.position = position, .message = std::move(message), .fatal = fatal};
}

// Returns the columns in the header's order, or what is wrong with it.
std::optional<InputError> ReadHeader(const std::vector<CsvField>& header,
                                     Columns& columns) {
  std::bitset<64> seen;
  for (const CsvField& field : header) {
    const FieldInfo* info = FindColumn(field.text);
    if (info == nullptr) {
      return ErrorAt(
          field.position,
          absl::StrCat("unknown column \"", absl::CHexEscape(field.text), "\""),
          /*fatal=*/true);
    }
    const auto bit = static_cast<size_t>(info->field);
    if (seen.test(bit)) {
      return ErrorAt(
          field.position,
          absl::StrCat("the column \"", field.text, "\" is there twice"),
          /*fatal=*/true);
    }
    seen.set(bit);
    columns.push_back(info);
  }
  return std::nullopt;
}

absl::Status SetColumn(const FieldInfo& info, const std::string& text,
                       ImportedToken& token) {
  if (info.type != FieldType::kList) return SetField(info.field, text, token);
  ASSIGN_OR_RETURN(std::vector<std::string> items, ParseListText(text));
  SetList(info.field, std::move(items), token);
  return absl::OkStatus();
}

std::optional<InputError> ReadRow(const Columns& columns,
                                  const std::vector<CsvField>& row,
                                  ImportedToken& token) {
  if (row.size() != columns.size()) {
    const size_t at = std::min(row.size() - 1, columns.size());
    return ErrorAt(row[at].position,
                   absl::StrCat(row.size(), " fields, but the header has ",
                                columns.size()));
  }
  for (size_t i = 0; i < row.size(); ++i) {
    const absl::Status status = SetColumn(*columns[i], row[i].text, token);
    if (!status.ok()) {
      return ErrorAt(row[i].position,
                     absl::StrCat(std::string(columns[i]->column), ": ",
                                  status.message()));
    }
  }
  token.position = row.front().position;
  const absl::Status status = Reconcile(token);
  if (!status.ok()) {
    return ErrorAt(token.position, std::string(status.message()));
  }
  CompleteId(token);
  return std::nullopt;
}

}  // namespace

void ReadCsvTokens(std::istream& in, TokenSink& sink) {
  CsvReader reader(in);
  std::vector<CsvField> row;
  InputError error;
  Columns columns;
  CsvReader::Result result = reader.Next(row, error);
  if (result == CsvReader::Result::kEnd) {
    sink.OnError(ErrorAt({}, "the file is empty", /*fatal=*/true));
    return;
  }
  if (result == CsvReader::Result::kBad) {
    error.fatal = true;
    sink.OnError(std::move(error));
    return;
  }
  if (auto bad = ReadHeader(row, columns); bad.has_value()) {
    sink.OnError(*std::move(bad));
    return;
  }
  bool go_on = true;
  while (go_on) {
    result = reader.Next(row, error);
    if (result == CsvReader::Result::kEnd) return;
    if (result == CsvReader::Result::kBad) {
      go_on = sink.OnError(std::move(error));
      continue;
    }
    ImportedToken token;
    std::optional<InputError> bad = ReadRow(columns, row, token);
    go_on = bad.has_value() ? sink.OnError(*std::move(bad))
                            : sink.OnToken(std::move(token));
  }
}

}  // namespace tokendb
