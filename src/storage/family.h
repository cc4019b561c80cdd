#ifndef TOKENDB_SRC_STORAGE_FAMILY_H_
#define TOKENDB_SRC_STORAGE_FAMILY_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace tokendb {

// Column families, in the order of docs/file_format.md.
enum class Family : uint8_t {
  kMeta,
  kToken,
  kDigest,
  kIndex,
  kHot,
  kStat,
  kChange,
};
inline constexpr std::array kFamilies = {
    Family::kMeta, Family::kToken, Family::kDigest, Family::kIndex,
    Family::kHot,  Family::kStat,  Family::kChange};

// "meta", "token", ...
std::string_view FamilyName(Family family);

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_FAMILY_H_
