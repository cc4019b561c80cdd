#ifndef TOKENDB_SRC_DB_INDEX_CATALOG_H_
#define TOKENDB_SRC_DB_INDEX_CATALOG_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/db/retention.h"
#include "src/index/index_set.h"
#include "src/index/scope_dictionary.h"
#include "src/storage/store.h"
#include "src/storage/stripes.h"
#include "tokendb/index.h"
#include "tokendb/token.h"

namespace tokendb {

// The optional indexes: adds and drops them while tokens change, and keeps what
// became of them in the meta family.
//
//   "index/" index u8  ->  state u8 | generation u8 | last id built[16] |
//                          tokens built be64
//   "index-dropped/" index u8 | generation u8  ->  empty, as long as files may
//                                                  hold its entries
//
// Thread-safe.
class IndexCatalog {
 public:
  // What building an index takes, besides the store.
  struct Sources {
    Stripes& stripes;  // Those that all changes of tokens take.
    ScopeDictionary& scopes;
    const Retention& retention;
  };

  // Reads the rows of `store`. DataLoss if one is malformed. All arguments must
  // outlive the catalog.
  static absl::StatusOr<std::unique_ptr<IndexCatalog>> Load(
      Store& store, const Sources& sources);

  const SharedIndexSet& sets() const { return sets_; }

  // Database::AddIndex(), DropIndex() and Indexes().
  absl::Status Add(OptionalIndex index, const AddIndexOptions& options);
  absl::Status Drop(OptionalIndex index);
  std::vector<IndexInfo> List() const;

  // Lets compactions drop the entries of indexes that were dropped and that no
  // call reads any more.
  void ReleaseRetired();

  // Takes the space of those back: drops and rewrites the files that hold
  // their entries.
  absl::Status ReclaimRetired();

 private:
  // The row of an index.
  struct Row {
    IndexSet::Slot slot;
    TokenId last;  // All tokens with ids up to this one have entries.
    uint64_t built = 0;
  };
  using Dropped = std::pair<OptionalIndex, uint8_t>;  // With its generation.
  class Claim;

  IndexCatalog(Store& store, const Sources& sources)
      : store_(store), sources_(sources) {}
  absl::Status ReadRows();
  absl::Status ReadDropped();

  Row RowOf(OptionalIndex index) const;
  absl::Status Begin(OptionalIndex index);
  // One step of a build: up to `most` tokens. False if there are no more.
  absl::StatusOr<bool> BuildStep(OptionalIndex index, size_t most);
  absl::Status Finish(OptionalIndex index);
  // Makes a row that `batch` has put the one that holds.
  absl::Status Commit(Batch& batch, OptionalIndex index, const Row& row,
                      Durability durability);
  void Publish(OptionalIndex index, const IndexSet::Slot& slot);
  std::vector<std::string> ReleasablePrefixes();

  Store& store_;
  const Sources sources_;
  SharedIndexSet sets_;

  mutable std::mutex mutex_;  // Guards what follows.
  std::array<Row, kOptionalIndexes.size()> rows_;
  // Being added or dropped by some call.
  std::array<bool, kOptionalIndexes.size()> claimed_{};
  std::vector<Dropped> dropped_;
  // Sets that held before, as long as a call reads or writes by them.
  std::vector<std::weak_ptr<const IndexSet>> former_;
  // All generations before these may be dropped by compactions.
  std::array<unsigned, kOptionalIndexes.size()> released_{};
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_INDEX_CATALOG_H_
