// The verify index of a database that was closed in order, so that opening it
// again need not read every row. Layout: docs/file_format.md.
#ifndef TOKENDB_SRC_VERIFY_VERIFY_FILE_H_
#define TOKENDB_SRC_VERIFY_VERIFY_FILE_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "src/index/cover.h"
#include "src/storage/store.h"
#include "src/verify/verify_table.h"
#include "tokendb/token.h"

namespace tokendb {

// Writes all entries of `table`, whole or not at all. `scopes_of` says which
// scopes VerifyEntry::scopes stands for.
absl::Status WriteVerifyFile(
    const std::string& path, const StoreState& state, const VerifyTable& table,
    absl::FunctionRef<ScopeNumbers(uint64_t)> scopes_of);

// A file that was written, which nobody else will read again.
class VerifyFile {
 public:
  // Opens the file of a store that is now in `state` and removes it from its
  // directory, so that it is read once and before anything is written. NotFound
  // if there is none, FailedPrecondition if it is of another state.
  static absl::StatusOr<VerifyFile> Take(const std::string& path,
                                         const StoreState& state);

  // Calls `add` with each entry, whose `scopes` are left out, up to the first
  // error. DataLoss if the file is damaged; entries up to there are sound.
  using Add = absl::FunctionRef<absl::Status(
      const Digest&, const VerifyEntry&, absl::Span<const uint32_t> scopes)>;
  absl::Status Read(Add add);

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  explicit VerifyFile(std::FILE* file) : file_(file) {}

  std::unique_ptr<std::FILE, Closer> file_;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_VERIFY_VERIFY_FILE_H_
