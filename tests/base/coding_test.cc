#include "src/base/coding.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <string>
#include <string_view>

#include "src/base/text.h"

namespace tokendb {
namespace {

std::string Varint(uint64_t value) {
  std::string out;
  AppendVarint(out, value);
  return out;
}

TEST(CodingTest, BigEndianNumbersBeginWithTheHighestByte) {
  std::string out;
  AppendBig32(out, 0x01020304);
  AppendBig64(out, 0xF1F2F3F4F5F6F7F8);
  EXPECT_EQ(Hex(out), "01020304f1f2f3f4f5f6f7f8");
  EXPECT_EQ(LoadBig32(out.data()), 0x01020304U);
  EXPECT_EQ(LoadBig64(out.data() + 4), 0xF1F2F3F4F5F6F7F8U);
}

TEST(CodingTest, VarintsGrowByOneByteEverySevenBits) {
  EXPECT_EQ(Hex(Varint(0)), "00");
  EXPECT_EQ(Hex(Varint(127)), "7f");
  EXPECT_EQ(Hex(Varint(128)), "8001");
  EXPECT_EQ(Hex(Varint(300)), "ac02");
  EXPECT_EQ(Hex(Varint(std::numeric_limits<uint64_t>::max())),
            "ffffffffffffffffff01");
}

TEST(CodingTest, VarintLeavesWhatFollowsIt) {
  const std::string bytes = Varint(300) + "rest";
  std::string_view in = bytes;
  uint64_t value = 0;
  ASSERT_TRUE(ConsumeVarint(in, value));
  EXPECT_EQ(value, 300U);
  EXPECT_EQ(in, "rest");
}

TEST(CodingTest, CutOffVarintIsRefused) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    const std::string bytes = Varint(uint64_t{1} << bit);
    for (size_t size = 0; size < bytes.size(); ++size) {
      std::string_view in = std::string_view(bytes).substr(0, size);
      uint64_t value = 0;
      EXPECT_FALSE(ConsumeVarint(in, value)) << bit << " " << size;
    }
  }
}

TEST(CodingTest, TooLongVarintIsRefused) {
  const std::string bytes = std::string(10, '\x80') + '\x01';
  std::string_view in = bytes;
  uint64_t value = 0;
  EXPECT_FALSE(ConsumeVarint(in, value));
}

RC_GTEST_PROP(CodingPropertyTest, VarintsRoundTrip,
              (uint64_t full, uint8_t drop)) {
  const uint64_t value = full >> (drop % 64);
  const std::string bytes = Varint(value);
  std::string_view in = bytes;
  uint64_t read = 0;
  RC_ASSERT(ConsumeVarint(in, read));
  RC_ASSERT(read == value);
  RC_ASSERT(in.empty());
}

RC_GTEST_PROP(CodingPropertyTest, BigEndianNumbersSortAsBytes,
              (uint64_t a, uint64_t b)) {
  std::string first;
  std::string second;
  AppendBig64(first, a);
  AppendBig64(second, b);
  RC_ASSERT((a < b) == (first < second));
  RC_ASSERT(LoadBig64(first.data()) == a);
}

}  // namespace
}  // namespace tokendb
