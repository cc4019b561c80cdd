// Opening and creating a store.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "rocksdb/cache.h"
#include "src/base/status_macros.h"
#include "src/storage/change_filter.h"
#include "src/storage/expiry_collector.h"
#include "src/storage/expiry_filter.h"
#include "src/storage/rocksdb_options.h"
#include "src/storage/store.h"

namespace tokendb {
namespace {

constexpr mode_t kDirectoryMode = 0700;

enum class Present : uint8_t { kNothing, kDatabase, kSomethingElse };

// What is at `path`: an empty directory counts as nothing.
absl::StatusOr<Present> LookAt(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return Present::kNothing;
  }
  if (error) {
    return absl::InternalError(absl::StrCat(path, ": ", error.message()));
  }
  if (!std::filesystem::is_directory(status)) return Present::kSomethingElse;
  if (std::filesystem::exists(path + "/CURRENT", error)) {
    return Present::kDatabase;
  }
  return std::filesystem::is_empty(path, error) ? Present::kNothing
                                                : Present::kSomethingElse;
}

absl::Status SyncDirectory(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FromErrno("cannot open", path);
  const int result = fsync(fd);
  close(fd);
  return result == 0 ? absl::OkStatus() : FromErrno("cannot sync", path);
}

absl::Status OpenError(const rocksdb::Status& status, const std::string& path) {
  const std::string text = status.ToString();
  if (status.IsIOError() && text.find("lock") != std::string::npos) {
    return absl::UnavailableError(
        absl::StrCat(path, " is open elsewhere: ", text));
  }
  if (status.IsInvalidArgument()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is not a tokendb database: ", text));
  }
  return FromRocksDb(status, absl::StrCat("cannot open ", path));
}

struct Opened {
  std::unique_ptr<rocksdb::DB> db;
  // The default family first, then those of kFamilies.
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
};

// What an open store drops in compactions.
struct Dropping {
  const EntryReader& reader;
  const SharedCutoff& cutoff;
  const SharedDeadPrefixes& dead;
  const std::atomic<uint64_t>& change_floor;
};

void AddDropping(Family family, const Dropping& dropping,
                 rocksdb::ColumnFamilyOptions& cf) {
  if (family == Family::kMeta) return;
  if (family == Family::kChange) {
    cf.compaction_filter_factory =
        MakeChangeFilterFactory(dropping.change_floor);
    return;
  }
  cf.compaction_filter_factory = MakeExpiryFilterFactory(
      family, dropping.reader, dropping.cutoff, dropping.dead);
  cf.table_properties_collector_factories.push_back(
      MakeExpiryCollectorFactory(family, dropping.reader));
}

// Whether the database at `path` is one that was made before there was a change
// family, and lacks nothing else. What cannot be read is for opening to report.
bool LacksOnlyChanges(const rocksdb::DBOptions& options,
                      const std::string& path) {
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies(options, path, &names).ok()) {
    return false;
  }
  const std::set<std::string> present(names.begin(), names.end());
  return std::all_of(kFamilies.begin(), kFamilies.end(), [&](Family family) {
    return present.contains(std::string(FamilyName(family))) ==
           (family != Family::kChange);
  });
}

// Without `dropping` nothing is dropped.
absl::StatusOr<Opened> OpenRocksDb(const std::string& path,
                                   const OpenOptions& options, bool create,
                                   const Dropping* dropping) {
  rocksdb::LRUCacheOptions cache_options;
  cache_options.capacity = options.cache_bytes;
  const std::shared_ptr<rocksdb::Cache> cache =
      rocksdb::NewLRUCache(cache_options);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName,
                        MakeFamilyOptions(Family::kMeta, options, cache));
  for (const Family family : kFamilies) {
    rocksdb::ColumnFamilyOptions cf = MakeFamilyOptions(family, options, cache);
    if (dropping != nullptr) AddDropping(family, *dropping, cf);
    families.emplace_back(std::string(FamilyName(family)), cf);
  }
  rocksdb::DBOptions db_options = MakeDbOptions(options);
  db_options.create_if_missing = create;
  // Other families that are missing are a damage, or another program's
  // database, and nothing to be mended here.
  db_options.create_missing_column_families =
      create || LacksOnlyChanges(db_options, path);
  Opened opened;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(db_options, path, families, &opened.handles, &db);
  if (!status.ok()) return OpenError(status, path);
  opened.db.reset(db);
  return opened;
}

// Creates an empty store at `path`, whole or not at all: it is made beside its
// place and then moved there. A half-made one of an earlier attempt is
// completed.
absl::Status Create(const std::string& path, const OpenOptions& options) {
  const std::string making = path + ".creating";
  if (mkdir(making.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    return FromErrno("cannot create", making);
  }
  ASSIGN_OR_RETURN(Opened opened, OpenRocksDb(making, options, true, nullptr));
  for (rocksdb::ColumnFamilyHandle* handle : opened.handles) {
    opened.db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  const rocksdb::Status closed = opened.db->Close();
  if (!closed.ok()) return FromRocksDb(closed, "cannot create a database");
  opened.db.reset();
  if (rename(making.c_str(), path.c_str()) != 0) {
    return FromErrno("cannot create", path);
  }
  const std::filesystem::path parent =
      std::filesystem::path(path).parent_path();
  return SyncDirectory(parent.empty() ? "." : parent.string());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> Store::Open(std::string_view path,
                                                   const OpenOptions& options,
                                                   const EntryReader& reader) {
  // A trailing slash would put the new database inside the old directory.
  std::string directory(path);
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  if (directory.empty()) {
    return absl::InvalidArgumentError("the database path is empty");
  }
  ASSIGN_OR_RETURN(const Present present, LookAt(directory));
  if (present == Present::kSomethingElse) {
    return absl::InvalidArgumentError(
        absl::StrCat(directory, " exists and is not a tokendb database"));
  }
  if (present == Present::kNothing) {
    if (options.create_mode == CreateMode::kOpenExisting) {
      return absl::NotFoundError(
          absl::StrCat("there is no database at ", directory));
    }
    RETURN_IF_ERROR(Create(directory, options));
  }
  std::unique_ptr<Store> store(new Store(reader));
  const Dropping dropping{store->reader_, store->cutoff_, store->dead_prefixes_,
                          store->change_floor_};
  ASSIGN_OR_RETURN(Opened opened,
                   OpenRocksDb(directory, options, false, &dropping));
  store->db_ = std::move(opened.db);
  store->default_handle_ = opened.handles.front();
  std::copy(opened.handles.begin() + 1, opened.handles.end(),
            store->handles_.begin());
  store->opened_state_ = store->CurrentState();
  store->LookForEntries();
  RETURN_IF_ERROR(store->RemoveLoadDirectory());
  return store;
}

}  // namespace tokendb
