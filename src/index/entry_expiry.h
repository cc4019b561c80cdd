#ifndef TOKENDB_SRC_INDEX_ENTRY_EXPIRY_H_
#define TOKENDB_SRC_INDEX_ENTRY_EXPIRY_H_

#include "src/storage/entry_expiry.h"

namespace tokendb {

// Reads the expiry of records, digest rows, index entries and hot rows.
extern const EntryReader kEntryReader;

}  // namespace tokendb

#endif  // TOKENDB_SRC_INDEX_ENTRY_EXPIRY_H_
