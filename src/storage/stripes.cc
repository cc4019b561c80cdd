#include "src/storage/stripes.h"

#include <algorithm>

namespace tokendb {

void Stripes::WaitForHolders() {
  for (std::mutex& mutex : mutexes_) const std::lock_guard waited(mutex);
}

void StripeLock::Acquire() {
  std::sort(indexes_.begin(), indexes_.end());
  indexes_.erase(std::unique(indexes_.begin(), indexes_.end()), indexes_.end());
  for (const size_t index : indexes_) stripes_.mutexes_[index].lock();
}

StripeLock::~StripeLock() {
  for (const size_t index : indexes_) stripes_.mutexes_[index].unlock();
}

bool StripeLock::Covers(std::string_view key) const {
  return std::binary_search(indexes_.begin(), indexes_.end(),
                            Stripes::IndexOf(key));
}

}  // namespace tokendb
