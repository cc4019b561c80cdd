// The inside of a database, for tests that move its files about.
#ifndef TOKENDB_TESTS_SUPPORT_DATABASE_PEER_H_
#define TOKENDB_TESTS_SUPPORT_DATABASE_PEER_H_

#include "src/db/database_impl.h"
#include "tokendb/db.h"

namespace tokendb {

class DatabasePeer {
 public:
  static Store& StoreOf(Database& database) { return *database.impl_->store; }
  static Retention& RetentionOf(Database& database) {
    return database.impl_->retention;
  }
  static const SharedIndexSet& IndexesOf(Database& database) {
    return database.impl_->indexes->sets();
  }
  static VerifyIndex& VerifyIndexOf(Database& database) {
    return *database.impl_->verify;
  }
  static ChangeLog& ChangesOf(Database& database) {
    return database.impl_->changes;
  }
};

}  // namespace tokendb

#endif  // TOKENDB_TESTS_SUPPORT_DATABASE_PEER_H_
