// Writing the tokens of a database to a file.
#ifndef TOKENDB_SRC_FORMATS_EXPORT_H_
#define TOKENDB_SRC_FORMATS_EXPORT_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "src/formats/file_format.h"
#include "tokendb/db.h"
#include "tokendb/query.h"

namespace tokendb {

struct ExportOptions {
  FileFormat format = FileFormat::kCsv;

  // Digests allow who has them to test guesses of secrets, so they are left
  // out unless asked for. GraphQL has no place for them.
  bool with_digests = false;

  // As in ImportOptions, looked at every 1,000 tokens.
  const std::atomic<bool>* stop = nullptr;
  std::function<void(uint64_t tokens)> progress;
};

// Writes the tokens that match `query`, in its order, as importing reads them;
// returns how many. Bounded memory, however many they are. GraphQL carries
// Buildkite's fields only.
//
// Errors: as Database::Read(); InvalidArgument for digests in GraphQL, and if a
// text is not UTF-8, which CSV alone can carry; Unavailable if `out` fails;
// Cancelled if stopped. `out` then holds a part.
absl::StatusOr<uint64_t> ExportTokens(const Database& database,
                                      const Query& query,
                                      const ExportOptions& options,
                                      std::ostream& out);

// The same to a file, which appears (or is replaced) when it is complete, and
// which only this user may read.
absl::StatusOr<uint64_t> ExportToFile(const Database& database,
                                      const Query& query,
                                      const ExportOptions& options,
                                      const std::string& path);

// What a token's JSON has besides what JSON lines hold.
struct JsonOptions {
  bool with_digest = false;
  bool with_version = false;
};

// Returns the token as JSON, as a line of JSON lines without its end. Bytes
// that are no UTF-8 become U+FFFD. Absent texts and lists are left out; absent
// values of Buildkite's fields are null.
std::string TokenToJson(const Token& token, const JsonOptions& options);

}  // namespace tokendb

#endif  // TOKENDB_SRC_FORMATS_EXPORT_H_
