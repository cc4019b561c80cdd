#ifndef TOKENDB_TESTS_SUPPORT_TEMP_DIR_H_
#define TOKENDB_TESTS_SUPPORT_TEMP_DIR_H_

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace tokendb::testing {

// A folder of its own for a test, removed with all it holds.
class TempDir {
 public:
  TempDir() {
    path_ =
        (std::filesystem::temp_directory_path() / "tokendb-XXXXXX").string();
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~TempDir() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const {
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

}  // namespace tokendb::testing

#endif  // TOKENDB_TESTS_SUPPORT_TEMP_DIR_H_
