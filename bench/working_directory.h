#ifndef TOKENDB_BENCH_WORKING_DIRECTORY_H_
#define TOKENDB_BENCH_WORKING_DIRECTORY_H_

#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace tokendb::bench {

// A new directory that is removed in the end.
class WorkingDirectory {
 public:
  explicit WorkingDirectory(const std::string& parent)
      : path_(parent + "/tokendb_bench.XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) {
      std::perror(path_.c_str());
      std::exit(EXIT_FAILURE);
    }
  }
  ~WorkingDirectory() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  WorkingDirectory(const WorkingDirectory&) = delete;
  WorkingDirectory& operator=(const WorkingDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A directory, not made yet, that exists only as long as this.
class FreshDirectory {
 public:
  explicit FreshDirectory(std::string path) : path_(std::move(path)) {
    std::filesystem::remove_all(path_);
  }
  ~FreshDirectory() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  FreshDirectory(const FreshDirectory&) = delete;
  FreshDirectory& operator=(const FreshDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_WORKING_DIRECTORY_H_
