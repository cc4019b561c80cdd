// abseil's text functions take absl::string_view, which in Debian's build is
// not std::string_view. These pass one as the other.
#ifndef TOKENDB_SRC_BASE_TEXT_H_
#define TOKENDB_SRC_BASE_TEXT_H_

#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace tokendb {

inline absl::string_view AbslView(std::string_view text) {
  return {text.data(), text.size()};
}

inline std::string Hex(std::string_view bytes) {
  return absl::BytesToHexString(AbslView(bytes));
}

}  // namespace tokendb

#endif  // TOKENDB_SRC_BASE_TEXT_H_
