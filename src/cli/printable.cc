#include <algorithm>
#include <iterator>
#include <optional>

#include "absl/strings/str_format.h"
#include "src/cli/support.h"
#include "src/formats/utf8.h"

namespace tokendb::cli {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

template <size_t size>
bool IsIn(const Range (&ranges)[size], char32_t code) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [code](const Range& range) {
                       return range.first <= code && code <= range.last;
                     });
}

// Control characters, and what reorders or hides the text around it.
constexpr Range kUnprintable[] = {
    {0x00, 0x1F},     {0x7F, 0x9F},     {0x200B, 0x200F}, {0x2028, 0x202E},
    {0x2060, 0x2069}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB},
};

// Combining marks, and variation selectors.
constexpr Range kNarrowest[] = {
    {0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
    {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
};

// East Asian wide characters and pictures.
constexpr Range kWide[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},
    {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},
    {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F},
    {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
};

size_t CodePointWidth(char32_t code) {
  if (IsIn(kNarrowest, code)) return 0;
  return IsIn(kWide, code) ? 2 : 1;
}

std::string Escaped(char32_t code) {
  if (code == '\n') return "\\n";
  if (code == '\r') return "\\r";
  if (code == '\t') return "\\t";
  return absl::StrFormat("\\u{%X}", static_cast<uint32_t>(code));
}

}  // namespace

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    width += CodePointWidth(ConsumeCodePoint(text).value_or(U'?'));
  }
  return width;
}

std::string Printable(std::string_view text, size_t width) {
  std::string printable;
  size_t used = 0;
  size_t fits = 0;  // Bytes that leave room for the ellipsis.
  while (!text.empty()) {
    const std::string_view rest = text;
    const std::optional<char32_t> code = ConsumeCodePoint(text);
    std::string piece(rest.substr(0, rest.size() - text.size()));
    if (!code.has_value()) {
      piece =
          absl::StrFormat("\\x%02X", static_cast<unsigned char>(piece.front()));
    } else if (IsIn(kUnprintable, *code)) {
      piece = Escaped(*code);
    }
    used += DisplayWidth(piece);
    if (width != 0 && used > width) {
      printable.resize(fits);
      return printable + "…";
    }
    printable += piece;
    if (used < width) fits = printable.size();
  }
  return printable;
}

}  // namespace tokendb::cli
