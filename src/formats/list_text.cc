#include "src/formats/list_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"

namespace tokendb {
namespace {

constexpr std::string_view kSeparators = ", \t\n\r";

absl::Status Bad(std::string_view text, const char* why) {
  return absl::InvalidArgumentError(
      absl::StrCat(why, " in the list ", std::string(text)));
}

// Reads a quoted item, whose opening quote stands at `at`; `at` is then behind
// the closing one.
absl::StatusOr<std::string> ParseQuoted(std::string_view text, size_t& at) {
  std::string item;
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') {
      ++at;
      const bool separated = at == text.size() || kSeparators.find(text[at]) !=
                                                      std::string_view::npos;
      if (!separated) return Bad(text, "text after a closing quote");
      return item;
    }
    if (text[at] == '\\' && ++at == text.size()) break;
    item.push_back(text[at]);
  }
  return Bad(text, "a quote is never closed");
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ParseListText(std::string_view text) {
  std::vector<std::string> items;
  size_t at = 0;
  while (true) {
    at = text.find_first_not_of(kSeparators, at);
    if (at == std::string_view::npos) return items;
    if (text[at] == '"') {
      ASSIGN_OR_RETURN(std::string item, ParseQuoted(text, at));
      items.push_back(std::move(item));
      continue;
    }
    const size_t end =
        std::min(text.find_first_of(kSeparators, at), text.size());
    items.emplace_back(text.substr(at, end - at));
    at = end;
  }
}

std::string FormatListText(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) {
    if (!text.empty()) text.append(", ");
    if (!item.empty() && item.front() != '"' &&
        item.find_first_of(kSeparators) == std::string::npos) {
      text.append(item);
      continue;
    }
    text.push_back('"');
    for (const char c : item) {
      if (c == '"' || c == '\\') text.push_back('\\');
      text.push_back(c);
    }
    text.push_back('"');
  }
  return text;
}

}  // namespace tokendb
