// JSON with positions, read from a stream without keeping what is skipped.
#ifndef TOKENDB_SRC_FORMATS_JSON_VALUE_H_
#define TOKENDB_SRC_FORMATS_JSON_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "src/formats/imported_token.h"
#include "src/formats/position.h"

namespace tokendb {

struct JsonMember;

struct JsonValue {
  enum class Type : uint8_t { kNull, kBool, kNumber, kText, kArray, kObject };

  Type type = Type::kNull;
  std::string text;  // Of a text; "true", "false" or a number as it stands.
  std::vector<JsonValue> items;
  std::vector<JsonMember> members;
  Position position;
};

struct JsonMember {
  std::string key;
  Position position;
  JsonValue value;
};

// Told of a document's parts in their order. All functions return false to
// stop reading.
class JsonHandler {
 public:
  virtual ~JsonHandler() = default;
  virtual bool Scalar(JsonValue value) = 0;
  virtual bool StartObject(Position position) = 0;
  virtual bool StartArray(Position position) = 0;
  virtual bool Key(std::string key, Position position) = 0;
  virtual bool End() = 0;  // Of an object or array.
};

// Reads one document that makes up all of `in`; `start` is where it begins.
// Returns the first error, or nothing if there is none or the handler stopped.
std::optional<InputError> ReadJson(std::istream& in, Position start,
                                   JsonHandler& handler);

// Puts the parts of one value together.
class JsonBuilder {
 public:
  // No token has more.
  static constexpr size_t kMaxDepth = 8;
  static constexpr size_t kMaxBytes = size_t{8} << 20;

  // Whether the value is complete.
  bool Done() const { return done_; }
  JsonValue Take();

  void Scalar(JsonValue value);
  void Start(JsonValue::Type type, Position position);
  void Key(std::string key, Position position);
  void End();

  // The first thing that cannot be kept: a key that is there twice, too deep
  // or too large a value.
  const std::optional<InputError>& error() const { return error_; }

 private:
  void Fail(Position position, std::string message);
  void Add(JsonValue value);

  std::vector<JsonValue> open_;
  std::vector<JsonMember> keys_;  // One for each open value, perhaps unused.
  JsonValue value_;
  size_t bytes_ = 0;
  bool done_ = false;
  std::optional<InputError> error_;
};

// Who wrote an object that is a token.
enum class JsonTokenShape : uint8_t { kJsonLines, kGraphQl };

// Reads a token from an object; `token` then has an id. Returns what is wrong
// with it.
std::optional<InputError> TokenFromJson(const JsonValue& object,
                                        JsonTokenShape shape,
                                        ImportedToken& token);

}  // namespace tokendb

#endif  // TOKENDB_SRC_FORMATS_JSON_VALUE_H_
