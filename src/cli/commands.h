// The commands. Each function adds one to the command line; parsing the line
// then runs the command, which leaves the exit code in `exit_code`.
#ifndef TOKENDB_SRC_CLI_COMMANDS_H_
#define TOKENDB_SRC_CLI_COMMANDS_H_

#include "CLI/CLI.hpp"

namespace tokendb::cli {

void AddImport(CLI::App& app, int& exit_code);
void AddExport(CLI::App& app, int& exit_code);
void AddPut(CLI::App& app, int& exit_code);
void AddGet(CLI::App& app, int& exit_code);
void AddList(CLI::App& app, int& exit_code);
void AddExpiring(CLI::App& app, int& exit_code);
void AddExpired(CLI::App& app, int& exit_code);
void AddCount(CLI::App& app, int& exit_code);
void AddRevoke(CLI::App& app, int& exit_code);
void AddDelete(CLI::App& app, int& exit_code);
void AddTouch(CLI::App& app, int& exit_code);
void AddChanges(CLI::App& app, int& exit_code);
void AddExplain(CLI::App& app, int& exit_code);
void AddStats(CLI::App& app, int& exit_code);
void AddCheck(CLI::App& app, int& exit_code);
void AddRepair(CLI::App& app, int& exit_code);
void AddRetention(CLI::App& app, int& exit_code);
void AddReclaim(CLI::App& app, int& exit_code);
void AddIndex(CLI::App& app, int& exit_code);

}  // namespace tokendb::cli

#endif  // TOKENDB_SRC_CLI_COMMANDS_H_
