#ifndef TOKENDB_CLOCK_H_
#define TOKENDB_CLOCK_H_

#include "absl/time/time.h"

namespace tokendb {

// Where a database takes the time from. Tests give it a clock of their own.
//
// A database asks once per operation and never goes back: it uses the larger
// of what the clock says and the highest time it has already acted on, which
// it also keeps on disk. A wall clock that is set back therefore cannot revive
// an expired token.
class Clock {
 public:
  virtual ~Clock() = default;

  // Returns the time. Thread-safe, does not block, does not throw.
  virtual absl::Time Now() const = 0;

  // The system's wall clock. Lives as long as the program.
  static const Clock* System();
};

}  // namespace tokendb

#endif  // TOKENDB_CLOCK_H_
