// UTF-8 as people see it.
#ifndef TOKENDB_SRC_FORMATS_UTF8_H_
#define TOKENDB_SRC_FORMATS_UTF8_H_

#include <cstddef>
#include <optional>
#include <string_view>

namespace tokendb {

// Takes one code point off the front of `text`, which is not empty. Absent if
// it does not begin with one (cut off, overlong, a surrogate, too large); one
// byte is then taken.
std::optional<char32_t> ConsumeCodePoint(std::string_view& text);

bool IsUtf8(std::string_view text);

}  // namespace tokendb

#endif  // TOKENDB_SRC_FORMATS_UTF8_H_
