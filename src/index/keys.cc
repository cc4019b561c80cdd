#include "src/index/keys.h"

namespace tokendb {
namespace {

constexpr char kEscape = '\x00';
constexpr char kEscapedZero = '\xFF';
constexpr char kTermEnd = '\x01';
constexpr char kNoOwner = '\x00';

}  // namespace

void AppendIndexPrefix(std::string& key, IndexKind kind, uint8_t generation) {
  key.push_back(static_cast<char>(generation));
  key.push_back(static_cast<char>(kind));
}

void AppendOwnerTerm(std::string& key, std::optional<std::string_view> owner) {
  if (!owner.has_value()) {
    key.push_back(kEscape);
    key.push_back(kNoOwner);
    return;
  }
  for (const char c : *owner) {
    key.push_back(c);
    if (c == kEscape) key.push_back(kEscapedZero);
  }
  key.push_back(kEscape);
  key.push_back(kTermEnd);
}

void AppendCreationTerm(std::string& key, Millis created, const TokenId& id) {
  AppendBig64(key, OrderedMillis(created));
  key.append(id.bytes());
}

std::string OwnerPrefix(std::optional<std::string_view> owner) {
  std::string prefix = IndexPrefix(IndexKind::kOwner);
  AppendOwnerTerm(prefix, owner);
  return prefix;
}

std::string ScopePrefix(uint32_t scope) {
  std::string prefix = IndexPrefix(IndexKind::kScope);
  AppendBig32(prefix, scope);
  return prefix;
}

std::string IndexPrefix(IndexKind kind, uint8_t generation) {
  std::string prefix;
  AppendIndexPrefix(prefix, kind, generation);
  return prefix;
}

std::optional<std::string> OwnerFromTerm(std::string_view term, bool& valid) {
  valid = true;
  std::string owner;
  for (size_t i = 0; i < term.size(); ++i) {
    if (term[i] != kEscape) {
      owner.push_back(term[i]);
      continue;
    }
    if (++i == term.size()) break;
    const bool last = i + 1 == term.size();
    if (term[i] == kTermEnd && last) return owner;
    if (term[i] == kNoOwner && last && term.size() == 2) return std::nullopt;
    if (term[i] != kEscapedZero) break;
    owner.push_back(kEscape);
  }
  valid = false;
  return std::nullopt;
}

std::string PrefixEnd(std::string prefix) {
  while (!prefix.empty()) {
    const auto last = static_cast<uint8_t>(prefix.back());
    if (last != 0xFF) {
      prefix.back() = static_cast<char>(last + 1);
      return prefix;
    }
    prefix.pop_back();
  }
  return prefix;
}

}  // namespace tokendb
