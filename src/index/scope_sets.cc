#include "src/index/scope_sets.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace tokendb {
namespace {

constexpr uint32_t kBitScopes = 63;
constexpr uint64_t kIsKept = uint64_t{1} << kBitScopes;

// Of a kept set besides its numbers: the vector, and its entry in the table.
constexpr size_t kOverheadBytes = 64;

std::optional<uint64_t> MaskOf(absl::Span<const uint32_t> numbers) {
  uint64_t mask = 0;
  for (const uint32_t number : numbers) {
    if (number == 0 || number > kBitScopes) return std::nullopt;
    mask |= uint64_t{1} << (number - 1);
  }
  return mask;
}

}  // namespace

std::optional<uint64_t> ScopeSets::BitsOf(absl::Span<const uint32_t> numbers) {
  if (const auto mask = MaskOf(numbers); mask.has_value()) return mask;
  const std::lock_guard lock(mutex_);
  if (const auto it = kept_.find(numbers); it != kept_.end()) {
    return it->second;
  }
  const size_t number = kept_.size();
  const size_t bytes = numbers.size() * sizeof(uint32_t) + kOverheadBytes;
  if (number == kMaxKept || bytes_ + bytes > max_bytes_) return std::nullopt;
  if (number % kChunkSets == 0) {
    owned_.push_back(std::make_unique<Chunk>());
    chunks_[number / kChunkSets] = owned_.back().get();
  }
  Numbers& set = (*owned_.back())[number % kChunkSets];
  set.assign(numbers.begin(), numbers.end());
  bytes_ += bytes;
  kept_.emplace(set, kIsKept | number);
  return kIsKept | number;
}

ScopeSet ScopeSets::SetOf(uint64_t bits) const {
  ScopeSet set;
  if ((bits & kIsKept) == 0) {
    set.bits_ = bits;
    return set;
  }
  const uint64_t number = bits & ~kIsKept;
  const Chunk& chunk =
      *chunks_[number / kChunkSets].load(std::memory_order_acquire);
  // Without an owner: nothing is counted.
  set.numbers_ = std::shared_ptr<const Numbers>(std::shared_ptr<void>(),
                                                &chunk[number % kChunkSets]);
  return set;
}

ScopeSet ScopeSets::MakeSet(absl::Span<const uint32_t> numbers) {
  ScopeSet set;
  if (const auto mask = MaskOf(numbers); mask.has_value()) {
    set.bits_ = *mask;
  } else {
    set.numbers_ =
        std::make_shared<const Numbers>(numbers.begin(), numbers.end());
  }
  return set;
}

ScopeNumbers ScopeSets::NumbersOf(const ScopeSet& set) {
  if (set.numbers_ != nullptr) {
    return {set.numbers_->begin(), set.numbers_->end()};
  }
  ScopeNumbers numbers;
  for (uint64_t bits = set.bits_; bits != 0; bits &= bits - 1) {
    numbers.push_back(static_cast<uint32_t>(std::countr_zero(bits)) + 1);
  }
  return numbers;
}

bool ScopeSets::Contains(const ScopeSet& set, uint32_t number) {
  if (set.numbers_ != nullptr) {
    return std::binary_search(set.numbers_->begin(), set.numbers_->end(),
                              number);
  }
  return number != 0 && number <= kBitScopes &&
         (set.bits_ >> (number - 1) & 1) != 0;
}

}  // namespace tokendb
