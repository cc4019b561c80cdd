// The tokendb command. README.md of this folder is its manual.
#include "src/cli/app.h"

int main(int argc, char** argv) { return tokendb::cli::Run(argc, argv); }
