#ifndef TOKENDB_SRC_STORAGE_ENTRY_BUFFER_H_
#define TOKENDB_SRC_STORAGE_ENTRY_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "src/storage/load_entry.h"

namespace tokendb {

// Entries in memory, in sections that are sorted one by one. An entry takes
// its bytes, a header of 16 and a reference of 16.
//
// Not thread-safe, but different sections may be sorted and read at once.
class EntryBuffer {
 public:
  // Memory is taken in chunks of `chunk_bytes`.
  EntryBuffer(size_t sections, size_t chunk_bytes)
      : chunk_bytes_(chunk_bytes), references_(sections) {}

  void Add(size_t section, const LoadEntry& entry);

  size_t sections() const { return references_.size(); }
  size_t size(size_t section) const { return references_[section].size(); }

  // Of the entries, about what they take of memory.
  size_t bytes() const { return bytes_; }

  // Sorts a section by key, then label.
  void Sort(size_t section);

  // As EncodeLoadEntry() makes it. In order of adding until Sort(); reading on
  // from there is quick.
  const char* EncodedAt(size_t section, size_t position) const {
    constexpr size_t kAhead = 12;
    constexpr size_t kCacheLine = 64;
    const std::vector<Reference>& references = references_[section];
    // Neighbours in the order of keys are anywhere in memory.
    if (position + kAhead < references.size()) {
      const char* const ahead = references[position + kAhead].encoded;
      __builtin_prefetch(ahead);
      __builtin_prefetch(ahead + kCacheLine);
    }
    return references[position].encoded;
  }

  // Frees no memory: it is used again.
  void Clear();

  // An entry, and eight bytes of its key that are compared in place of all.
  struct Reference {
    uint64_t part;
    const char* encoded;
  };

 private:
  char* Allocate(size_t bytes);

  const size_t chunk_bytes_;
  std::vector<std::vector<Reference>> references_;
  std::vector<std::unique_ptr<char[]>> chunks_;
  size_t chunks_used_ = 0;
  size_t left_ = 0;  // Of the last chunk in use.
  // Entries larger than a chunk.
  std::vector<std::unique_ptr<char[]>> large_;
  size_t bytes_ = 0;
};

// The entries of a sorted section.
class BufferSource final : public EntrySource {
 public:
  // `buffer` must outlive the source.
  BufferSource(const EntryBuffer& buffer, size_t section)
      : buffer_(buffer), section_(section) {}

  bool Next() override {
    if (next_ == buffer_.size(section_)) return false;
    entry_ = DecodeLoadEntry(buffer_.EncodedAt(section_, next_++));
    return true;
  }

 private:
  const EntryBuffer& buffer_;
  const size_t section_;
  size_t next_ = 0;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_ENTRY_BUFFER_H_
