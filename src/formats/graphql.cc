// A response of Buildkite's GraphQL API: data.organization.apiAccessTokens
// with `edges` or `nodes`, also without the outer levels. Other keys on the way
// there are passed over; a token's own must be known. A response with errors
// is refused.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "src/base/text.h"
#include "src/formats/json_value.h"
#include "src/formats/token_reader.h"

namespace tokendb {
namespace {

class ResponseReader : public JsonHandler {
 public:
  explicit ResponseReader(TokenSink& sink) : sink_(sink) {}

  bool found() const { return found_; }
  bool stopped() const { return stopped_; }

  bool Scalar(JsonValue value) override {
    const Place place = NextPlace();
    if (place == Place::kToken || collecting_) {
      builder_.Scalar(std::move(value));
      return FinishToken();
    }
    if (place == Place::kMorePages && value.text == "true") {
      sink_.OnMorePages();
    }
    if (place == Place::kErrors && value.type != JsonValue::Type::kNull) {
      return RefuseErrors(value.position);
    }
    return true;
  }

  bool StartObject(Position position) override {
    return Start(JsonValue::Type::kObject, position);
  }
  bool StartArray(Position position) override {
    return Start(JsonValue::Type::kArray, position);
  }

  bool Key(std::string key, Position position) override {
    if (collecting_) {
      builder_.Key(std::move(key), position);
      return true;
    }
    key_ = std::move(key);
    if (places_.back() == Place::kEdge && key_ != "node" && key_ != "cursor" &&
        key_ != "__typename") {
      return Refuse(position, absl::StrCat("\"", absl::CHexEscape(key_),
                                           "\" is no key of an edge"));
    }
    return true;
  }

  bool End() override {
    if (collecting_) {
      builder_.End();
      return FinishToken();
    }
    places_.pop_back();
    return true;
  }

 private:
  enum class Place {
    kOuter,  // The response, its data, the organization, the connection.
    kEdges,
    kEdge,
    kNodes,
    kToken,
    kPageInfo,
    kMorePages,
    kErrors,
    kOther,
  };

  // What the next value is.
  Place NextPlace() const {
    if (collecting_) return Place::kOther;
    if (places_.empty()) return Place::kOuter;
    switch (places_.back()) {
      case Place::kEdges:
        return Place::kEdge;
      case Place::kNodes:
        return Place::kToken;
      case Place::kEdge:
        return key_ == "node" ? Place::kToken : Place::kOther;
      case Place::kPageInfo:
        return key_ == "hasNextPage" ? Place::kMorePages : Place::kOther;
      case Place::kErrors:
        return Place::kErrors;
      case Place::kOuter:
        return OuterPlace();
      default:
        return Place::kOther;
    }
  }

  Place OuterPlace() const {
    if (key_ == "data" || key_ == "organization" || key_ == "apiAccessTokens") {
      return Place::kOuter;
    }
    if (key_ == "edges") return Place::kEdges;
    if (key_ == "nodes") return Place::kNodes;
    if (key_ == "pageInfo") return Place::kPageInfo;
    if (key_ == "errors") return Place::kErrors;
    return Place::kOther;
  }

  bool Start(JsonValue::Type type, Position position) {
    const Place place = NextPlace();
    if (collecting_ || place == Place::kToken) {
      collecting_ = true;
      builder_.Start(type, position);
      return true;
    }
    // An empty array of errors is none.
    if (place == Place::kErrors && !places_.empty() &&
        places_.back() == Place::kErrors) {
      return RefuseErrors(position);
    }
    if (place == Place::kEdges || place == Place::kNodes) found_ = true;
    places_.push_back(place);
    return true;
  }

  bool FinishToken() {
    if (!builder_.Done()) return true;
    collecting_ = false;
    std::optional<InputError> error = builder_.error();
    const JsonValue object = builder_.Take();
    // An edge without a node is one the reader of the response may not see.
    if (object.type == JsonValue::Type::kNull) return true;
    ImportedToken token;
    if (!error.has_value()) {
      error = TokenFromJson(object, JsonTokenShape::kGraphQl, token);
    }
    const bool go_on = error.has_value() ? sink_.OnError(*std::move(error))
                                         : sink_.OnToken(std::move(token));
    stopped_ = !go_on;
    return go_on;
  }

  bool RefuseErrors(Position position) {
    return Refuse(position, "the response reports errors");
  }

  bool Refuse(Position position, std::string message) {
    stopped_ = true;
    sink_.OnError(
        {.position = position, .message = std::move(message), .fatal = true});
    return false;
  }

  TokenSink& sink_;
  std::vector<Place> places_;  // Of the open objects and arrays.
  std::string key_;            // The last one outside of tokens.
  JsonBuilder builder_;
  bool collecting_ = false;
  bool found_ = false;
  bool stopped_ = false;
};

void SkipByteOrderMark(std::istream& in) {
  if (in.rdbuf()->sgetc() != 0xEF) return;
  for (int i = 0; i < 3; ++i) in.rdbuf()->sbumpc();
}

}  // namespace

void ReadGraphQl(std::istream& in, TokenSink& sink) {
  SkipByteOrderMark(in);
  ResponseReader reader(sink);
  std::optional<InputError> error = ReadJson(in, {}, reader);
  if (reader.stopped()) return;
  if (error.has_value()) {
    error->fatal = true;
    sink.OnError(*std::move(error));
  } else if (!reader.found()) {
    sink.OnError({.position = {},
                  .message = "the response has no apiAccessTokens with edges "
                             "or nodes",
                  .fatal = true});
  }
}

}  // namespace tokendb
