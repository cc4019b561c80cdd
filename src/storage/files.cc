// The table files of a store: listing, rewriting and dropping them.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rocksdb/convenience.h"
#include "rocksdb/metadata.h"
#include "rocksdb/table_properties.h"
#include "src/storage/expiry_collector.h"
#include "src/storage/store.h"

namespace tokendb {
namespace {

std::string_view BaseName(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

absl::StatusOr<std::vector<Store::File>> Store::Files(
    Family family, const Cutoff& cutoff) const {
  rocksdb::TablePropertiesCollection properties;
  const rocksdb::Status status =
      db_->GetPropertiesOfAllTables(Handle(family), &properties);
  if (!status.ok()) return FromRocksDb(status, "properties of files");
  std::map<std::string_view, const rocksdb::TableProperties*> by_name;
  for (const auto& [path, table] : properties) {
    by_name[BaseName(path)] = table.get();
  }
  rocksdb::ColumnFamilyMetaData metadata;
  db_->GetColumnFamilyMetaData(Handle(family), &metadata);
  std::vector<File> files;
  for (const rocksdb::LevelMetaData& level : metadata.levels) {
    for (const rocksdb::SstFileMetaData& sst : level.files) {
      File& file = files.emplace_back();
      file.name = sst.name;
      file.level = level.level;
      file.bytes = sst.size;
      file.last_key = sst.largestkey;
      const auto it = by_name.find(BaseName(sst.name));
      if (it == by_name.end()) continue;  // Newer than the properties.
      const auto histogram = FindExpiryHistogram(*it->second);
      if (!histogram.has_value() || histogram->total_bytes() == 0) continue;
      file.forgotten_part =
          static_cast<double>(histogram->ForgottenBytes(cutoff)) /
          static_cast<double>(histogram->total_bytes());
    }
  }
  return files;
}

int Store::LastLevel(Family family) const {
  rocksdb::ColumnFamilyMetaData metadata;
  db_->GetColumnFamilyMetaData(Handle(family), &metadata);
  int last = 0;
  for (const rocksdb::LevelMetaData& level : metadata.levels) {
    if (!level.files.empty()) last = std::max(last, level.level);
  }
  return last > 0 ? last : db_->NumberLevels(Handle(family)) - 1;
}

absl::StatusOr<bool> Store::RewriteFile(Family family, const File& file,
                                        int level) {
  rocksdb::CompactionOptions options;
  options.compression = rocksdb::kDisableCompressionOption;  // The family's.
  options.output_file_size_limit =
      db_->GetOptions(Handle(family)).target_file_size_base;
  const rocksdb::Status status =
      db_->CompactFiles(options, Handle(family), {file.name}, level);
  // Another compaction has it, or had it.
  if (status.IsAborted() || status.IsInvalidArgument() || status.IsNotFound()) {
    return false;
  }
  if (!status.ok()) return FromRocksDb(status, "rewriting of a file");
  return true;
}

absl::Status Store::DropFilesWithin(Family family,
                                    absl::Span<const KeyRange> ranges) {
  std::vector<rocksdb::Slice> bounds;
  bounds.reserve(2 * ranges.size());  // Pointed to below.
  std::vector<rocksdb::RangePtr> pointers;
  for (const KeyRange& range : ranges) {
    bounds.push_back(ToSlice(range.lower));
    bounds.push_back(ToSlice(range.upper));
    pointers.emplace_back(&bounds[bounds.size() - 2], &bounds.back());
  }
  return FromRocksDb(
      rocksdb::DeleteFilesInRanges(db_.get(), Handle(family), pointers.data(),
                                   pointers.size(), /*include_end=*/false),
      "dropping of files");
}

absl::Status Store::CompactWithin(Family family, const KeyRange& range) {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction =
      rocksdb::BottommostLevelCompaction::kForceOptimized;
  const rocksdb::Slice lower = ToSlice(range.lower);
  const rocksdb::Slice upper = ToSlice(range.upper);
  return FromRocksDb(db_->CompactRange(options, Handle(family), &lower, &upper),
                     "compaction");
}

bool Store::HasUnflushedEntries() const {
  return std::any_of(kFamilies.begin(), kFamilies.end(), [&](Family family) {
    uint64_t entries = 0;
    return family != Family::kMeta &&
           db_->GetIntProperty(
               Handle(family),
               rocksdb::DB::Properties::kNumEntriesActiveMemTable, &entries) &&
           entries > 0;
  });
}

}  // namespace tokendb
