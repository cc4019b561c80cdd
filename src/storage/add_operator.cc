#include "src/storage/add_operator.h"

#include "src/base/coding.h"
#include "src/storage/slice.h"

namespace tokendb {
namespace {

class AddOperator final : public rocksdb::AssociativeMergeOperator {
 public:
  const char* Name() const override { return "tokendb.Add"; }

  bool Merge(const rocksdb::Slice& /*key*/, const rocksdb::Slice* existing,
             const rocksdb::Slice& value, std::string* sum,
             rocksdb::Logger* /*logger*/) const override {
    const std::optional<int64_t> a =
        existing == nullptr ? 0 : DecodeCount(ToView(*existing));
    const std::optional<int64_t> b = DecodeCount(ToView(value));
    if (!a.has_value() || !b.has_value()) return false;
    *sum = EncodeCount(*a + *b);
    return true;
  }
};

}  // namespace

std::shared_ptr<rocksdb::MergeOperator> MakeAddOperator() {
  return std::make_shared<AddOperator>();
}

std::string EncodeCount(int64_t count) {
  std::string value;
  AppendBig64(value, static_cast<uint64_t>(count));
  return value;
}

std::optional<int64_t> DecodeCount(std::string_view value) {
  if (value.size() != sizeof(uint64_t)) return std::nullopt;
  return static_cast<int64_t>(LoadBig64(value.data()));
}

}  // namespace tokendb
