// The folder of a closed database, opened with RocksDB itself: to damage it in
// ways the library would not.
#ifndef TOKENDB_TESTS_SUPPORT_RAW_DATABASE_H_
#define TOKENDB_TESTS_SUPPORT_RAW_DATABASE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rocksdb/db.h"
#include "rocksdb/table_properties.h"
#include "src/storage/add_operator.h"

namespace tokendb::testing {

class RawDatabase {
 public:
  using Entry = std::pair<std::string, std::string>;  // Key, value.

  explicit RawDatabase(const std::string& path) {
    rocksdb::Options options;
    std::vector<std::string> names;
    Expect(rocksdb::DB::ListColumnFamilies(options, path, &names));
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) {
      families.emplace_back(name, options);
      if (name == "stat") {
        families.back().options.merge_operator = MakeAddOperator();
      }
    }
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    Expect(rocksdb::DB::Open(options, path, families, &handles, &db));
    db_.reset(db);
    for (size_t i = 0; i < handles.size(); ++i)
      families_[names[i]] = handles[i];
  }
  ~RawDatabase() {
    for (const auto& [name, handle] : families_) {
      db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
    }
  }
  RawDatabase(const RawDatabase&) = delete;
  RawDatabase& operator=(const RawDatabase&) = delete;

  void Put(const std::string& family, const std::string& key,
           const std::string& value) {
    Expect(db_->Put({}, families_.at(family), key, value));
  }
  void Delete(const std::string& family, const std::string& key) {
    Expect(db_->Delete({}, families_.at(family), key));
  }
  void DropFamily(const std::string& family) {
    Expect(db_->DropColumnFamily(families_.at(family)));
  }
  std::string Get(const std::string& family, const std::string& key) {
    std::string value;
    Expect(db_->Get({}, families_.at(family), key, &value));
    return value;
  }

  // All entries of a family whose key begins with `prefix`.
  std::vector<Entry> Entries(const std::string& family,
                             std::string_view prefix = "") {
    std::vector<Entry> entries;
    const std::unique_ptr<rocksdb::Iterator> it(
        db_->NewIterator({}, families_.at(family)));
    for (it->Seek({prefix.data(), prefix.size()}); it->Valid(); it->Next()) {
      if (!it->key().starts_with({prefix.data(), prefix.size()})) break;
      entries.emplace_back(it->key().ToString(), it->value().ToString());
    }
    Expect(it->status());
    return entries;
  }

  // Tombstones in the files of a family.
  uint64_t Deletions(const std::string& family) {
    rocksdb::TablePropertiesCollection properties;
    Expect(db_->GetPropertiesOfAllTables(families_.at(family), &properties));
    uint64_t deletions = 0;
    for (const auto& [name, table] : properties) {
      deletions += table->num_deletions;
    }
    return deletions;
  }

 private:
  static void Expect(const rocksdb::Status& status) {
    EXPECT_TRUE(status.ok()) << status.ToString();
  }

  std::unique_ptr<rocksdb::DB> db_;
  std::map<std::string, rocksdb::ColumnFamilyHandle*> families_;
};

}  // namespace tokendb::testing

#endif  // TOKENDB_TESTS_SUPPORT_RAW_DATABASE_H_
