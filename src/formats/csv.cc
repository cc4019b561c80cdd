#include "src/formats/csv.h"

#include <streambuf>
#include <utility>

namespace tokendb {
namespace {

using Traits = std::char_traits<char>;

}  // namespace

std::optional<char> CsvReader::Peek() {
  const Traits::int_type next = in_.sgetc();
  if (next == Traits::eof()) return std::nullopt;
  return Traits::to_char_type(next);
}

char CsvReader::Take() {
  const char c = Traits::to_char_type(in_.sbumpc());
  byte_position_ = position_;
  position_.Advance(c);
  return c;
}

void CsvReader::SkipByteOrderMark() {
  // A text cannot begin with a lone EF, so that one byte decides.
  if (Peek() != '\xEF') return;
  for (int i = 0; i < 3; ++i) {
    if (Peek().has_value()) in_.sbumpc();
  }
}

// Returns false at the end of the input.
bool CsvReader::SkipBlankLines() {
  while (true) {
    const std::optional<char> next = Peek();
    if (!next.has_value()) return false;
    if (*next != '\n') return true;
    Take();
  }
}

CsvReader::Result CsvReader::Next(std::vector<CsvField>& fields,
                                  InputError& error) {
  if (!std::exchange(started_, true)) SkipByteOrderMark();
  do {
    if (!SkipBlankLines()) return Result::kEnd;
    StartRecord(fields);
    bool complete = false;
    while (!complete) {
      complete = Peek().has_value() ? Step(Take(), fields) : EndOfInput(fields);
    }
  } while (blank_ && !error_.has_value());
  if (!error_.has_value()) return Result::kRecord;
  error = *std::move(error_);
  return Result::kBad;
}

void CsvReader::StartRecord(std::vector<CsvField>& fields) {
  fields.clear();
  error_.reset();
  blank_ = false;
  record_bytes_ = 0;
  StartField(fields);
}

void CsvReader::StartField(std::vector<CsvField>& fields) {
  state_ = State::kFieldStart;
  if (fields.size() == kMaxFields) {
    Fail(position_, "too many fields");
    fields.back().text.clear();
    return;
  }
  fields.push_back({.text = {}, .position = position_});
}

void CsvReader::Append(char c, std::vector<CsvField>& fields) {
  if (++record_bytes_ > kMaxRecordBytes) {
    Fail(byte_position_, "the record is too large (limit 8 MiB)");
  }
  // A bad record is read to its end but no longer kept.
  if (!error_.has_value()) fields.back().text.push_back(c);
}

void CsvReader::Fail(Position position, const char* message) {
  if (error_.has_value()) return;
  error_ = InputError{.position = position, .message = message};
}

// Whether `c`, outside of quotes, ends the line. Takes the LF of a CRLF.
bool CsvReader::ConsumeLineEnd(char c) {
  if (c == '\n') return true;
  if (c != '\r') return false;
  if (Peek() == '\n') {
    Take();
    return true;
  }
  if (Peek().has_value()) {
    Fail(byte_position_, "a carriage return without a line feed");
  }
  return !Peek().has_value();
}

bool CsvReader::Step(char c, std::vector<CsvField>& fields) {
  if (state_ == State::kQuoted) {
    if (c == '"') {
      state_ = State::kQuoteInQuoted;
    } else {
      Append(c, fields);
    }
    return false;
  }
  if (c == '"') {
    if (state_ == State::kFieldStart) {
      state_ = State::kQuoted;
    } else if (state_ == State::kQuoteInQuoted) {
      Append(c, fields);
      state_ = State::kQuoted;
    } else {
      Fail(byte_position_,
           "a quote inside of an unquoted field: quote the field and double "
           "the quote");
    }
    return false;
  }
  if (c == ',') {
    StartField(fields);
    return false;
  }
  const Position here = byte_position_;
  const bool blank = state_ == State::kFieldStart && fields.size() == 1;
  if (ConsumeLineEnd(c)) {
    blank_ = blank;
    return true;
  }
  if (c == '\0') Fail(here, "a NUL byte: is the file UTF-16?");
  if (state_ == State::kQuoteInQuoted) {
    Fail(here, "text after a closing quote: double a quote inside of quotes");
  }
  state_ = State::kUnquoted;
  Append(c, fields);
  return false;
}

bool CsvReader::EndOfInput(std::vector<CsvField>& fields) {
  if (state_ == State::kQuoted) {
    Fail(fields.back().position, "the quote is never closed");
  }
  return true;
}

void AppendCsvField(std::string& line, std::string_view text) {
  constexpr std::string_view kSpecial("\",\r\n\0", 5);
  if (text.find_first_of(kSpecial) == std::string_view::npos) {
    line.append(text);
    return;
  }
  line.push_back('"');
  for (const char c : text) {
    if (c == '"') line.push_back('"');
    line.push_back(c);
  }
  line.push_back('"');
}

}  // namespace tokendb
