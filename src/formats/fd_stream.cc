#include "src/formats/fd_stream.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tokendb {
namespace {

absl::Status Errno(const std::string& path) {
  return absl::ErrnoToStatus(errno, path);
}

// Copies all of `from` to a new file without a name.
absl::StatusOr<std::unique_ptr<FdStreambuf>> Spool(FdStreambuf& from) {
  const char* folder = ::getenv("TMPDIR");
  std::string name =
      absl::StrCat(folder != nullptr && *folder != '\0' ? folder : "/tmp",
                   "/tokendb-XXXXXX");
  const int fd = ::mkstemp(name.data());  // Mode 0600.
  if (fd < 0) return Errno(name);
  auto spool = std::make_unique<FdStreambuf>(fd);
  if (::unlink(name.c_str()) != 0) return Errno(name);
  while (from.sgetc() != std::char_traits<char>::eof()) {
    const std::streamsize size = from.in_avail();
    std::string chunk(static_cast<size_t>(size), '\0');
    from.sgetn(chunk.data(), size);
    if (spool->sputn(chunk.data(), size) != size) return Errno(name);
  }
  if (from.failed()) return absl::UnavailableError("cannot read the input");
  if (spool->pubsync() != 0) return Errno(name);
  // A buffer that was written to is not read from.
  const int again = ::dup(fd);
  if (again < 0 || ::lseek(again, 0, SEEK_SET) != 0) return Errno(name);
  return std::make_unique<FdStreambuf>(again);
}

}  // namespace

FdStreambuf::~FdStreambuf() {
  // What could not be written is known from an earlier sync().
  WriteBuffer();
  ::close(fd_);
}

FdStreambuf::pos_type FdStreambuf::seekoff(off_type offset,
                                           std::ios_base::seekdir from,
                                           std::ios_base::openmode which) {
  const pos_type failure(off_type(-1));
  if ((which & std::ios_base::in) == 0 || offset != 0) return failure;
  if (from == std::ios_base::beg) return seekpos(0, which);
  if (from != std::ios_base::cur) return failure;
  const off_t read = ::lseek(fd_, 0, SEEK_CUR);
  return read < 0 ? failure : pos_type(read - (egptr() - gptr()));
}

FdStreambuf::pos_type FdStreambuf::seekpos(pos_type position,
                                           std::ios_base::openmode which) {
  const pos_type failure(off_type(-1));
  if ((which & std::ios_base::in) == 0) return failure;
  setg(nullptr, nullptr, nullptr);
  return ::lseek(fd_, position, SEEK_SET) < 0 ? failure : position;
}

FdStreambuf::int_type FdStreambuf::underflow() {
  ssize_t size = 0;
  do {
    size = ::read(fd_, buffer_.data(), buffer_.size());
  } while (size < 0 && errno == EINTR);
  if (size < 0) failed_ = true;
  if (size <= 0) return traits_type::eof();
  setg(buffer_.data(), buffer_.data(), buffer_.data() + size);
  return traits_type::to_int_type(buffer_.front());
}

bool FdStreambuf::WriteBuffer() {
  const char* at = pbase();
  while (at < pptr()) {
    const ssize_t size = ::write(fd_, at, static_cast<size_t>(pptr() - at));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) {
      failed_ = true;
      return false;
    }
    at += size;
  }
  setp(buffer_.data(), buffer_.data() + buffer_.size());
  return true;
}

FdStreambuf::int_type FdStreambuf::overflow(int_type c) {
  if (!WriteBuffer()) return traits_type::eof();
  if (!traits_type::eq_int_type(c, traits_type::eof())) {
    sputc(traits_type::to_char_type(c));
  }
  return traits_type::not_eof(c);
}

int FdStreambuf::sync() {
  // A buffer that is read from has no place to write.
  if (pbase() == nullptr) return 0;
  return WriteBuffer() ? 0 : -1;
}

absl::StatusOr<std::unique_ptr<FdStreambuf>> OpenInput(
    const std::string& path) {
  const int fd =
      path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY);
  if (fd < 0) return Errno(path);
  auto input = std::make_unique<FdStreambuf>(fd);
  struct stat info;
  if (::fstat(fd, &info) != 0) return Errno(path);
  if (S_ISDIR(info.st_mode)) {
    errno = EISDIR;
    return Errno(path);
  }
  // Standard input may be a file someone has read a part of.
  if (S_ISREG(info.st_mode) && path != "-") return input;
  return Spool(*input);
}

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFile::Create(
    const std::string& path) {
  std::string temporary = absl::StrCat(path, ".XXXXXX");
  const int fd = ::mkstemp(temporary.data());  // Mode 0600.
  if (fd < 0) return Errno(path);
  return std::unique_ptr<OutputFile>(
      new OutputFile(fd, path, std::move(temporary)));
}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

absl::Status OutputFile::Commit() {
  if (buffer_.pubsync() != 0 || ::fsync(buffer_.fd()) != 0 ||
      ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return Errno(path_);
  }
  temporary_.clear();
  return absl::OkStatus();
}

}  // namespace tokendb
