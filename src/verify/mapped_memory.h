#ifndef TOKENDB_SRC_VERIFY_MAPPED_MEMORY_H_
#define TOKENDB_SRC_VERIFY_MAPPED_MEMORY_H_

#include <cstddef>
#include <utility>

#include "absl/status/statusor.h"

namespace tokendb {

// Address space, all zero, of which the system takes memory page by page as it
// is used.
class MappedMemory {
 public:
  static constexpr size_t kHugePageBytes = size_t{2} << 20;

  // Begins at a multiple of kHugePageBytes. ResourceExhausted if there is not
  // that much address space.
  static absl::StatusOr<MappedMemory> Reserve(size_t bytes);

  MappedMemory(MappedMemory&& other) noexcept
      : mapped_(std::exchange(other.mapped_, nullptr)),
        mapped_bytes_(other.mapped_bytes_),
        data_(other.data_) {}
  MappedMemory& operator=(MappedMemory&&) = delete;
  ~MappedMemory();

  void* data() const { return data_; }

  // Asks for huge pages in [begin, begin + bytes), multiples of their size. The
  // system may refuse; that costs speed only.
  void AdviseHugePages(size_t begin, size_t bytes) const;

 private:
  MappedMemory(void* mapped, size_t mapped_bytes);

  void* mapped_;
  size_t mapped_bytes_;
  void* data_;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_VERIFY_MAPPED_MEMORY_H_
