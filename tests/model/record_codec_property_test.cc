// Any normalized token is read as it was written.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "src/model/millis.h"
#include "src/model/record_codec.h"
#include "tokendb/token.h"

namespace tokendb {
namespace {

// Any bytes, NUL among them.
std::string AnyText() {
  return *rc::gen::container<std::string>(
      rc::gen::map(rc::gen::inRange<int>(0, 256),
                   [](int byte) { return static_cast<char>(byte); }));
}

std::vector<std::string> AnyTexts() {
  std::vector<std::string> texts(*rc::gen::inRange<size_t>(0, 5));
  std::generate(texts.begin(), texts.end(), AnyText);
  return texts;
}

absl::Time AnyTime() {
  const auto millis = *rc::gen::oneOf(
      rc::gen::inRange<Millis>(kMinMillis, kMaxMillis + 1),
      rc::gen::inRange<Millis>(-1000, 1000),
      rc::gen::elementOf(std::vector<Millis>{kMinMillis, 0, kMaxMillis}));
  return absl::FromUnixMillis(millis);
}

template <typename Id>
Id AnyBytes() {
  std::array<char, Id::kSize> bytes;
  std::generate(bytes.begin(), bytes.end(),
                [] { return static_cast<char>(*rc::gen::inRange(1, 256)); });
  return Id(bytes);
}

template <typename Make>
auto Maybe(Make make) -> std::optional<decltype(make())> {
  if (*rc::gen::arbitrary<bool>()) return std::nullopt;
  return make();
}

Token AnyToken() {
  Token token;
  token.id = AnyBytes<TokenId>();
  token.node_id = AnyText();
  token.digest = Maybe(AnyBytes<Digest>);
  token.owner = Maybe([] {
    return Owner{.id = "o" + AnyText(), .name = AnyText(), .email = AnyText()};
  });
  token.description = AnyText();
  token.scopes = AnyTexts();
  for (std::string& scope : token.scopes) scope.push_back('s');
  token.created_at = AnyTime();
  token.expires_at = Maybe(AnyTime);
  token.last_accessed_at = Maybe(AnyTime);
  token.ip_address = AnyText();
  token.organization = AnyText();
  token.kind = AnyText();
  token.name = AnyText();
  token.not_before = Maybe(AnyTime);
  token.revoked_at = Maybe(AnyTime);
  token.revoked_reason = AnyText();
  token.enabled = *rc::gen::arbitrary<bool>();
  token.family_id = Maybe(AnyBytes<TokenId>);
  token.parent_id = Maybe(AnyBytes<TokenId>);
  token.created_by = AnyText();
  token.allowed_cidrs = AnyTexts();
  token.pepper_version = *rc::gen::arbitrary<uint32_t>();
  token.metadata = AnyText();
  token.version = *rc::gen::arbitrary<uint64_t>();
  return Normalize(token);
}

RC_GTEST_PROP(RecordCodecPropertyTest, NormalizedTokensRoundTrip, ()) {
  const Token token = AnyToken();
  RecordEncoder encoder;
  const absl::StatusOr<std::string_view> record = encoder.Encode(token);
  RC_ASSERT(record.ok());
  const absl::StatusOr<Token> read = DecodeRecord(token.id, *record);
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == token);
}

RC_GTEST_PROP(RecordCodecPropertyTest, RandomDamageIsDataLoss, ()) {
  const Token token = AnyToken();
  RecordEncoder encoder;
  const absl::StatusOr<std::string_view> record = encoder.Encode(token);
  RC_ASSERT(record.ok());
  std::string damaged(*record);
  const auto begin = *rc::gen::inRange<size_t>(0, damaged.size());
  const auto noise = AnyText();
  damaged.replace(begin, std::min(noise.size(), damaged.size() - begin), noise);
  RC_PRE(damaged != *record);
  RC_ASSERT(absl::IsDataLoss(DecodeRecord(token.id, damaged).status()));
}

}  // namespace
}  // namespace tokendb
