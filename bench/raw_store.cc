#include "bench/raw_store.h"

#include <filesystem>

#include "bench/synthetic.h"
#include "rocksdb/cache.h"
#include "src/storage/rocksdb_options.h"
#include "src/storage/status.h"

namespace tokendb::bench {

void CheckRaw(const rocksdb::Status& status, std::string_view what) {
  if (!status.ok()) CheckOk(FromRocksDb(status, "RocksDB"), what);
}

void CopyDatabase(const std::string& from, const std::string& to) {
  std::filesystem::create_directory(to);
  for (const auto& file : std::filesystem::directory_iterator(from)) {
    const std::filesystem::path target = to / file.path().filename();
    if (file.path().extension() == ".sst") {
      std::filesystem::create_hard_link(file.path(), target);
    } else {
      std::filesystem::copy(file.path(), target);
    }
  }
}

RawStore::RawStore(const std::string& path, const OpenOptions& options) {
  rocksdb::LRUCacheOptions cache_options;
  cache_options.capacity = options.cache_bytes;
  const auto cache = rocksdb::NewLRUCache(cache_options);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName,
                        MakeFamilyOptions(Family::kMeta, options, cache));
  for (const Family family : kFamilies) {
    families.emplace_back(std::string(FamilyName(family)),
                          MakeFamilyOptions(family, options, cache));
  }
  rocksdb::DBOptions db_options = MakeDbOptions(options);
  db_options.create_if_missing = true;
  db_options.create_missing_column_families = true;
  rocksdb::DB* db = nullptr;
  CheckRaw(rocksdb::DB::Open(db_options, path, families, &handles_, &db),
           "opening the raw database");
  db_.reset(db);
}

RawStore::~RawStore() {
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  db_->Close().PermitUncheckedError();
}

}  // namespace tokendb::bench
