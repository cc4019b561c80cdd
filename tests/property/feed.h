#ifndef TOKENDB_TESTS_PROPERTY_FEED_H_
#define TOKENDB_TESTS_PROPERTY_FEED_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/property/generate.h"
#include "tokendb/db.h"

namespace tokendb::testing {

// What the change feed should deliver: a list of all changes, and followers
// that have read it up to some place. Changes that were made together may come
// in any order; those of one token may not.
class Feed {
 public:
  // Of a database that is being opened. Switched on it begins anew.
  void SetRetention(absl::Duration retain);
  void Record(const std::vector<TokenChange>& changes);

  // After the database let old changes go.
  void Forget(absl::Time now);

  // Lets some follower read a page, or a new one begin. Empty if the database
  // answers as it should, else what is different.
  std::string FollowOn(const Database& db, Generator& generator);

 private:
  struct Follower {
    uint64_t feed = 0;  // Which of the feeds there have been.
    std::string continuation;
    std::map<TokenId, size_t> read;  // Changes of each token.
    size_t total = 0;
  };
  struct Recorded {
    TokenChange change;
    bool gone = false;
  };

  Follower Begin(const Database& db, bool from_now, std::string& difference);
  bool HasMissed(const Follower& follower) const;
  std::string Deliver(const ChangePage& page, Follower& follower) const;

  absl::Duration retain_ = absl::ZeroDuration();
  uint64_t feed_ = 0;
  size_t total_ = 0;
  std::map<TokenId, std::vector<Recorded>> changes_;
  std::vector<Follower> followers_;
};

}  // namespace tokendb::testing

#endif  // TOKENDB_TESTS_PROPERTY_FEED_H_
