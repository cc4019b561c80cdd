#include "src/storage/entry_buffer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "src/base/coding.h"

namespace tokendb {
namespace {

using Reference = EntryBuffer::Reference;

constexpr size_t kPartBytes = sizeof(uint64_t);

// Of fewer entries, whole keys are compared.
constexpr ptrdiff_t kSmallGroup = 16;

// Of fewer entries, comparing is quicker than counting.
constexpr size_t kManyEntries = 1024;

// How far reading runs ahead: entries are anywhere in memory.
constexpr ptrdiff_t kAhead = 16;

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

// Loads the part at `depth` of all keys. False if a key does not reach beyond
// that, so that its parts do not tell it from a longer one.
bool LoadParts(Reference* begin, Reference* end, size_t depth) {
  bool all = true;
  for (Reference* each = begin; each != end; ++each) {
    if (end - each > kAhead) __builtin_prefetch(each[kAhead].encoded);
    const std::string_view key = KeyOf(*each);
    each->part = PartAt(key, depth);
    all = all && key.size() > depth;
  }
  return all;
}

// Sorts by the parts, byte by byte from the last one. Bytes in which all agree,
// of which keys have many, cost nothing.
void SortByPart(Reference* begin, Reference* end,
                std::vector<Reference>& spare) {
  const auto count = static_cast<size_t>(end - begin);
  if (count < kManyEntries) {
    std::sort(begin, end, [](const Reference& a, const Reference& b) {
      return a.part < b.part;
    });
    return;
  }
  constexpr size_t kValues = 256;
  std::array<std::array<size_t, kValues>, kPartBytes> counts{};
  for (const Reference* each = begin; each != end; ++each) {
    for (size_t byte = 0; byte < kPartBytes; ++byte) {
      ++counts[byte][each->part >> (8 * byte) & 0xFF];
    }
  }
  spare.resize(std::max(spare.size(), count));
  Reference* from = begin;
  Reference* to = spare.data();
  for (size_t byte = 0; byte < kPartBytes; ++byte) {
    std::array<size_t, kValues>& places = counts[byte];
    if (places[from->part >> (8 * byte) & 0xFF] == count) continue;
    size_t place = 0;
    for (size_t& each : places) place += std::exchange(each, place);
    for (size_t i = 0; i < count; ++i) {
      to[places[from[i].part >> (8 * byte) & 0xFF]++] = from[i];
    }
    std::swap(from, to);
  }
  if (from != begin) std::copy(from, from + count, begin);
}

// Sorts entries whose keys agree in their first `depth` bytes: by the next
// eight, kept beside the pointers, then those that agree in these as well by
// what follows. Long common beginnings are so compared once, not n log n times.
void SortParts(Reference* begin, Reference* end, size_t depth,
               std::vector<Reference>& spare) {
  SortByPart(begin, end, spare);
  const size_t next_depth = depth + kPartBytes;
  for (Reference* group = begin; group != end;) {
    Reference* next = group + 1;
    while (next != end && next->part == group->part) ++next;
    if (next - group < kSmallGroup || !LoadParts(group, next, next_depth)) {
      if (next - group > 1) SortWhole(group, next, depth);
    } else {
      SortParts(group, next, next_depth, spare);
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
  references_[section].push_back({PartAt(entry.key, 0), out});
  bytes_ += bytes + sizeof(Reference);
}

void EntryBuffer::Sort(size_t section) {
  std::vector<Reference>& references = references_[section];
  std::vector<Reference> spare;
  SortParts(references.data(), references.data() + references.size(), 0, spare);
}

void EntryBuffer::Clear() {
  for (std::vector<Reference>& references : references_) references.clear();
  chunks_used_ = 0;
  left_ = 0;
  large_.clear();
  bytes_ = 0;
}

}  // namespace tokendb
