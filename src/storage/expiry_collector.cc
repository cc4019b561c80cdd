#include "src/storage/expiry_collector.h"

#include <string>

#include "src/storage/slice.h"

namespace tokendb {
namespace {

constexpr char kProperty[] = "tokendb.expiry";

class ExpiryCollector final : public rocksdb::TablePropertiesCollector {
 public:
  ExpiryCollector(Family family, const EntryReader& reader)
      : family_(family), reader_(reader) {}

  const char* Name() const override { return "tokendb.ExpiryCollector"; }

  rocksdb::Status AddUserKey(const rocksdb::Slice& key,
                             const rocksdb::Slice& value,
                             rocksdb::EntryType type,
                             rocksdb::SequenceNumber /*sequence*/,
                             uint64_t /*file_size*/) override {
    const bool holds_value =
        type == rocksdb::kEntryPut || type == rocksdb::kEntryMerge;
    histogram_.Add(holds_value
                       ? reader_.expiry(family_, ToView(key), ToView(value))
                       : std::nullopt,
                   key.size() + value.size());
    return rocksdb::Status::OK();
  }

  rocksdb::Status Finish(rocksdb::UserCollectedProperties* out) override {
    out->emplace(kProperty, histogram_.Encode());
    return rocksdb::Status::OK();
  }

  rocksdb::UserCollectedProperties GetReadableProperties() const override {
    return {};
  }

 private:
  const Family family_;
  const EntryReader& reader_;
  ExpiryHistogram histogram_;
};

class ExpiryCollectorFactory final
    : public rocksdb::TablePropertiesCollectorFactory {
 public:
  ExpiryCollectorFactory(Family family, const EntryReader& reader)
      : family_(family), reader_(reader) {}

  const char* Name() const override { return "tokendb.ExpiryCollectorFactory"; }

  rocksdb::TablePropertiesCollector* CreateTablePropertiesCollector(
      rocksdb::TablePropertiesCollectorFactory::Context /*context*/) override {
    return new ExpiryCollector(family_, reader_);  // RocksDB owns it.
  }

 private:
  const Family family_;
  const EntryReader& reader_;
};

}  // namespace

std::shared_ptr<rocksdb::TablePropertiesCollectorFactory>
MakeExpiryCollectorFactory(Family family, const EntryReader& reader) {
  return std::make_shared<ExpiryCollectorFactory>(family, reader);
}

std::optional<ExpiryHistogram> FindExpiryHistogram(
    const rocksdb::TableProperties& properties) {
  const auto it = properties.user_collected_properties.find(kProperty);
  if (it == properties.user_collected_properties.end()) return std::nullopt;
  return ExpiryHistogram::Decode(it->second);
}

}  // namespace tokendb
