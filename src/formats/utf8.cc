#include "src/formats/utf8.h"

#include <cstdint>

namespace tokendb {

std::optional<char32_t> ConsumeCodePoint(std::string_view& text) {
  const auto first = static_cast<uint8_t>(text.front());
  size_t size = 1;
  char32_t code = first;
  char32_t smallest = 0;
  if (first >= 0xF0 && first < 0xF8) {
    size = 4;
    code = first & 0x07U;
    smallest = 0x10000;
  } else if (first >= 0xE0 && first < 0xF0) {
    size = 3;
    code = first & 0x0FU;
    smallest = 0x800;
  } else if (first >= 0xC0 && first < 0xE0) {
    size = 2;
    code = first & 0x1FU;
    smallest = 0x80;
  }
  bool valid = size <= text.size() && (size > 1 || first < 0x80);
  for (size_t i = 1; valid && i < size; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    valid = (byte & 0xC0U) == 0x80;
    code = (code << 6) | (byte & 0x3FU);
  }
  valid = valid && code >= smallest && code <= 0x10FFFF &&
          (code < 0xD800 || code > 0xDFFF);
  text.remove_prefix(valid ? size : 1);
  if (!valid) return std::nullopt;
  return code;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    if (!ConsumeCodePoint(text).has_value()) return false;
  }
  return true;
}

}  // namespace tokendb
