// JSON lines: a token, as json_token.cc reads it, on each line. Empty lines
// are skipped.
#include <sstream>
#include <string>
#include <utility>

#include "src/formats/json_value.h"
#include "src/formats/token_reader.h"

namespace tokendb {
namespace {

// A handler that keeps the whole document.
class WholeDocument : public JsonHandler {
 public:
  bool Scalar(JsonValue value) override {
    builder.Scalar(std::move(value));
    return true;
  }
  bool StartObject(Position position) override {
    builder.Start(JsonValue::Type::kObject, position);
    return true;
  }
  bool StartArray(Position position) override {
    builder.Start(JsonValue::Type::kArray, position);
    return true;
  }
  bool Key(std::string key, Position position) override {
    builder.Key(std::move(key), position);
    return true;
  }
  bool End() override {
    builder.End();
    return true;
  }

  JsonBuilder builder;
};

enum class Line { kRead, kTooLong, kEnd };

// Reads one line without its end, in bounded memory.
Line ReadLine(std::streambuf& in, std::string& line) {
  using Traits = std::char_traits<char>;
  line.clear();
  bool too_long = false;
  Traits::int_type next = in.sbumpc();
  if (next == Traits::eof()) return Line::kEnd;
  for (; next != Traits::eof() && next != '\n'; next = in.sbumpc()) {
    if (line.size() == JsonBuilder::kMaxBytes) too_long = true;
    if (!too_long) line.push_back(Traits::to_char_type(next));
  }
  return too_long ? Line::kTooLong : Line::kRead;
}

std::optional<InputError> ReadToken(const std::string& line, Position start,
                                    ImportedToken& token) {
  std::istringstream in(line);
  WholeDocument document;
  std::optional<InputError> error = ReadJson(in, start, document);
  if (error.has_value()) return error;
  if (document.builder.error().has_value()) return document.builder.error();
  const JsonValue object = document.builder.Take();
  return TokenFromJson(object, JsonTokenShape::kJsonLines, token);
}

}  // namespace

void ReadJsonLines(std::istream& in, TokenSink& sink) {
  std::string line;
  bool go_on = true;
  for (uint64_t number = 1; go_on; ++number) {
    const Position start = {.line = number, .column = 1};
    const Line result = ReadLine(*in.rdbuf(), line);
    if (result == Line::kEnd) return;
    if (result == Line::kTooLong) {
      go_on = sink.OnError(
          {.position = start, .message = "the line is too long (limit 8 MiB)"});
      continue;
    }
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    ImportedToken token;
    std::optional<InputError> error = ReadToken(line, start, token);
    go_on = error.has_value() ? sink.OnError(*std::move(error))
                              : sink.OnToken(std::move(token));
  }
}

}  // namespace tokendb
