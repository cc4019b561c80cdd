// The row of a digest: all that authentication needs, so that it reads nothing
// else.
//
//   0  crc32c of digest and bytes 4..end, u32 little-endian
//   4  expiry, OrderedMillis, be64
//  12  id[16]
//  28  length of the owner's id, varint, and the id; none: length 0
//   .  cover with all scopes (src/index/cover.h)
#ifndef TOKENDB_SRC_INDEX_DIGEST_ROW_H_
#define TOKENDB_SRC_INDEX_DIGEST_ROW_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "src/index/cover.h"
#include "tokendb/token.h"

namespace tokendb {

struct DigestRow {
  TokenId id;
  Validity validity;
  std::optional<std::string_view> owner_id;  // Points into the row.
  ScopeNumbers scopes;
};

// Appends the row of a normalized token, which has a digest.
void AppendDigestRow(std::string& out, const Token& token,
                     absl::Span<const uint32_t> scopes);

// Reads a row. DataLoss if any bit of it or of its digest changed.
absl::StatusOr<DigestRow> ParseDigestRow(const Digest& digest,
                                         std::string_view value);

}  // namespace tokendb

#endif  // TOKENDB_SRC_INDEX_DIGEST_ROW_H_
