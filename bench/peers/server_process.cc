#include "bench/peers/server_process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/synthetic.h"

namespace tokendb::bench {
namespace {

constexpr int kFailedToStart = 127;

// In the child: only calls that are safe there. Does not return.
[[noreturn]] void Start(const std::vector<char*>& arguments,
                        const char* directory, const passwd* user,
                        const char* log, int stop_signal) {
  const int output = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (output >= 0) {
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
  }
  const bool is_user = user == nullptr ||
                       (setgroups(0, nullptr) == 0 &&
                        setgid(user->pw_gid) == 0 && setuid(user->pw_uid) == 0);
  // After the change of user, which would reset it.
  prctl(PR_SET_PDEATHSIG, stop_signal);
  if (is_user && chdir(directory) == 0) execv(arguments[0], arguments.data());
  _exit(kFailedToStart);
}

}  // namespace

ServerProcess::ServerProcess(const std::vector<std::string>& command,
                             const std::string& directory,
                             const std::string& user, const std::string& log,
                             int stop_signal)
    : stop_signal_(stop_signal) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  const passwd* const entry = user.empty() ? nullptr : getpwnam(user.c_str());
  pid_ = fork();
  if (pid_ == 0) {
    Start(arguments, directory.c_str(), entry, log.c_str(), stop_signal);
  }
  if (pid_ < 0) CheckOk(absl::ErrnoToStatus(errno, "fork"), command[0]);
}

ServerProcess::~ServerProcess() {
  if (pid_ <= 0) return;
  kill(pid_, stop_signal_);
  Wait();
}

bool ServerProcess::IsRunning() const {
  siginfo_t info{};
  // Whoever waits for it later still finds it.
  return waitid(P_PID, static_cast<id_t>(pid_), &info,
                WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0;
}

int ServerProcess::Wait() {
  int status = 0;
  const pid_t pid = std::exchange(pid_, -1);
  if (pid <= 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
    return -1;
  }
  return WEXITSTATUS(status);
}

void RunOrDie(const std::vector<std::string>& command,
              const std::string& directory, const std::string& user,
              const std::string& log) {
  ServerProcess process(command, directory, user, log, SIGTERM);
  const int code = process.Wait();
  if (code == 0) return;
  std::cerr << std::ifstream(log).rdbuf();
  CheckOk(absl::InternalError(absl::StrCat("exit code ", code)), command[0]);
}

}  // namespace tokendb::bench
