#include "src/verify/mapped_memory.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace tokendb {

absl::StatusOr<MappedMemory> MappedMemory::Reserve(size_t bytes) {
  const size_t mapped_bytes = bytes + kHugePageBytes;
  void* const mapped = mmap(nullptr, mapped_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot reserve ", bytes,
                     " bytes of address space: ", std::strerror(errno)));
  }
  // What is in it are digests: no core dump needs them.
  madvise(mapped, mapped_bytes, MADV_DONTDUMP);
  return MappedMemory(mapped, mapped_bytes);
}

MappedMemory::MappedMemory(void* mapped, size_t mapped_bytes)
    : mapped_(mapped), mapped_bytes_(mapped_bytes) {
  const auto address = reinterpret_cast<uintptr_t>(mapped);
  const size_t skip =
      (kHugePageBytes - address % kHugePageBytes) % kHugePageBytes;
  data_ = static_cast<char*>(mapped) + skip;
}

MappedMemory::~MappedMemory() {
  if (mapped_ != nullptr) munmap(mapped_, mapped_bytes_);
}

void MappedMemory::AdviseHugePages(size_t begin, size_t bytes) const {
  madvise(static_cast<char*>(data_) + begin, bytes, MADV_HUGEPAGE);
}

}  // namespace tokendb
