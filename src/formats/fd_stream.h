// Streams on file descriptors: standard C++ offers none.
#ifndef TOKENDB_SRC_FORMATS_FD_STREAM_H_
#define TOKENDB_SRC_FORMATS_FD_STREAM_H_

#include <array>
#include <ios>
#include <memory>
#include <streambuf>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tokendb {

// Reads from or writes to (not both) a descriptor, which it closes.
class FdStreambuf : public std::streambuf {
 public:
  explicit FdStreambuf(int fd) : fd_(fd) {}
  ~FdStreambuf() override;
  FdStreambuf(const FdStreambuf&) = delete;
  FdStreambuf& operator=(const FdStreambuf&) = delete;

  int fd() const { return fd_; }

  // Whether reading failed, which a streambuf can only show as an end.
  bool failed() const { return failed_; }

 protected:
  int_type underflow() override;
  int_type overflow(int_type c) override;
  // Input only: tells where it is, and goes to where it was.
  pos_type seekoff(off_type offset, std::ios_base::seekdir from,
                   std::ios_base::openmode which) override;
  pos_type seekpos(pos_type position, std::ios_base::openmode which) override;
  int sync() override;

 private:
  bool WriteBuffer();

  const int fd_;
  bool failed_ = false;
  std::array<char, 65536> buffer_;
};

// Opens a file for reading twice. "-" is standard input; it and other input
// that cannot be rewound (pipes) are copied to a temporary file that has no
// name and that only this user may read. NotFound, PermissionDenied,
// Unavailable.
absl::StatusOr<std::unique_ptr<FdStreambuf>> OpenInput(const std::string& path);

// A file that takes its name when it is complete. Until then it is a temporary
// file beside it, which goes if Commit() is not called. Only this user may read
// either.
class OutputFile {
 public:
  static absl::StatusOr<std::unique_ptr<OutputFile>> Create(
      const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  std::streambuf& buffer() { return buffer_; }

  // Makes the contents durable, then gives the file its name.
  absl::Status Commit();

 private:
  OutputFile(int fd, std::string path, std::string temporary)
      : buffer_(fd), path_(std::move(path)), temporary_(std::move(temporary)) {}

  FdStreambuf buffer_;
  const std::string path_;
  std::string temporary_;  // Empty once committed.
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_FORMATS_FD_STREAM_H_
