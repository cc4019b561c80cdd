// The other side of each comparison: RocksDB as one would call it by hand,
// opened with the very options of the library.
#ifndef TOKENDB_BENCH_RAW_STORE_H_
#define TOKENDB_BENCH_RAW_STORE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rocksdb/db.h"
#include "src/storage/store.h"
#include "tokendb/options.h"

namespace tokendb::bench {

// Copies a closed database's directory. Table files, which never change, are
// shared as hard links: both sides read the same bytes from the same pages.
void CopyDatabase(const std::string& from, const std::string& to);

class RawStore {
 public:
  // Opens the database at `path`, or makes an empty one with the same column
  // families.
  RawStore(const std::string& path, const OpenOptions& options);
  ~RawStore();
  RawStore(const RawStore&) = delete;
  RawStore& operator=(const RawStore&) = delete;

  rocksdb::DB& db() { return *db_; }
  rocksdb::ColumnFamilyHandle* family(Family family) const {
    // The default family comes first.
    return handles_[static_cast<size_t>(family) + 1];
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

// Ends the program if `status` is an error.
void CheckRaw(const rocksdb::Status& status, std::string_view what);

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_RAW_STORE_H_
