// The row of a change in the change family, under the change's number, be64:
//
//   0  crc32c of key and bytes 4..end, u32 little-endian
//   4  kind u8: 1 issued, 2 updated, 3 revoked, 4 deleted
//   5  time of the change, OrderedMillis, be64
//  13  id[16]
//  29  version of the token after the change (deleted: before), varint
//   .  of a revocation: revoked_at, OrderedMillis, be64
#ifndef TOKENDB_SRC_INDEX_CHANGE_ROW_H_
#define TOKENDB_SRC_INDEX_CHANGE_ROW_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tokendb/changes.h"

namespace tokendb {

std::string ChangeKey(uint64_t number);

// The number of a key. DataLoss if it is none.
absl::StatusOr<uint64_t> ParseChangeKey(std::string_view key);

// Returns the row of a change whose times are whole milliseconds.
std::string ChangeRow(uint64_t number, const TokenChange& change);

// Reads a row. DataLoss, naming the number, if any bit of it or of its key
// changed.
absl::StatusOr<TokenChange> ParseChangeRow(std::string_view key,
                                           std::string_view value);

}  // namespace tokendb

#endif  // TOKENDB_SRC_INDEX_CHANGE_ROW_H_
