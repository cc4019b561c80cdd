// An entry on its way through a bulk load, in memory and in run files alike:
//
//   key length u32 | value length u32 | label u64 | key | value
//
// in the machine's own byte order: it does not outlive the load.
#ifndef TOKENDB_SRC_STORAGE_LOAD_ENTRY_H_
#define TOKENDB_SRC_STORAGE_LOAD_ENTRY_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "absl/status/status.h"

namespace tokendb {

struct LoadEntry {
  std::string_view key;
  std::string_view value;
  // Whose entry it is, for errors. What a caller calls its tokens.
  uint64_t label = 0;

  size_t encoded_bytes() const;
};

struct LoadEntryHeader {
  uint32_t key_bytes;
  uint32_t value_bytes;
  uint64_t label;

  size_t total_bytes() const {
    return sizeof(LoadEntryHeader) + key_bytes + value_bytes;
  }
};
static_assert(sizeof(LoadEntryHeader) == 16);

inline size_t LoadEntry::encoded_bytes() const {
  return sizeof(LoadEntryHeader) + key.size() + value.size();
}

// `out` has room for encoded_bytes().
inline void EncodeLoadEntry(const LoadEntry& entry, char* out) {
  const LoadEntryHeader header = {static_cast<uint32_t>(entry.key.size()),
                                  static_cast<uint32_t>(entry.value.size()),
                                  entry.label};
  std::memcpy(out, &header, sizeof(header));
  out += sizeof(header);
  std::memcpy(out, entry.key.data(), entry.key.size());
  std::memcpy(out + entry.key.size(), entry.value.data(), entry.value.size());
}

inline LoadEntryHeader LoadEntryHeaderAt(const char* encoded) {
  LoadEntryHeader header;
  std::memcpy(&header, encoded, sizeof(header));
  return header;
}

// The views point into `encoded`, which is whole.
inline LoadEntry DecodeLoadEntry(const char* encoded) {
  const LoadEntryHeader header = LoadEntryHeaderAt(encoded);
  const char* const key = encoded + sizeof(header);
  return {{key, header.key_bytes},
          {key + header.key_bytes, header.value_bytes},
          header.label};
}

// Entries in the order of their keys.
class EntrySource {
 public:
  virtual ~EntrySource() = default;

  // Goes to the next entry. False at the end and on an error: look at status().
  virtual bool Next() = 0;

  // Valid until Next().
  const LoadEntry& entry() const { return entry_; }
  virtual absl::Status status() const { return absl::OkStatus(); }

 protected:
  LoadEntry entry_;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_LOAD_ENTRY_H_
