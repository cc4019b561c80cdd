// Issues a token, finds it by owner and scope, authenticates and revokes it.
#include <iostream>

#include "tokendb/db.h"

int main() {
  auto db = tokendb::Database::Open("quickstart.db").value();
  const auto digest = tokendb::Digest::OfSecret("tok_secret").value();
  const auto id = db->Issue({.digest = digest,
                             .owner = tokendb::Owner{.id = "user:42"},
                             .scopes = {"read_builds"},
                             .expires_at = db->Now() + absl::Hours(24)});
  std::cout << db->Count({.owners = {"user:42"},
                          .scopes = {.all_of = {"read_builds"}}})
                   ->count
            << " live\n";
  db->Revoke(*id, {.reason = "leaked"}).IgnoreError();
  std::cout << tokendb::TokenStateName(db->Authenticate(digest)->state) << "\n";
  return db->Delete(*id).ok() ? 0 : 1;
}
