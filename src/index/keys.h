// Keys of the index family. Every entry has one shape:
//
//   generation u8 | index u8 | term | expiry be64 | id[16]
//
// so that all entries of a term sort by (expiry, id), live ones form one range
// and null expiry, FF..FF, is the last. Terms of an index are prefix-free: no
// term is the beginning of another.
#ifndef TOKENDB_SRC_INDEX_KEYS_H_
#define TOKENDB_SRC_INDEX_KEYS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/coding.h"
#include "src/model/millis.h"
#include "tokendb/token.h"

namespace tokendb {

enum class IndexKind : uint8_t {
  kOwner = 1,   // Term: the owner's id, escaped.
  kScope = 2,   // Term: the scope's number in the dictionary, be32.
  kExpiry = 3,  // Term: empty.
  kCreation =
      4,  // Term: creation be64 | id[16]: the order of Order::kCreation.
  // Optional ones, see src/index/index_set.h.
  kOrganization = 5,  // Term: the organization, escaped as an owner's id.
  kKind = 6,          // Term: the kind likewise.
};

// The generation of the indexes that every database has. Optional ones get a
// new one each time they are added.
inline constexpr uint8_t kFirstGeneration = 1;

inline constexpr size_t kIndexPrefixBytes = 2;
inline constexpr size_t kExpiryBytes = sizeof(uint64_t);

// What follows the term: expiry and id.
inline constexpr size_t kKeyTailBytes = kExpiryBytes + TokenId::kSize;

// The number of no scope: tokens without scopes are indexed under it.
inline constexpr uint32_t kNoScope = 0;

// Appends generation and index.
void AppendIndexPrefix(std::string& key, IndexKind kind,
                       uint8_t generation = kFirstGeneration);

// Appends the term of an owner: 00 becomes 00 FF, and 00 01 ends it. The term
// of tokens without an owner is 00 00, which no owner's begins with.
void AppendOwnerTerm(std::string& key, std::optional<std::string_view> owner);

// Appends the term of a text of a record, where empty means none.
inline void AppendTextTerm(std::string& key, std::string_view text) {
  AppendOwnerTerm(key, text.empty() ? std::nullopt : std::optional(text));
}

void AppendCreationTerm(std::string& key, Millis created, const TokenId& id);

inline void AppendKeyTail(std::string& key, Millis expires_at,
                          const TokenId& id) {
  AppendBig64(key, OrderedMillis(expires_at));
  key.append(id.bytes());
}

// Returns generation, index and term as one prefix.
std::string OwnerPrefix(std::optional<std::string_view> owner);
std::string ScopePrefix(uint32_t scope);
std::string IndexPrefix(IndexKind kind, uint8_t generation = kFirstGeneration);

// The bytes of an id. `bytes` has TokenId::kSize of them.
inline TokenId IdFromBytes(std::string_view bytes) {
  std::array<char, TokenId::kSize> copy;
  std::memcpy(copy.data(), bytes.data(), copy.size());
  return TokenId(copy);
}

// The bytes of a digest. `bytes` has Digest::kSize of them.
inline Digest DigestFromBytes(std::string_view bytes) {
  std::array<char, Digest::kSize> copy;
  std::memcpy(copy.data(), bytes.data(), copy.size());
  return Digest(copy);
}

// The parts of any index key. `key` has at least kIndexPrefixBytes +
// kKeyTailBytes.
inline bool IsIndexKey(std::string_view key) {
  return key.size() >= kIndexPrefixBytes + kKeyTailBytes;
}
inline std::string_view TailOf(std::string_view key) {
  return key.substr(key.size() - kKeyTailBytes);
}
inline Millis ExpiryOf(std::string_view key) {
  return FromOrderedMillis(LoadBig64(TailOf(key).data()));
}
inline TokenId IdOf(std::string_view key) {
  return IdFromBytes(key.substr(key.size() - TokenId::kSize));
}
inline std::string_view TermOf(std::string_view key) {
  return key.substr(kIndexPrefixBytes,
                    key.size() - kIndexPrefixBytes - kKeyTailBytes);
}

// Reads the owner, or another text, from its term; absent for the term of none.
// `valid` is false if the term is malformed.
std::optional<std::string> OwnerFromTerm(std::string_view term, bool& valid);

// Returns the smallest text larger than every one that begins with `prefix`;
// empty if there is none.
std::string PrefixEnd(std::string prefix);

}  // namespace tokendb

#endif  // TOKENDB_SRC_INDEX_KEYS_H_
