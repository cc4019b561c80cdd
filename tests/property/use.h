// Operations on what is kept beside the records, and the feed of what expired.
// Each does something random to the database and to the model, and returns an
// empty text if both did the same, else what is different.
#ifndef TOKENDB_TESTS_PROPERTY_USE_H_
#define TOKENDB_TESTS_PROPERTY_USE_H_

#include <string>
#include <vector>

#include "tests/property/generate.h"
#include "tests/property/model.h"
#include "tokendb/db.h"

namespace tokendb::testing {

// Touches some of `ids`, writes touches, or marks some of `ids` as notified.
// Adds to `log` what it did.
std::string UseSome(Database& db, Model& model, Generator& generator,
                    const std::vector<TokenId>& ids, std::string& log);

// Compares a window of ExpiredBetween(), and NextExpiry().
std::string CompareExpired(const Database& db, const Model& model,
                           Generator& generator);

}  // namespace tokendb::testing

#endif  // TOKENDB_TESTS_PROPERTY_USE_H_
