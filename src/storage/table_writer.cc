#include "src/storage/table_writer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "src/base/status_macros.h"

namespace tokendb {
namespace {

constexpr uint64_t kFileBytes = uint64_t{64} << 20;

}  // namespace

TableWriter::TableWriter(const Store& store, Family family, std::string prefix)
    : family_(family),
      prefix_(std::move(prefix)),
      writer_(rocksdb::EnvOptions(store.db_->GetDBOptions()),
              store.db_->GetOptions(store.Handle(family)), store.Handle(family),
              /*invalidate_page_cache=*/false) {}

absl::Status TableWriter::Put(std::string_view key, std::string_view value) {
  if (!open_) {
    const std::string path = absl::StrCat(prefix_, files_.size(), ".sst");
    const rocksdb::Status status = writer_.Open(path);
    if (!status.ok()) return FromRocksDb(status, "cannot make a table file");
    files_.push_back(path);
    open_ = true;
  }
  const rocksdb::Status status = writer_.Put(ToSlice(key), ToSlice(value));
  if (!status.ok()) return FromRocksDb(status, "write of a table file");
  return writer_.FileSize() < kFileBytes ? absl::OkStatus() : Finish();
}

absl::Status TableWriter::Finish() {
  if (!open_) return absl::OkStatus();
  open_ = false;
  rocksdb::ExternalSstFileInfo info;
  RETURN_IF_ERROR(FromRocksDb(writer_.Finish(&info), "end of a table file"));
  bytes_ += info.file_size;
  return absl::OkStatus();
}

}  // namespace tokendb
