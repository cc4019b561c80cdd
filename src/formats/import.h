// Putting the tokens of a file into a database.
#ifndef TOKENDB_SRC_FORMATS_IMPORT_H_
#define TOKENDB_SRC_FORMATS_IMPORT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <istream>
#include <vector>

#include "absl/status/status.h"
#include "src/formats/file_format.h"
#include "src/formats/position.h"
#include "tokendb/db.h"

namespace tokendb {

struct ImportOptions {
  // Imports the good lines of a file that has bad ones.
  bool skip_bad = false;

  // Tokens written at once: each batch of new tokens is atomic.
  size_t batch_tokens = 500;

  // Ends the import before the next batch once it is true. Not owned; null:
  // never.
  const std::atomic<bool>* stop = nullptr;

  // Called after each batch with the number of tokens validated, then with
  // the number written.
  std::function<void(bool writing, uint64_t tokens)> progress;
};

struct ImportReport {
  static constexpr size_t kMaxErrors = 1000;

  // OK; InvalidArgument if lines are bad (all of the file is then left out,
  // or with skip_bad what is bad); Cancelled if it was stopped; or what the
  // database says. In the last two cases what `issued` and `updated` count has
  // been done, and the same import again goes on.
  absl::Status status;

  uint64_t issued = 0;
  uint64_t updated = 0;
  uint64_t unchanged = 0;
  uint64_t skipped = 0;    // Bad lines left out.
  uint64_t forgotten = 0;  // Expired longer ago than the database keeps.

  uint64_t bad_lines = 0;
  std::vector<InputError> errors;  // The first ones, in the file's order.

  // The file is a page of a GraphQL response with more pages after it.
  bool more_pages = false;
};

// Imports `in`, which is read twice: first all of it is checked (against the
// database too), then it is written in batches. New tokens are issued; tokens
// that exist take the fields that the file carries; those that would stay as
// they are are not written at all, so that importing a file again changes
// nothing. A last use earlier than the one the database has is left out.
// Memory: about 100 bytes for each token's id, digest and line.
//
// A line is bad if it cannot be read, if the token it makes is not valid, if
// its id or digest is on an earlier line, or if another token that has not
// expired holds its digest.
//
// Writes are Durability::kBuffered: call Database::Flush() when all is done.
ImportReport ImportTokens(Database& database, FileFormat format,
                          std::istream& in, const ImportOptions& options = {});

}  // namespace tokendb

#endif  // TOKENDB_SRC_FORMATS_IMPORT_H_
