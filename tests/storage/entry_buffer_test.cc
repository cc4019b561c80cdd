#include "src/storage/entry_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace tokendb::testing {
namespace {

using Row = std::tuple<std::string, uint64_t, std::string>;  // Key, label.

std::vector<Row> RowsOf(EntrySource& source) {
  std::vector<Row> rows;
  while (source.Next()) {
    const LoadEntry& entry = source.entry();
    rows.emplace_back(entry.key, entry.label, entry.value);
  }
  return rows;
}

// Keys as hard to sort as can be: of few different bytes, zeros among them,
// with long common beginnings, and some of them ends of others.
std::string RandomKey(std::mt19937_64& random) {
  std::string key(random() % 4 * 7, random() % 2 == 0 ? 'p' : '\0');
  for (uint64_t i = random() % 20; i > 0; --i) {
    key.push_back("\0\x01pq\xFF"[random() % 5]);
  }
  return key;
}

TEST(EntryBufferTest, SortsByKeyThenLabel) {
  for (const size_t count : {0, 1, 2, 15, 40, 5000, 50000}) {
    std::mt19937_64 random(count);
    EntryBuffer buffer(2, 4096);
    std::vector<Row> expected;
    for (size_t i = 0; i < count; ++i) {
      const std::string key = RandomKey(random);
      const std::string value(random() % 50, 'v');
      const uint64_t label = random();
      buffer.Add(1, {key, value, label});
      expected.emplace_back(key, label, value);
    }
    std::sort(expected.begin(), expected.end());
    buffer.Sort(0);
    buffer.Sort(1);
    BufferSource empty(buffer, 0);
    EXPECT_TRUE(RowsOf(empty).empty());
    BufferSource source(buffer, 1);
    EXPECT_TRUE(RowsOf(source) == expected) << count << " entries";
  }
}

TEST(EntryBufferTest, TakesEntriesLargerThanAChunkAndIsUsedAgain) {
  EntryBuffer buffer(1, 100);
  for (const char letter : {'a', 'b'}) {
    const std::string large(1000, letter);
    buffer.Add(0, {"2", large, 2});
    buffer.Add(0, {"1", "small", 1});
    EXPECT_GT(buffer.bytes(), 1000);
    buffer.Sort(0);
    BufferSource source(buffer, 0);
    EXPECT_EQ(RowsOf(source),
              (std::vector<Row>{{"1", 1, "small"}, {"2", 2, large}}));
    buffer.Clear();
    EXPECT_EQ(buffer.bytes(), 0);
    EXPECT_EQ(buffer.size(0), 0);
  }
}

}  // namespace
}  // namespace tokendb::testing
