#include "src/formats/file_format.h"

#include <algorithm>
#include <array>
#include <string>

namespace tokendb {
namespace {

// The first key of the JSON object `text` begins with.
std::string_view FirstKey(std::string_view text) {
  const size_t open = text.find('"');
  if (open == std::string_view::npos) return {};
  const size_t close = text.find('"', open + 1);
  if (close == std::string_view::npos) return {};
  return text.substr(open + 1, close - open - 1);
}

bool IsResponseKey(std::string_view key) {
  constexpr std::array<std::string_view, 7> kKeys = {
      "data",  "errors", "extensions", "apiAccessTokens",
      "edges", "nodes",  "pageInfo"};
  for (const std::string_view known : kKeys) {
    if (key == known) return true;
  }
  return false;
}

FileFormat JsonFormat(std::string_view text) {
  const std::string_view key = FirstKey(text);
  if (IsResponseKey(key)) return FileFormat::kGraphQl;
  if (key != "organization") return FileFormat::kJsonLines;
  // A token's organization is a text, a response's an object.
  const size_t value =
      text.find_first_not_of(" \t\r\n:", text.find(key) + key.size() + 1);
  const bool object = value != std::string_view::npos && text[value] == '{';
  return object ? FileFormat::kGraphQl : FileFormat::kJsonLines;
}

}  // namespace

std::string_view FileFormatName(FileFormat format) {
  switch (format) {
    case FileFormat::kCsv:
      return "csv";
    case FileFormat::kJsonLines:
      return "jsonl";
    case FileFormat::kGraphQl:
      return "graphql";
  }
  return {};
}

std::optional<FileFormat> FindFileFormat(std::string_view name) {
  for (const FileFormat format :
       {FileFormat::kCsv, FileFormat::kJsonLines, FileFormat::kGraphQl}) {
    if (FileFormatName(format) == name) return format;
  }
  return std::nullopt;
}

std::optional<FileFormat> DetectFileFormat(std::string_view path,
                                           std::istream& in) {
  if (path.ends_with(".csv")) return FileFormat::kCsv;
  if (path.ends_with(".jsonl") || path.ends_with(".ndjson")) {
    return FileFormat::kJsonLines;
  }
  std::string buffer(4096, '\0');
  in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
  buffer.resize(static_cast<size_t>(in.gcount()));
  in.clear();
  std::string_view text = buffer;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  if (text.starts_with('[')) return std::nullopt;
  if (!text.starts_with('{')) return FileFormat::kCsv;
  return JsonFormat(text);
}

}  // namespace tokendb
