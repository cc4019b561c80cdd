// Where in an input file something stands.
#ifndef TOKENDB_SRC_FORMATS_POSITION_H_
#define TOKENDB_SRC_FORMATS_POSITION_H_

#include <cstdint>
#include <string>

namespace tokendb {

// Both count from 1. A column is a character (a UTF-8 code point); lines end
// with a line feed, also inside of quotes.
struct Position {
  uint64_t line = 1;
  uint64_t column = 1;

  // Moves past one byte of the input.
  void Advance(char byte) {
    if (byte == '\n') {
      ++line;
      column = 1;
    } else if ((static_cast<unsigned char>(byte) & 0xC0U) != 0x80) {
      ++column;
    }
  }

  friend bool operator==(const Position&, const Position&) = default;
};

// Something in the input that cannot be imported.
struct InputError {
  Position position;
  std::string message;

  // The rest of the file cannot be understood either, so that there are no
  // good lines to be imported without the bad ones.
  bool fatal = false;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_FORMATS_POSITION_H_
