#include "src/storage/run_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "src/base/crc32c.h"
#include "src/base/status_macros.h"
#include "src/storage/status.h"

namespace tokendb {
namespace {

constexpr mode_t kFileMode = 0600;

}  // namespace

// --- Writing ---

RunWriter::RunWriter(int fd, const std::string& path, size_t buffer_bytes)
    : fd_(fd), run_{.path = path, .sections = {}}, buffer_(buffer_bytes) {}

RunWriter::~RunWriter() { close(fd_); }

absl::StatusOr<std::unique_ptr<RunWriter>> RunWriter::Create(
    const std::string& path, size_t buffer_bytes) {
  const int fd =
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
  if (fd < 0) return FromErrno("cannot create", path);
  return std::unique_ptr<RunWriter>(new RunWriter(fd, path, buffer_bytes));
}

absl::Status RunWriter::WriteBuffer() {
  section_.checksum = ExtendCrc32c(section_.checksum, {buffer_.data(), used_});
  for (size_t written = 0; written < used_;) {
    const ssize_t n = write(fd_, buffer_.data() + written, used_ - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FromErrno("cannot write", run_.path);
    written += static_cast<size_t>(n);
  }
  section_.end += used_;
  used_ = 0;
  return absl::OkStatus();
}

absl::Status RunWriter::Reserve(size_t bytes) {
  if (bytes > buffer_.size() - used_) {
    RETURN_IF_ERROR(WriteBuffer());
    if (bytes > buffer_.size()) buffer_.resize(bytes);
  }
  return absl::OkStatus();
}

absl::Status RunWriter::Append(const char* encoded) {
  const size_t bytes = LoadEntryHeaderAt(encoded).total_bytes();
  RETURN_IF_ERROR(Reserve(bytes));
  std::memcpy(buffer_.data() + used_, encoded, bytes);
  used_ += bytes;
  return absl::OkStatus();
}

absl::Status RunWriter::Append(const LoadEntry& entry) {
  RETURN_IF_ERROR(Reserve(entry.encoded_bytes()));
  EncodeLoadEntry(entry, buffer_.data() + used_);
  used_ += entry.encoded_bytes();
  return absl::OkStatus();
}

absl::Status RunWriter::EndSection() {
  RETURN_IF_ERROR(WriteBuffer());
  run_.sections.push_back(section_);
  section_ = {.begin = section_.end, .end = section_.end};
  return absl::OkStatus();
}

// --- Reading ---

RunSource::RunSource(int fd, const SortedRun& run, size_t section,
                     size_t buffer_bytes)
    : fd_(fd),
      path_(run.path),
      section_(run.sections[section]),
      offset_(section_.begin),
      buffer_(buffer_bytes) {}

RunSource::~RunSource() { close(fd_); }

absl::StatusOr<std::unique_ptr<RunSource>> RunSource::Open(
    const SortedRun& run, size_t section, size_t buffer_bytes) {
  const int fd = open(run.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FromErrno("cannot open", run.path);
  return std::unique_ptr<RunSource>(
      new RunSource(fd, run, section, buffer_bytes));
}

bool RunSource::Need(size_t bytes) {
  if (end_ - begin_ >= bytes) return true;
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  if (bytes > section_.end - offset_ + end_) return false;
  if (bytes > buffer_.size()) buffer_.resize(bytes);
  while (end_ < bytes) {
    const size_t wanted =
        std::min<uint64_t>(buffer_.size() - end_, section_.end - offset_);
    const ssize_t n =
        pread(fd_, buffer_.data() + end_, wanted, static_cast<off_t>(offset_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) status_ = FromErrno("cannot read", path_);
    if (n <= 0) return false;
    const auto read = static_cast<size_t>(n);
    checksum_ = ExtendCrc32c(checksum_, {buffer_.data() + end_, read});
    end_ += read;
    offset_ += read;
  }
  return true;
}

bool RunSource::Fail() {
  if (status_.ok()) {
    status_ =
        absl::DataLossError(absl::StrCat(path_, " is not as it was written"));
  }
  return false;
}

bool RunSource::Next() {
  if (!status_.ok()) return false;
  if (begin_ == end_ && offset_ == section_.end) {
    return checksum_ == section_.checksum ? false : Fail();
  }
  if (!Need(sizeof(LoadEntryHeader))) return Fail();
  const size_t bytes = LoadEntryHeaderAt(buffer_.data() + begin_).total_bytes();
  if (!Need(bytes)) return Fail();
  entry_ = DecodeLoadEntry(buffer_.data() + begin_);
  begin_ += bytes;
  return true;
}

}  // namespace tokendb
