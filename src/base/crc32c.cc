#include "src/base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <limits>

namespace tokendb {

uint32_t ExtendCrc32c(uint32_t crc, std::string_view data) {
  // crc32_iscsi neither inverts at the start nor at the end.
  crc = ~crc;
  while (!data.empty()) {
    const size_t length =
        std::min<size_t>(data.size(), std::numeric_limits<int>::max());
    // The parameter is not const by oversight; the function only reads.
    auto* bytes =
        reinterpret_cast<unsigned char*>(const_cast<char*>(data.data()));
    crc = crc32_iscsi(bytes, static_cast<int>(length), crc);
    data.remove_prefix(length);
  }
  return ~crc;
}

}  // namespace tokendb
