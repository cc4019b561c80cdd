#ifndef TOKENDB_TESTS_PROPERTY_COMPARE_H_
#define TOKENDB_TESTS_PROPERTY_COMPARE_H_

#include <string>
#include <vector>

#include "tests/property/generate.h"
#include "tests/property/model.h"
#include "tokendb/db.h"

namespace tokendb::testing {

// Each returns an empty text if the database answers as the model does, else
// what is different.
std::string CompareLookUps(const Database& db, const Model& model);
std::string CompareQuery(const Database& db, const Model& model,
                         const Query& query, Generator& generator);
std::string CompareReader(TokenReader& reader,
                          const std::vector<Token>& expected);
std::string CompareCheck(const Database& db, const Model& model);

// The conditions of a query, for a failure's message.
std::string Describe(const Query& query);

}  // namespace tokendb::testing

#endif  // TOKENDB_TESTS_PROPERTY_COMPARE_H_
