#ifndef TOKENDB_SRC_STORAGE_TABLE_WRITER_H_
#define TOKENDB_SRC_STORAGE_TABLE_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "rocksdb/sst_file_writer.h"
#include "src/storage/family.h"
#include "src/storage/store.h"

namespace tokendb {

// Writes entries into table files of about 64 MiB, with the options of their
// family: the same filters, compression and properties as in files that
// compactions make. Several writers may be used at once. Not thread-safe.
class TableWriter {
 public:
  // The files' paths begin with `prefix`. The store must outlive the writer.
  TableWriter(const Store& store, Family family, std::string prefix);

  // Keys must ascend.
  absl::Status Put(std::string_view key, std::string_view value);

  // Completes the last file and makes it durable.
  absl::Status Finish();

  Family family() const { return family_; }
  const std::vector<std::string>& files() const { return files_; }
  uint64_t bytes() const { return bytes_; }

 private:
  const Family family_;
  const std::string prefix_;
  rocksdb::SstFileWriter writer_;
  bool open_ = false;
  std::vector<std::string> files_;
  uint64_t bytes_ = 0;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_TABLE_WRITER_H_
