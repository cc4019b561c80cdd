#include "src/storage/change_filter.h"

#include <string>

#include "src/base/coding.h"
#include "src/storage/slice.h"

namespace tokendb {
namespace {

class ChangeFilter final : public rocksdb::CompactionFilter {
 public:
  explicit ChangeFilter(uint64_t floor) : floor_(floor) {}

  const char* Name() const override { return "tokendb.ChangeFilter"; }

  // Skipping leaves no tombstone, so that an older version of a skipped key
  // would come back. There is none: a number is given once, and its row written
  // once and never deleted. Were there one, it would be dropped as well, since
  // the key alone decides and the floor only grows.
  Decision FilterV2(int /*level*/, const rocksdb::Slice& key,
                    ValueType /*type*/, const rocksdb::Slice& /*value*/,
                    std::string* /*new_value*/,
                    std::string* skip_until) const override {
    if (key.size() != sizeof(uint64_t) || LoadBig64(key.data()) > floor_) {
      return Decision::kKeep;
    }
    skip_until->clear();
    AppendBig64(*skip_until, floor_ + 1);
    return Decision::kRemoveAndSkipUntil;
  }

 private:
  const uint64_t floor_;
};

class ChangeFilterFactory final : public rocksdb::CompactionFilterFactory {
 public:
  explicit ChangeFilterFactory(const std::atomic<uint64_t>& floor)
      : floor_(floor) {}

  const char* Name() const override { return "tokendb.ChangeFilterFactory"; }

  // One floor for the whole compaction.
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& /*context*/) override {
    return std::make_unique<ChangeFilter>(floor_);
  }

 private:
  const std::atomic<uint64_t>& floor_;
};

}  // namespace

std::shared_ptr<rocksdb::CompactionFilterFactory> MakeChangeFilterFactory(
    const std::atomic<uint64_t>& floor) {
  return std::make_shared<ChangeFilterFactory>(floor);
}

}  // namespace tokendb
