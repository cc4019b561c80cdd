// Several texts in one CSV field: scopes and networks.
//
//   read_builds, read_teams          as Buildkite writes them
//   encrypt ring:debian rsa:4096     white space separates as well
//   admin, "with, comma", "a\"b"     quoted
//
// Items are separated by commas and white space (blank, tab, line feed,
// carriage return), in any number. An item that begins with a double quote
// extends to the next one, and may hold separators; in it a backslash stands
// for the character after it. All other items are taken byte by byte, also
// those with quotes and backslashes inside. So every list of texts that are
// not empty can be written, and files of plain names mean what they say.
#ifndef TOKENDB_SRC_FORMATS_LIST_TEXT_H_
#define TOKENDB_SRC_FORMATS_LIST_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace tokendb {

// InvalidArgument if a quote is not closed, or text follows a closing one.
absl::StatusOr<std::vector<std::string>> ParseListText(std::string_view text);

// Separates with ", ", and quotes only what must be.
std::string FormatListText(const std::vector<std::string>& items);

}  // namespace tokendb

#endif  // TOKENDB_SRC_FORMATS_LIST_TEXT_H_
