#ifndef TOKENDB_INDEX_H_
#define TOKENDB_INDEX_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace tokendb {

// Indexes that a database has only if they were added: see
// Database::AddIndex(). Each one answers the condition of its name in a query.
enum class OptionalIndex : uint8_t { kOrganization, kKind };

// "organization", "kind".
std::string_view OptionalIndexName(OptionalIndex index);

enum class IndexState : uint8_t {
  kDisabled,
  kWriteOnly,  // Changes maintain it; tokens from before may be missing.
  kReadable,   // Complete: queries use it.
};

// "disabled", "write-only", "readable".
std::string_view IndexStateName(IndexState state);

struct AddIndexOptions {
  // Called after each step with the tokens gone over so far, without locks
  // held. Must not throw.
  std::function<void(uint64_t)> progress;

  // Looked at before each step. If it is set the call ends with Cancelled, and
  // the same call again goes on from there. Not owned.
  const std::atomic<bool>* stop = nullptr;

  // Tokens whose locks are held together, 1 to 256.
  uint32_t step_tokens = 256;
};

struct IndexInfo {
  std::string name;
  IndexState state = IndexState::kReadable;

  // Which of the indexes of this name there have been, from 1; 0: none yet.
  uint8_t generation = 1;

  // Tokens that the build of an optional index has gone over.
  uint64_t tokens_built = 0;
};

}  // namespace tokendb

#endif  // TOKENDB_INDEX_H_
