// Sorted entries that did not fit into memory: one file with all sections of
// what was in memory at the time, one after the other.
#ifndef TOKENDB_SRC_STORAGE_RUN_FILE_H_
#define TOKENDB_SRC_STORAGE_RUN_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/storage/load_entry.h"

namespace tokendb {

struct SortedRun {
  std::string path;

  // Where a section lies in the file.
  struct Section {
    uint64_t begin = 0;
    uint64_t end = 0;
    uint32_t checksum = 0;  // CRC-32C.
  };
  std::vector<Section> sections;
};

class RunWriter {
 public:
  // Makes the file `path`, which only this user may read.
  static absl::StatusOr<std::unique_ptr<RunWriter>> Create(
      const std::string& path, size_t buffer_bytes);
  ~RunWriter();
  RunWriter(const RunWriter&) = delete;
  RunWriter& operator=(const RunWriter&) = delete;

  // Appends an entry, as EncodeLoadEntry() makes it, to the section.
  absl::Status Append(const char* encoded);
  absl::Status Append(const LoadEntry& entry);
  absl::Status EndSection();

  // The sections so far.
  const SortedRun& run() const { return run_; }

 private:
  RunWriter(int fd, const std::string& path, size_t buffer_bytes);
  absl::Status WriteBuffer();
  absl::Status Reserve(size_t bytes);

  const int fd_;
  SortedRun run_;
  SortedRun::Section section_;
  std::vector<char> buffer_;
  size_t used_ = 0;
};

// The entries of a section. Its checksum is tested when it has been read; an
// error is then the status.
class RunSource final : public EntrySource {
 public:
  static absl::StatusOr<std::unique_ptr<RunSource>> Open(const SortedRun& run,
                                                         size_t section,
                                                         size_t buffer_bytes);
  ~RunSource() override;
  RunSource(const RunSource&) = delete;
  RunSource& operator=(const RunSource&) = delete;

  bool Next() override;
  absl::Status status() const override { return status_; }

 private:
  RunSource(int fd, const SortedRun& run, size_t section, size_t buffer_bytes);

  // Reads on until `bytes` are there. False, also with an OK status, if they
  // are not.
  bool Need(size_t bytes);
  bool Fail();

  const int fd_;
  const std::string path_;
  const SortedRun::Section section_;
  uint64_t offset_;  // Of what is read next.
  std::vector<char> buffer_;
  size_t begin_ = 0;  // Of what is unread in the buffer.
  size_t end_ = 0;
  uint32_t checksum_ = 0;
  absl::Status status_;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_RUN_FILE_H_
