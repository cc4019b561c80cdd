// Adding whole table files to a store.
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "rocksdb/options.h"
#include "src/base/status_macros.h"
#include "src/storage/store.h"

namespace tokendb {

std::string Store::LoadDirectory() const {
  return absl::StrCat(db_->GetName(), "/bulk");
}

absl::Status Store::RemoveLoadDirectory() {
  std::error_code error;
  std::filesystem::remove_all(LoadDirectory(), error);
  if (!error) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("cannot remove ", LoadDirectory(), ": ", error.message()));
}

absl::Status Store::AddTables(absl::Span<const Tables> tables) {
  // Files added to a store that never was written to get the sequence number
  // 0, at which a snapshot sees nothing and a compaction drops everything.
  if (LastSequence() == 0) {
    return absl::FailedPreconditionError(
        "table files are added to a store without any entry");
  }
  std::vector<rocksdb::IngestExternalFileArg> arguments;
  for (const Family family : kFamilies) {
    rocksdb::IngestExternalFileArg argument;
    argument.column_family = Handle(family);
    argument.options.move_files = true;
    argument.options.write_global_seqno = false;
    for (const Tables& each : tables) {
      if (each.family != family) continue;
      argument.external_files.insert(argument.external_files.end(),
                                     each.files.begin(), each.files.end());
    }
    if (!argument.external_files.empty()) {
      arguments.push_back(std::move(argument));
    }
  }
  // Entries in the files may rest on earlier writes that were not synced.
  RETURN_IF_ERROR(FromRocksDb(db_->FlushWAL(/*sync=*/true), "sync of the log"));
  if (arguments.empty()) return absl::OkStatus();
  return FromRocksDb(db_->IngestExternalFiles(arguments),
                     "adding of table files");
}

}  // namespace tokendb
