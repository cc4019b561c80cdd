#ifndef TOKENDB_SRC_CLI_APP_H_
#define TOKENDB_SRC_CLI_APP_H_

namespace tokendb::cli {

// Runs the command line and returns the process's exit code. Throws nothing.
int Run(int argc, char** argv);

}  // namespace tokendb::cli

#endif  // TOKENDB_SRC_CLI_APP_H_
