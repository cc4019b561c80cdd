#ifndef TOKENDB_SRC_STORAGE_STORE_LOADER_H_
#define TOKENDB_SRC_STORAGE_STORE_LOADER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/storage/entry_buffer.h"
#include "src/storage/family.h"
#include "src/storage/load_entry.h"
#include "src/storage/run_file.h"
#include "src/storage/store.h"
#include "src/storage/table_writer.h"

namespace tokendb {

// Sorts entries that come in any order, however many they are, into table files
// and adds those to the store at once.
//
// Entries fill a buffer. A full one is sorted and written to a run file in the
// background while the next one fills. At the end the runs and what is still in
// memory are merged section by section, two sections at a time. If all fits
// into one buffer there are no run files.
//
// Not thread-safe. Nothing is in the store until Finish() returns OK; the files
// are in Store::LoadDirectory(), and go with the loader.
class StoreLoader {
 public:
  struct Options {
    // About what buffers may take. At least 64 KiB are used.
    size_t memory_bytes = 0;

    // A section is a part of a family that no other section's keys lie
    // within. Keys of the stat family are numbers that are added up; of all
    // other families a key must come once.
    std::vector<Family> sections;

    // Makes an error of a key that came twice.
    std::function<absl::Status(Family, std::string_view key, uint64_t label,
                               uint64_t other_label)>
        duplicate;

    // Ends the load once it is true. Null: never.
    const std::atomic<bool>* stop = nullptr;
  };

  // The store must outlive the loader.
  static absl::StatusOr<std::unique_ptr<StoreLoader>> Create(Store& store,
                                                             Options options);
  ~StoreLoader();
  StoreLoader(const StoreLoader&) = delete;
  StoreLoader& operator=(const StoreLoader&) = delete;

  // After an error the loader is of no more use.
  absl::Status Add(size_t section, const LoadEntry& entry);

  struct Result {
    uint64_t entries = 0;
    uint64_t files = 0;
    uint64_t bytes = 0;
  };
  // Builds the files and adds them, a single time. `progress` is called now and
  // then, from this thread, with the number of entries in files;
  // `publish_begins` when all are.
  absl::StatusOr<Result> Finish(absl::FunctionRef<void(uint64_t)> progress,
                                absl::FunctionRef<void()> publish_begins);

 private:
  StoreLoader(Store& store, Options options);

  absl::Status CheckStop() const;

  // Runs.
  absl::Status Spill();
  absl::Status AwaitSpill();
  absl::StatusOr<SortedRun> WriteRun(EntryBuffer& buffer,
                                     const std::string& path);
  absl::Status MergeRuns();
  absl::StatusOr<std::unique_ptr<EntrySource>> SourceOf(
      size_t section, absl::Span<const SortedRun> runs,
      const EntryBuffer* buffer);
  std::string NextRunPath();

  // Files.
  absl::Status BuildAll(absl::FunctionRef<void(uint64_t)> progress);
  void BuildSome();
  absl::Status Build(size_t section);
  absl::Status Copy(EntrySource& source, TableWriter& writer);

  Store& store_;
  const Options options_;
  const size_t buffer_bytes_;
  // Of the buffers of one file each.
  const size_t file_buffer_bytes_;

  std::unique_ptr<EntryBuffer> filling_;
  std::unique_ptr<EntryBuffer> spilling_;
  std::future<absl::StatusOr<SortedRun>> spill_;
  std::vector<SortedRun> runs_;
  size_t runs_named_ = 0;

  std::vector<std::unique_ptr<TableWriter>> writers_;  // By section.
  std::vector<absl::Status> built_;
  std::vector<size_t> order_;  // The largest sections first.
  std::atomic<size_t> next_in_order_ = 0;
  std::atomic<uint64_t> entries_ = 0;
  std::atomic<bool> failed_ = false;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_STORE_LOADER_H_
