// Comma-separated values (RFC 4180).
#ifndef TOKENDB_SRC_FORMATS_CSV_H_
#define TOKENDB_SRC_FORMATS_CSV_H_

#include <cstddef>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/formats/position.h"

namespace tokendb {

struct CsvField {
  std::string text;
  Position position;  // Of its first character, the quote if it has one.
};

// Reads records one after the other, in memory for one record.
//
// Lines end with LF or CRLF; the last one need not end. Quoted fields may hold
// commas, line breaks, which are kept as they are, and doubled quotes. A byte
// order mark in front and lines with nothing in them are skipped. Bytes are
// not looked at further: any encoding that contains ASCII will do.
//
// A record is bad if a quote is not closed, if a quote stands inside of an
// unquoted field, if anything but a comma follows a closing quote, if a
// carriage return stands alone, if an unquoted NUL is met (UTF-16?), or if it
// is too large. Reading goes on with the record after it.
class CsvReader {
 public:
  enum class Result {
    kRecord,
    kBad,
    kEnd,  // Also when reading from the stream fails: see istream::bad().
  };

  static constexpr size_t kMaxRecordBytes = size_t{8} << 20;
  static constexpr size_t kMaxFields = 1000;

  // `in` must outlive the reader.
  explicit CsvReader(std::istream& in) : in_(*in.rdbuf()) {}

  // Reads the next record into `fields`, or for kBad what is wrong into
  // `error`.
  Result Next(std::vector<CsvField>& fields, InputError& error);

 private:
  enum class State { kFieldStart, kUnquoted, kQuoted, kQuoteInQuoted };

  std::optional<char> Peek();
  char Take();
  void SkipByteOrderMark();
  bool SkipBlankLines();
  void StartRecord(std::vector<CsvField>& fields);
  // Returns true when the record is complete.
  bool Step(char c, std::vector<CsvField>& fields);
  bool EndOfInput(std::vector<CsvField>& fields);
  bool ConsumeLineEnd(char c);
  void StartField(std::vector<CsvField>& fields);
  void Append(char c, std::vector<CsvField>& fields);
  void Fail(Position position, const char* message);

  std::streambuf& in_;
  bool started_ = false;
  Position position_;       // Of the next byte.
  Position byte_position_;  // Of the byte under consideration.
  State state_ = State::kFieldStart;
  size_t record_bytes_ = 0;
  bool blank_ = false;               // The record is an empty line.
  std::optional<InputError> error_;  // The first one of the record.
};

// Appends one field; quotes it only if it must.
void AppendCsvField(std::string& line, std::string_view text);

}  // namespace tokendb

#endif  // TOKENDB_SRC_FORMATS_CSV_H_
