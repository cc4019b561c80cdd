#ifndef TOKENDB_SRC_STORAGE_STRIPES_H_
#define TOKENDB_SRC_STORAGE_STRIPES_H_

#include <array>
#include <cstddef>
#include <mutex>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "absl/hash/hash.h"

namespace tokendb {

// Locks for keys of any kind: ids and digests share them. Two keys may share a
// lock. Writers of one key exclude each other; readers take no lock.
//
// Not absl::Mutex: a batch holds hundreds of locks, and the deadlock detection
// in Debian's build of abseil makes each of them cost 0.5 us. The order in
// which they are taken excludes deadlocks.
class Stripes {
 public:
  static constexpr size_t kCount = 1024;

  // Returns once everyone who held a lock when it was called has let it go.
  void WaitForHolders();

 private:
  friend class StripeLock;
  static size_t IndexOf(std::string_view key) {
    return absl::HashOf(key) % kCount;
  }
  std::array<std::mutex, kCount> mutexes_;
};

// Holds the locks of a set of keys. Locks are taken in the order of their
// numbers, each once, so that no two holders wait for each other: a thread
// must hold at most one StripeLock.
class StripeLock {
 public:
  template <typename Keys>
  StripeLock(Stripes& stripes, const Keys& keys) : stripes_(stripes) {
    for (const std::string_view key : keys) {
      indexes_.push_back(Stripes::IndexOf(key));
    }
    Acquire();
  }
  ~StripeLock();
  StripeLock(const StripeLock&) = delete;
  StripeLock& operator=(const StripeLock&) = delete;

  // Whether the lock of `key` is among those held.
  bool Covers(std::string_view key) const;

 private:
  void Acquire();

  Stripes& stripes_;
  absl::InlinedVector<size_t, 8> indexes_;  // Sorted, unique.
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_STRIPES_H_
