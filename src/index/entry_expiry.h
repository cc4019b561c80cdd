#ifndef TOKENDB_SRC_INDEX_ENTRY_EXPIRY_H_
#define TOKENDB_SRC_INDEX_ENTRY_EXPIRY_H_

#include <cstdint>
#include <vector>

#include "src/storage/entry_expiry.h"
#include "src/storage/store.h"

namespace tokendb {

// Reads the expiry of records, digest rows, index entries, hot rows and
// counters.
extern const EntryReader kEntryReader;

// The ranges of the index in which any entry is forgotten, of the indexes whose
// terms are few: expiry, and scope with the numbers up to `scopes`.
std::vector<KeyRange> ForgottenRanges(const Cutoff& cutoff, uint32_t scopes);

}  // namespace tokendb

#endif  // TOKENDB_SRC_INDEX_ENTRY_EXPIRY_H_
