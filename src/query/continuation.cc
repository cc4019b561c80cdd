#include "src/query/continuation.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "src/base/crc32c.h"
#include "src/base/text.h"
#include "src/index/keys.h"

namespace tokendb {
namespace {

constexpr char kVersion = 1;
constexpr size_t kFingerprintBytes = 8;
constexpr size_t kBodyBytes =
    1 + kFingerprintBytes + sizeof(uint64_t) + TokenId::kSize;

// Lengths before texts, so that two queries never make the same bytes.
void AddText(std::string& out, std::string_view text) {
  AppendVarint(out, text.size());
  out.append(text);
}

void AddTexts(std::string& out, std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  AppendVarint(out, texts.size());
  for (const std::string& text : texts) AddText(out, text);
}

void AddRange(std::string& out, const TimeRange& range) {
  for (const auto& end : {range.from, range.before}) {
    out.push_back(end.has_value() ? '\1' : '\0');
    if (end.has_value()) AppendBig64(out, OrderedMillis(CeilToMillis(*end)));
  }
}

void AddSpan(std::string& out, const std::optional<absl::Duration>& span) {
  out.push_back(span.has_value() ? '\1' : '\0');
  if (!span.has_value()) return;
  AppendBig64(out, static_cast<uint64_t>(absl::ToInt64Milliseconds(*span)));
}

// The query's conditions and order, the same bytes for the same query. Two
// sets in another order are the same query.
std::string Fingerprint(const Query& query) {
  std::string text;
  std::vector<std::string> ids;
  for (const TokenId& id : query.ids) ids.emplace_back(id.bytes());
  AddTexts(text, std::move(ids));
  AddText(text, query.digest.has_value() ? query.digest->bytes() : "");
  AddTexts(text, query.owners);
  AddTexts(text, query.scopes.all_of);
  AddTexts(text, query.scopes.any_of);
  AddTexts(text, query.scopes.none_of);
  AddRange(text, query.expires);
  AddRange(text, query.created);
  AddRange(text, query.last_accessed);
  AddRange(text, {.from = std::nullopt, .before = query.unused_since});
  AddSpan(text, query.expires_within);
  AddSpan(text, query.not_notified_within);
  AddText(text, query.text);
  AddText(text, query.organization);
  AddText(text, query.kind);
  AddText(text, query.ip_address);
  for (const TokenState state :
       {TokenState::kLive, TokenState::kExpired, TokenState::kRevoked,
        TokenState::kDisabled, TokenState::kNotYetValid}) {
    text.push_back(query.states.Contains(state) ? '\1' : '\0');
  }
  text.push_back(query.without_owner ? '\1' : '\0');
  text.push_back(query.scopes.exact ? '\1' : '\0');
  text.push_back(query.residual != nullptr ? '\1' : '\0');
  text.push_back(static_cast<char>(query.lifetime));
  text.push_back(static_cast<char>(query.order));
  text.push_back(static_cast<char>(query.direction));

  // Fetched once: SHA256() would look the algorithm up each time.
  static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  EVP_Digest(text.data(), text.size(), hash.data(), nullptr, kSha256, nullptr);
  return {reinterpret_cast<const char*>(hash.data()), kFingerprintBytes};
}

}  // namespace

std::string EncodeContinuation(const Query& query, const Position& position) {
  std::string bytes(1, kVersion);
  bytes += Fingerprint(query);
  AppendBig64(bytes, OrderedMillis(position.time));
  bytes += position.id.bytes();
  AppendBig32(bytes, ExtendCrc32c(0, bytes));
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<std::optional<Position>> ReadContinuation(const Query& query) {
  if (query.continuation.empty()) return std::nullopt;
  std::string bytes;
  const bool decoded =
      absl::WebSafeBase64Unescape(query.continuation, &bytes) &&
      bytes.size() == kBodyBytes + sizeof(uint32_t) &&
      bytes.front() == kVersion &&
      // One position has one text: the last character has bits to spare.
      absl::WebSafeBase64Escape(bytes) == query.continuation &&
      LoadBig32(&bytes[kBodyBytes]) ==
          ExtendCrc32c(0, std::string_view(bytes).substr(0, kBodyBytes));
  if (!decoded) {
    return absl::InvalidArgumentError("the continuation is damaged");
  }
  const std::string_view body(bytes.data() + 1, kBodyBytes - 1);
  if (body.substr(0, kFingerprintBytes) != Fingerprint(query)) {
    return absl::InvalidArgumentError("the continuation is of another query");
  }
  return Position{
      .time = FromOrderedMillis(LoadBig64(&body[kFingerprintBytes])),
      .id = IdFromBytes(
          body.substr(kFingerprintBytes + sizeof(uint64_t), TokenId::kSize))};
}

}  // namespace tokendb
