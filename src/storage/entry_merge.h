#ifndef TOKENDB_SRC_STORAGE_ENTRY_MERGE_H_
#define TOKENDB_SRC_STORAGE_ENTRY_MERGE_H_

#include <memory>
#include <utility>
#include <vector>

#include "src/storage/load_entry.h"

namespace tokendb {

// Several sources as one, in the order of keys, then labels.
class MergedSource final : public EntrySource {
 public:
  explicit MergedSource(std::vector<std::unique_ptr<EntrySource>> sources)
      : sources_(std::move(sources)) {}

  bool Next() override;

  // The first error of a source, after which there is no next entry.
  absl::Status status() const override { return status_; }

 private:
  // Moves the top of the heap down to its place.
  void SiftDown(size_t position);
  // Goes on with the source; false if it has ended or failed.
  bool Advance(EntrySource& source);

  std::vector<std::unique_ptr<EntrySource>> sources_;
  std::vector<EntrySource*> heap_;  // Those that have an entry.
  bool started_ = false;
  absl::Status status_;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_ENTRY_MERGE_H_
