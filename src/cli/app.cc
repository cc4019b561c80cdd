#include "src/cli/app.h"

#include <csignal>
#include <exception>
#include <iostream>

#include "CLI/CLI.hpp"
#include "src/cli/commands.h"
#include "src/cli/support.h"

namespace tokendb::cli {
namespace {

constexpr char kFooter[] =
    "TIME is 2025-07-16T06:07:42Z, \"2025-07-16 06:07:42 UTC\", 2027-01-01, "
    "or\n"
    "relative to now: 30d, 12h, -15m, \"2w ago\".\n\n"
    "Exit codes: 0 success; 1 check found differences, repair left some, or "
    "get no\n"
    "token; 2 wrong usage; 3 a bad input file; 4 any other failure; 130 "
    "interrupted.\n\n"
    "Examples:\n"
    "  tokendb import tokens.db keyring.csv\n"
    "  tokendb list tokens.db --owner key:EC371482956781AF\n"
    "  tokendb expiring tokens.db --within 30d\n"
    "  tokendb COMMAND --help";

int Parse(CLI::App& app, int argc, char** argv, int& exit_code) {
  try {
    app.parse(argc, argv);
    return exit_code;
  } catch (const CLI::ParseError& error) {
    // Help and version are "errors" with code 0.
    if (error.get_exit_code() == 0) return app.exit(error);
    PrintError(error.what());
    PrintError("run with --help for more information");
    return kUsage;
  }
}

}  // namespace

int Run(int argc, char** argv) {
  // Who closes our output early wants no more of it. A parent that ignores the
  // signal would have handed that down.
  std::signal(SIGPIPE, SIG_DFL);
  try {
    int exit_code = kSuccess;
    CLI::App app(
        "Stores access tokens and finds them by owner, scope and expiry",
        "tokendb");
    app.set_version_flag("--version",
                         std::string("tokendb ") + TOKENDB_VERSION);
    app.require_subcommand(1);
    app.footer(kFooter);
    for (const auto add :
         {AddImport, AddExport, AddPut, AddGet, AddList, AddExpiring,
          AddExpired, AddCount, AddRevoke, AddDelete, AddTouch, AddChanges,
          AddExplain, AddStats, AddCheck, AddRepair, AddRetention, AddReclaim,
          AddIndex}) {
      add(app, exit_code);
    }
    app.add_subcommand("version", "Show the version")->callback([] {
      std::cout << "tokendb " << TOKENDB_VERSION << '\n';
    });
    int code = Parse(app, argc, argv, exit_code);
    std::cout.flush();
    if (!std::cout.good() && code == kSuccess) {
      PrintError("cannot write to standard output");
      code = kFailure;
    }
    return code;
  } catch (const std::exception& error) {
    PrintError(error.what());
    return kFailure;
  }
}

}  // namespace tokendb::cli
