// The formats token files come in.
#ifndef TOKENDB_SRC_FORMATS_FILE_FORMAT_H_
#define TOKENDB_SRC_FORMATS_FILE_FORMAT_H_

#include <cstdint>
#include <istream>
#include <optional>
#include <string_view>

namespace tokendb {

enum class FileFormat : uint8_t {
  kCsv,        // Buildkite's API Access Audit export, and more columns.
  kJsonLines,  // One token a line.
  kGraphQl,    // A response of Buildkite's GraphQL API.
};

// "csv", "jsonl", "graphql".
std::string_view FileFormatName(FileFormat format);
std::optional<FileFormat> FindFileFormat(std::string_view name);

// Tells a format by the file's name (.csv, .jsonl, .ndjson), else by the
// beginning of `in`, which is read and must be rewound: JSON whose first key
// is one of a response is GraphQL, other JSON is JSON lines, and what begins
// with neither a brace nor a bracket is CSV. Absent for a JSON array.
std::optional<FileFormat> DetectFileFormat(std::string_view path,
                                           std::istream& in);

}  // namespace tokendb

#endif  // TOKENDB_SRC_FORMATS_FILE_FORMAT_H_
