// The smallest program that uses an installed tokendb.
#include <cstdio>

#include "tokendb/db.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto db = tokendb::Database::Open(argv[1]);
  if (!db.ok()) return 1;
  const auto id = (*db)->Issue({.owner = tokendb::Owner{.id = "ada"}});
  const auto page = (*db)->List({.owners = {"ada"}});
  if (!id.ok() || !page.ok() || page->tokens.size() != 1) return 1;
  std::printf("%s\n", page->tokens.front().id.ToString().c_str());
  return 0;
}
