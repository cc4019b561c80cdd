// Reading a change feed in tests.
#ifndef TOKENDB_TESTS_SUPPORT_FEED_H_
#define TOKENDB_TESTS_SUPPORT_FEED_H_

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/status_matchers.h"
#include "tokendb/db.h"

namespace tokendb {

// Found by its argument's namespace.
inline void PrintTo(const TokenChange& change, std::ostream* out) {
  *out << "{" << TokenChangeKindName(change.kind) << " " << change.id << " v"
       << change.version << " at=" << change.at;
  if (change.revoked_at.has_value()) *out << " revoked=" << *change.revoked_at;
  *out << "}";
}

}  // namespace tokendb

namespace tokendb::testing {

// Reads a feed from a position on, and keeps it.
class Follower {
 public:
  explicit Follower(std::string continuation = "")
      : continuation_(std::move(continuation)) {}

  // All changes that are there by now, read in pages of `limit`.
  std::vector<TokenChange> ReadOn(const Database& db, size_t limit = 1000) {
    std::vector<TokenChange> changes;
    while (true) {
      const auto page = db.Changes(continuation_, limit);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) return changes;
      EXPECT_LE(page->changes.size(), limit);
      EXPECT_FALSE(page->continuation.empty());
      changes.insert(changes.end(), page->changes.begin(), page->changes.end());
      continuation_ = page->continuation;
      if (page->caught_up) return changes;
    }
  }

  const std::string& continuation() const { return continuation_; }

 private:
  std::string continuation_;
};

}  // namespace tokendb::testing

#endif  // TOKENDB_TESTS_SUPPORT_FEED_H_
