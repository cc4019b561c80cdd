#ifndef TOKENDB_SRC_STORAGE_DEAD_PREFIXES_H_
#define TOKENDB_SRC_STORAGE_DEAD_PREFIXES_H_

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tokendb {

// Beginnings of index keys of which all versions are dead for good: nothing
// reads or writes them any more. They have one length, so that none is the
// beginning of another.
class DeadPrefixes {
 public:
  DeadPrefixes() = default;
  explicit DeadPrefixes(std::vector<std::string> prefixes)
      : prefixes_(std::move(prefixes)) {
    std::sort(prefixes_.begin(), prefixes_.end());
  }

  // The prefix that `key` begins with; null if there is none.
  const std::string* Find(std::string_view key) const {
    const auto next = std::upper_bound(prefixes_.begin(), prefixes_.end(), key);
    if (next == prefixes_.begin()) return nullptr;
    const std::string& before = *(next - 1);
    return key.substr(0, before.size()) == before ? &before : nullptr;
  }

 private:
  std::vector<std::string> prefixes_;  // Sorted.
};

// Those that compactions drop by now.
//
// Thread-safe.
class SharedDeadPrefixes {
 public:
  // All that were dead before must be among them.
  void Set(DeadPrefixes prefixes) {
    auto next = std::make_shared<const DeadPrefixes>(std::move(prefixes));
    const std::lock_guard lock(mutex_);
    prefixes_.swap(next);
  }
  std::shared_ptr<const DeadPrefixes> Get() const {
    const std::lock_guard lock(mutex_);
    return prefixes_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const DeadPrefixes> prefixes_ =
      std::make_shared<const DeadPrefixes>();
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_DEAD_PREFIXES_H_
