#include "src/storage/entry_buffer.h"

#include <algorithm>
#include <utility>

#include "src/base/coding.h"

namespace tokendb {
namespace {

using Reference = EntryBuffer::Reference;

constexpr size_t kPartBytes = sizeof(uint64_t);

// Of fewer entries, whole keys are compared.
constexpr ptrdiff_t kSmallGroup = 16;

std::string_view KeyOf(const Reference& reference) {
  return DecodeLoadEntry(reference.encoded).key;
}

// The bytes of `key` from `depth` on, a short rest filled up with zeros.
uint64_t PartAt(std::string_view key, size_t depth) {
  if (key.size() >= depth + kPartBytes) return LoadBig64(key.data() + depth);
  char bytes[kPartBytes] = {};
  if (key.size() > depth) key.copy(bytes, kPartBytes, depth);
  return LoadBig64(bytes);
}

void SortWhole(Reference* begin, Reference* end, size_t depth) {
  std::sort(begin, end, [&](const Reference& a, const Reference& b) {
    const LoadEntry first = DecodeLoadEntry(a.encoded);
    const LoadEntry second = DecodeLoadEntry(b.encoded);
    const int order =
        first.key.substr(std::min(depth, first.key.size()))
            .compare(second.key.substr(std::min(depth, second.key.size())));
    return order != 0 ? order < 0 : first.label < second.label;
  });
}

// Sorts entries whose keys agree in their first `depth` bytes: by the next
// eight, kept beside the pointers, then those that agree in these as well by
// what follows. Long common beginnings are so compared once, not n log n times.
void SortParts(Reference* begin, Reference* end, size_t depth) {
  std::sort(begin, end, [](const Reference& a, const Reference& b) {
    return a.part < b.part;
  });
  const size_t next_depth = depth + kPartBytes;
  for (Reference* group = begin; group != end;) {
    bool ends = KeyOf(*group).size() < next_depth;
    Reference* next = group + 1;
    for (; next != end && next->part == group->part; ++next) {
      ends = ends || KeyOf(*next).size() < next_depth;
    }
    if (next - group >= kSmallGroup && !ends) {
      bool more = false;
      for (Reference* each = group; each != next; ++each) {
        const std::string_view key = KeyOf(*each);
        each->part = PartAt(key, next_depth);
        more = more || key.size() > next_depth;
      }
      if (more) {
        SortParts(group, next, next_depth);
      } else {
        SortWhole(group, next, next_depth);
      }
    } else if (next - group > 1) {
      SortWhole(group, next, depth);
    }
    group = next;
  }
}

}  // namespace

char* EntryBuffer::Allocate(size_t bytes) {
  if (bytes > chunk_bytes_) {
    large_.push_back(std::unique_ptr<char[]>(new char[bytes]));
    return large_.back().get();
  }
  if (bytes > left_) {
    if (chunks_used_ == chunks_.size()) {
      chunks_.push_back(std::unique_ptr<char[]>(new char[chunk_bytes_]));
    }
    ++chunks_used_;
    left_ = chunk_bytes_;
  }
  char* const out = chunks_[chunks_used_ - 1].get() + chunk_bytes_ - left_;
  left_ -= bytes;
  return out;
}

void EntryBuffer::Add(size_t section, const LoadEntry& entry) {
  const size_t bytes = entry.encoded_bytes();
  char* const out = Allocate(bytes);
  EncodeLoadEntry(entry, out);
  references_[section].push_back({0, out});
  bytes_ += bytes + sizeof(Reference);
}

void EntryBuffer::Sort(size_t section) {
  std::vector<Reference>& references = references_[section];
  for (Reference& reference : references) {
    reference.part = PartAt(KeyOf(reference), 0);
  }
  SortParts(references.data(), references.data() + references.size(), 0);
}

void EntryBuffer::Clear() {
  for (std::vector<Reference>& references : references_) references.clear();
  chunks_used_ = 0;
  left_ = 0;
  large_.clear();
  bytes_ = 0;
}

}  // namespace tokendb
