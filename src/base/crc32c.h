#ifndef TOKENDB_SRC_BASE_CRC32C_H_
#define TOKENDB_SRC_BASE_CRC32C_H_

#include <cstdint>
#include <string_view>

namespace tokendb {

// Returns the CRC-32C (Castagnoli, RFC 3720 appendix B.4) of what `crc` was
// made of followed by `data`. Start with 0.
uint32_t ExtendCrc32c(uint32_t crc, std::string_view data);

}  // namespace tokendb

#endif  // TOKENDB_SRC_BASE_CRC32C_H_
