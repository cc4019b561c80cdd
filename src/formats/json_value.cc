#include "src/formats/json_value.h"

#include <iterator>
#include <streambuf>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace tokendb {
namespace {

using Json = nlohmann::json;
using Traits = std::char_traits<char>;

// Follows the bytes the parser takes, and keeps where the last token began.
// The parser takes one byte too many after a number only, and reports a value
// before it takes the next token.
class Tracker {
 public:
  Tracker(std::streambuf& in, Position start) : in_(in), next_(start) {}

  bool AtEnd() { return in_.sgetc() == Traits::eof(); }
  char Current() { return Traits::to_char_type(in_.sgetc()); }

  void Advance() {
    const char c = Traits::to_char_type(in_.sbumpc());
    if (in_text_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_text_ = false;
        in_word_ = false;
      }
    } else if (c == '"') {
      in_text_ = true;
      token_ = next_;
    } else if (std::string_view(" \t\r\n,:").find(c) !=
               std::string_view::npos) {
      in_word_ = false;
    } else if (std::string_view("{}[]").find(c) != std::string_view::npos) {
      // A bracket behind a number is taken before the number is reported.
      if (!in_word_) token_ = next_;
      in_word_ = false;
    } else if (!std::exchange(in_word_, true)) {
      token_ = next_;
    }
    next_.Advance(c);
  }

  Position token() const { return token_; }

 private:
  std::streambuf& in_;
  Position next_;
  Position token_;
  bool in_text_ = false;
  bool escaped_ = false;
  bool in_word_ = false;
};

// What the parser reads from.
class Iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  explicit Iterator(Tracker* tracker) : tracker_(tracker) {}
  char operator*() const { return tracker_->Current(); }
  Iterator& operator++() {
    tracker_->Advance();
    return *this;
  }
  // Compared with the end only, which has no tracker.
  bool operator==(const Iterator& other) const {
    return AtEnd() == other.AtEnd();
  }
  bool operator!=(const Iterator& other) const { return !(*this == other); }

 private:
  bool AtEnd() const { return tracker_ == nullptr || tracker_->AtEnd(); }

  Tracker* tracker_;
};

class Adapter : public nlohmann::json_sax<Json> {
 public:
  Adapter(const Tracker& tracker, JsonHandler& handler)
      : tracker_(tracker), handler_(handler) {}

  bool null() override { return Scalar(JsonValue::Type::kNull, ""); }
  bool boolean(bool value) override {
    return Scalar(JsonValue::Type::kBool, value ? "true" : "false");
  }
  bool number_integer(number_integer_t value) override {
    return Scalar(JsonValue::Type::kNumber, absl::StrCat(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Scalar(JsonValue::Type::kNumber, absl::StrCat(value));
  }
  bool number_float(number_float_t, const string_t& text) override {
    return Scalar(JsonValue::Type::kNumber, text);
  }
  bool string(string_t& text) override {
    return Scalar(JsonValue::Type::kText, std::move(text));
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    return handler_.StartObject(tracker_.token());
  }
  bool key(string_t& key) override {
    return handler_.Key(std::move(key), tracker_.token());
  }
  bool end_object() override { return handler_.End(); }
  bool start_array(std::size_t) override {
    return handler_.StartArray(tracker_.token());
  }
  bool end_array() override { return handler_.End(); }
  bool parse_error(std::size_t, const std::string& last_token,
                   const nlohmann::detail::exception&) override {
    error_ = InputError{
        .position = tracker_.token(),
        .message = last_token.empty()
                       ? std::string("the JSON ends too early")
                       : absl::StrCat("no JSON at \"", last_token.substr(0, 40),
                                      "\"")};
    return false;
  }

  std::optional<InputError>& error() { return error_; }

 private:
  bool Scalar(JsonValue::Type type, std::string text) {
    return handler_.Scalar({.type = type,
                            .text = std::move(text),
                            .items = {},
                            .members = {},
                            .position = tracker_.token()});
  }

  const Tracker& tracker_;
  JsonHandler& handler_;
  std::optional<InputError> error_;
};

}  // namespace

std::optional<InputError> ReadJson(std::istream& in, Position start,
                                   JsonHandler& handler) {
  Tracker tracker(*in.rdbuf(), start);
  Adapter adapter(tracker, handler);
  Json::sax_parse(Iterator(&tracker), Iterator(nullptr), &adapter);
  return std::move(adapter.error());
}

JsonValue JsonBuilder::Take() {
  JsonValue value = std::move(value_);
  *this = JsonBuilder();
  return value;
}

void JsonBuilder::Fail(Position position, std::string message) {
  if (error_.has_value()) return;
  error_ = InputError{.position = position, .message = std::move(message)};
}

void JsonBuilder::Scalar(JsonValue value) {
  bytes_ += value.text.size() + sizeof(value);
  if (bytes_ > kMaxBytes) {
    Fail(value.position, "the token is too large (limit 8 MiB)");
    value.text.clear();
  }
  Add(std::move(value));
}

void JsonBuilder::Start(JsonValue::Type type, Position position) {
  if (open_.size() >= kMaxDepth) Fail(position, "nested too deeply");
  open_.emplace_back();
  open_.back().type = type;
  open_.back().position = position;
  keys_.emplace_back();
}

void JsonBuilder::Key(std::string key, Position position) {
  for (const JsonMember& member : open_.back().members) {
    if (member.key == key) {
      Fail(position, absl::StrCat("\"", key, "\" is there twice"));
    }
  }
  keys_.back().key = std::move(key);
  keys_.back().position = position;
}

void JsonBuilder::End() {
  JsonValue value = std::move(open_.back());
  open_.pop_back();
  keys_.pop_back();
  Add(std::move(value));
}

void JsonBuilder::Add(JsonValue value) {
  if (open_.empty()) {
    value_ = std::move(value);
    done_ = true;
    return;
  }
  // What is wrong is read to its end but no longer kept.
  if (error_.has_value()) return;
  JsonValue& parent = open_.back();
  if (parent.type == JsonValue::Type::kArray) {
    parent.items.push_back(std::move(value));
  } else {
    parent.members.push_back({.key = keys_.back().key,
                              .position = keys_.back().position,
                              .value = std::move(value)});
  }
}

}  // namespace tokendb
