#ifndef TOKENDB_SRC_STORAGE_ROW_OBSERVER_H_
#define TOKENDB_SRC_STORAGE_ROW_OBSERVER_H_

#include <optional>
#include <string>

#include "absl/types/span.h"

namespace tokendb {

// Is told of changes to the rows of a family, by the thread that makes them and
// before Store::Commit() returns. Changes to one row come in their order if
// whoever makes them holds a lock for it, as the writers of tokens do.
class RowObserver {
 public:
  struct Row {
    std::string key;
    std::optional<std::string> value;  // Absent: the row was deleted.
  };

  virtual ~RowObserver() = default;

  virtual void Committed(absl::Span<const Row> rows) = 0;

  // The commit failed. It may have come into effect, or come into effect later.
  virtual void Uncertain(absl::Span<const Row> rows) = 0;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_ROW_OBSERVER_H_
