#ifndef TOKENDB_BENCH_PEERS_SERVER_PROCESS_H_
#define TOKENDB_BENCH_PEERS_SERVER_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace tokendb::bench {

// A program run beside the benchmark; stopped when this is destroyed, and when
// the benchmark dies.
class ServerProcess {
 public:
  // Runs `command` in `directory` as the system's user `user` (empty: as who
  // runs the benchmark), with its output in the file `log`. `stop_signal` asks
  // it to end.
  ServerProcess(const std::vector<std::string>& command,
                const std::string& directory, const std::string& user,
                const std::string& log, int stop_signal);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  pid_t pid() const { return pid_; }

  // Whether it has not ended by itself.
  bool IsRunning() const;

  // Waits for the end; returns the exit code, or -1.
  int Wait();

 private:
  pid_t pid_ = -1;
  int stop_signal_;
};

// Ends the program unless `command` succeeds; shows the log then.
void RunOrDie(const std::vector<std::string>& command,
              const std::string& directory, const std::string& user,
              const std::string& log);

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_PEERS_SERVER_PROCESS_H_
