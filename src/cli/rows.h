// Tokens as rows of a table, and as JSON.
#ifndef TOKENDB_SRC_CLI_ROWS_H_
#define TOKENDB_SRC_CLI_ROWS_H_

#include <string>

#include "absl/time/time.h"
#include "tokendb/query.h"
#include "tokendb/token.h"

namespace tokendb::cli {

struct RowOptions {
  bool json = false;
  bool wide = false;       // Cut nothing off.
  bool remaining = false;  // A column with the time left.
};

// Prints a page: a table and a line with the continuation if there is one, or
// {"tokens": [...], "continuation": ...}.
void PrintPage(const Page& page, absl::Time now, const RowOptions& options);

}  // namespace tokendb::cli

#endif  // TOKENDB_SRC_CLI_ROWS_H_
