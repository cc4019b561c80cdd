#include "bench/peers/machine.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace tokendb::bench {
namespace {

// What follows `name` on its line of a file under /proc.
std::string FieldOf(const std::string& path, std::string_view name) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::string_view rest = line;
    if (!rest.starts_with(name)) continue;
    rest.remove_prefix(name.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t:"), rest.size()));
    return std::string(rest);
  }
  return {};
}

}  // namespace

std::string DescribeMachine() {
  uint64_t kib = 0;
  std::istringstream(FieldOf("/proc/meminfo", "MemTotal")) >> kib;
  return absl::StrCat(FieldOf("/proc/cpuinfo", "model name"), ", ",
                      std::thread::hardware_concurrency(), " cores, ",
                      kib >> 20, " GiB of memory");
}

std::string FirstLineOf(const std::string& command) {
  std::FILE* const output = popen(command.c_str(), "r");
  if (output == nullptr) return {};
  char line[256] = "";
  const bool read = std::fgets(line, sizeof(line), output) != nullptr;
  const bool ok = pclose(output) == 0;
  if (!read || !ok) return {};
  return std::string(absl::StripSuffix(line, "\n"));
}

uint64_t DirectoryBytes(const std::string& path) {
  uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator it(path, error), end;
       it != end; it.increment(error)) {
    struct stat status;
    // Files may vanish meanwhile.
    if (lstat(it->path().c_str(), &status) != 0) continue;
    // In blocks, since files may have holes.
    if (S_ISREG(status.st_mode)) bytes += status.st_blocks * uint64_t{512};
  }
  return bytes;
}

uint64_t ProcessBytesWritten(pid_t pid) {
  uint64_t bytes = 0;
  std::istringstream(
      FieldOf(absl::StrCat("/proc/", pid, "/io"), "write_bytes")) >>
      bytes;
  return bytes;
}

uint64_t ProcessTreeBytesWritten(pid_t pid) {
  // What ended children wrote is in the numbers of their parent.
  uint64_t bytes = ProcessBytesWritten(pid);
  std::ifstream children(
      absl::StrCat("/proc/", pid, "/task/", pid, "/children"));
  pid_t child = 0;
  while (children >> child) bytes += ProcessTreeBytesWritten(child);
  return bytes;
}

double ProcessTreeSeconds(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string line;
  std::getline(file, line);
  // The name, in parentheses, may hold spaces; utime is the 12th field behind.
  std::istringstream fields(
      line.substr(std::min(line.rfind(')') + 1, line.size())));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  double seconds = (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  std::ifstream children(
      absl::StrCat("/proc/", pid, "/task/", pid, "/children"));
  pid_t child = 0;
  while (children >> child) seconds += ProcessTreeSeconds(child);
  return seconds;
}

double OwnSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void DropFromPageCache(const std::string& path) {
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator it(path, error), end;
       it != end; it.increment(error)) {
    if (!it->is_regular_file(error)) continue;
    const int file = open(it->path().c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;
    fdatasync(file);
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    close(file);
  }
}

}  // namespace tokendb::bench
