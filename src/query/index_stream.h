#ifndef TOKENDB_SRC_QUERY_INDEX_STREAM_H_
#define TOKENDB_SRC_QUERY_INDEX_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "src/storage/store.h"
#include "tokendb/query.h"

namespace tokendb {

// The entries of several ranges of the index family as one sequence, ordered
// by (expiry, id). A token in more than one range comes once. A single range
// comes in its own order, whatever that is.
class IndexStream {
 public:
  IndexStream(std::vector<Cursor> cursors, Direction direction);

  // Goes to the first entry.
  void Start();

  // False at the end, and on an error: look at status().
  bool Valid() const { return current_ != nullptr; }
  void Next();

  // Valid until Next().
  std::string_view key() const { return key_; }
  std::string_view value() const { return current_->value(); }

  const absl::Status& status() const { return status_; }
  uint64_t seeks() const { return cursors_.size(); }

 private:
  bool ComesLater(const Cursor* a, const Cursor* b) const;
  // Moves the cursor on. False at its end.
  bool Advance(Cursor& cursor);
  bool Check(Cursor& cursor);
  void TakeTop();

  std::vector<Cursor> cursors_;
  Direction direction_;
  Cursor* current_ = nullptr;
  std::string_view key_;  // Of the current cursor.
  // With several cursors: those that are valid, the current one on top.
  std::vector<Cursor*> heap_;
  absl::Status status_;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_QUERY_INDEX_STREAM_H_
