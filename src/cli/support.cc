#include "src/cli/support.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <utility>

#include "src/formats/time_text.h"

namespace tokendb::cli {
namespace {

// Set by a signal handler, which can only reach what is global.
std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free);

void HandleInterrupt(int signal) {
  interrupted.store(true);
  std::signal(signal, SIG_DFL);
}

}  // namespace

void PrintError(std::string_view message) {
  std::cerr << "tokendb: " << message << std::endl;
}

ExitCode Report(const absl::Status& status) {
  if (status.ok()) return kSuccess;
  const absl::string_view message = status.message();
  PrintError({message.data(), message.size()});
  if (absl::IsInvalidArgument(status)) return kUsage;
  if (absl::IsCancelled(status)) return kInterrupted;
  return kFailure;
}

void AddDirectory(CLI::App& command, std::string& directory) {
  command.add_option("DIR", directory, "The database's directory")->required();
}

CLI::Option* AddRepeated(CLI::App& command, const std::string& name,
                         std::vector<std::string>& values,
                         const std::string& help) {
  return command.add_option(name, values, help)->allow_extra_args(false);
}

absl::StatusOr<std::unique_ptr<Database>> OpenWith(const std::string& path,
                                                   const OpenOptions& options) {
  absl::StatusOr<std::unique_ptr<Database>> database =
      Database::Open(path, options);
  // A directory that holds something else is no mistake on the command line.
  if (absl::IsInvalidArgument(database.status())) {
    return absl::FailedPreconditionError(database.status().message());
  }
  return database;
}

absl::StatusOr<std::unique_ptr<Database>> OpenExisting(
    const std::string& path) {
  return OpenWith(path, {.create_mode = CreateMode::kOpenExisting});
}

OpenOptions NewDatabaseOptions() {
  return {.retain_expired = absl::InfiniteDuration(),
          .retain_revoked = absl::InfiniteDuration()};
}

absl::StatusOr<std::unique_ptr<Database>> OpenOrCreate(
    const std::string& path) {
  absl::StatusOr<std::unique_ptr<Database>> existing = OpenExisting(path);
  if (!absl::IsNotFound(existing.status())) return existing;
  return OpenWith(path, NewDatabaseOptions());
}

int WithDatabase(
    absl::StatusOr<std::unique_ptr<Database>> database,
    const std::function<absl::StatusOr<ExitCode>(Database&)>& body) {
  if (!database.ok()) return Report(database.status());
  const absl::StatusOr<ExitCode> code = body(**database);
  return code.ok() ? *code : Report(code.status());
}

const std::atomic<bool>& CatchInterrupts() {
  std::signal(SIGINT, HandleInterrupt);
  std::signal(SIGTERM, HandleInterrupt);
  return interrupted;
}

std::string PeriodText(absl::Duration period) {
  return period == absl::InfiniteDuration() ? "forever" : FormatSpan(period);
}

ProgressLine::ProgressLine() : visible_(::isatty(STDERR_FILENO) != 0) {}

ProgressLine::~ProgressLine() { Show(""); }

void ProgressLine::Show(const std::string& text) {
  if (!visible_ || (text.empty() && width_ == 0)) return;
  std::cerr << '\r' << text;
  if (text.size() < width_) {
    std::cerr << std::string(width_ - text.size(), ' ') << '\r' << text;
  }
  std::cerr << std::flush;
  width_ = text.size();
}

void Table::Print() const {
  std::vector<size_t> widths;
  for (const std::vector<std::string>& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i]));
    }
  }
  for (const std::vector<std::string>& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line.append(row[i]);
      line.append(widths[i] - DisplayWidth(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    std::cout << line << '\n';
  }
}

}  // namespace tokendb::cli
