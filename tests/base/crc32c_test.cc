#include "src/base/crc32c.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace tokendb {
namespace {

// The examples of RFC 3720, appendix B.4.
TEST(Crc32cTest, MatchesTheExamplesOfTheRfc) {
  EXPECT_EQ(ExtendCrc32c(0, std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(ExtendCrc32c(0, std::string(32, '\xFF')), 0x62A8AB43U);
  std::string numbers;
  for (char i = 0; i < 32; ++i) numbers.push_back(i);
  EXPECT_EQ(ExtendCrc32c(0, numbers), 0x46DD794EU);
  std::reverse(numbers.begin(), numbers.end());
  EXPECT_EQ(ExtendCrc32c(0, numbers), 0x113FDB5CU);
  constexpr unsigned char kReadCommand[48] = {
      0x01, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
      0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18, 0x28, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
  EXPECT_EQ(ExtendCrc32c(0, {reinterpret_cast<const char*>(kReadCommand),
                             sizeof(kReadCommand)}),
            0xD9963A56U);
}

TEST(Crc32cTest, OfNothingIsZero) { EXPECT_EQ(ExtendCrc32c(0, ""), 0U); }

TEST(Crc32cTest, OfPartsIsThatOfTheWhole) {
  const std::string_view text = "the quick brown fox jumps over the lazy dog";
  const uint32_t whole = ExtendCrc32c(0, text);
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    const uint32_t first = ExtendCrc32c(0, text.substr(0, cut));
    EXPECT_EQ(ExtendCrc32c(first, text.substr(cut)), whole) << cut;
  }
}

}  // namespace
}  // namespace tokendb
