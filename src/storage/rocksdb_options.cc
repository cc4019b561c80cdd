#include "src/storage/rocksdb_options.h"

#include "rocksdb/filter_policy.h"
#include "rocksdb/table.h"
#include "src/storage/add_operator.h"

namespace tokendb {
namespace {

// Point reads want small blocks; ranges are read on, and larger blocks
// compress better.
constexpr size_t kPointBlockBytes = size_t{4} << 10;
constexpr size_t kRangeBlockBytes = size_t{8} << 10;
constexpr double kFilterBitsPerKey = 10;
constexpr size_t kInfoLogs = 2;
constexpr size_t kBytesPerSync = size_t{1} << 20;

}  // namespace

rocksdb::DBOptions MakeDbOptions(const OpenOptions& options) {
  rocksdb::DBOptions db;
  db.paranoid_checks = true;
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  db.max_open_files = -1;
  db.max_background_jobs = 2;
  db.db_write_buffer_size = options.write_buffer_bytes;
  // Families that are seldom written would otherwise hold on to old logs.
  db.max_total_wal_size = 4 * options.write_buffer_bytes;
  db.bytes_per_sync = kBytesPerSync;
  db.wal_bytes_per_sync = kBytesPerSync;
  db.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  db.keep_log_file_num = kInfoLogs;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  // The kernel reads ahead for compactions.
  db.compaction_readahead_size = 0;
  // OPTIONS files are for people; nothing reads them.
  db.fail_if_options_file_error = false;
  db.write_dbid_to_manifest = false;

  // Each of these has lost data in a version we support, or is not tested
  // together with what we use.
  db.atomic_flush = false;
  db.wal_compression = rocksdb::CompressionType::kNoCompression;
  db.track_and_verify_wals_in_manifest = false;
  db.recycle_log_file_num = 0;
  db.manual_wal_flush = false;
  db.unordered_write = false;
  db.enable_pipelined_write = false;
  db.two_write_queues = false;
  return db;
}

rocksdb::ColumnFamilyOptions MakeFamilyOptions(
    Family family, const OpenOptions& options,
    const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.format_version = 5;
  table.checksum = rocksdb::ChecksumType::kXXH3;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = false;
  table.optimize_filters_for_memory = false;
  table.index_type = rocksdb::BlockBasedTableOptions::kBinarySearch;
  if (family == Family::kIndex) {
    table.block_size = kRangeBlockBytes;
  } else {
    table.block_size = kPointBlockBytes;
    table.whole_key_filtering = true;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kFilterBitsPerKey));
  }

  rocksdb::ColumnFamilyOptions cf;
  cf.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  cf.compression = rocksdb::CompressionType::kLZ4Compression;
  cf.compaction_style = rocksdb::CompactionStyle::kCompactionStyleLevel;
  cf.level_compaction_dynamic_level_bytes = true;
  cf.write_buffer_size = options.write_buffer_bytes / 2;
  cf.max_write_buffer_number = 3;
  cf.enable_blob_files = false;
  if (family == Family::kStat) cf.merge_operator = MakeAddOperator();
  return cf;
}

}  // namespace tokendb
