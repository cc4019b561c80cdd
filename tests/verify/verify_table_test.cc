#include "src/verify/verify_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "tests/support/status_matchers.h"

namespace tokendb::testing {
namespace {

using Filled = VerifyTable::Filled;
using Found = VerifyTable::Found;
using IfFull = VerifyTable::IfFull;

// One group for each segment.
constexpr size_t kSmallest = VerifyTable::kSegments * 16 * 66;

Digest DigestOf(uint64_t number) {
  std::array<char, Digest::kSize> bytes{};
  std::memcpy(bytes.data(), &number, sizeof(number));
  std::memcpy(&bytes[24], &number, sizeof(number));
  return Digest(bytes);
}

// All its parts say the number.
VerifyEntry EntryOf(uint64_t number) {
  std::array<char, TokenId::kSize> id{};
  std::memcpy(id.data(), &number, sizeof(number));
  std::memcpy(&id[8], &number, sizeof(number));
  return {.id = TokenId(id),
          .expires_at = static_cast<Millis>(number),
          .scopes = number,
          .is_revoked = number % 2 != 0,
          .is_disabled = number % 3 == 0,
          .ask_store = number % 5 == 0};
}

class VerifyTableTest : public ::testing::Test {
 protected:
  void SetUp() override { Make(size_t{64} << 20); }

  void Make(size_t max_bytes) {
    auto table = VerifyTable::Create(max_bytes);
    ASSERT_THAT(table, IsOk());
    table_ = *std::move(table);
  }

  VerifyTable& table() { return *table_; }
  VerifyTable::Key KeyOf(uint64_t number) {
    return table_->KeyOf(DigestOf(number));
  }
  bool Put(uint64_t key, uint64_t value, IfFull if_full = IfFull::kRefuse) {
    return table_->Put(KeyOf(key), EntryOf(value), cutoff_, if_full);
  }
  Filled Fill(uint64_t key, uint64_t value, uint64_t ticket,
              IfFull if_full = IfFull::kRefuse) {
    return table_->Fill(KeyOf(key), EntryOf(value), ticket, cutoff_, if_full);
  }
  std::optional<VerifyEntry> Find(uint64_t key) {
    VerifyEntry entry;
    const Found found = table_->Find(KeyOf(key), entry, true);
    EXPECT_NE(found, Found::kUnsure);
    if (found != Found::kYes) return std::nullopt;
    return entry;
  }

  Cutoff cutoff_;
  std::unique_ptr<VerifyTable> table_;
};

TEST_F(VerifyTableTest, SaysWhatWasPut) {
  EXPECT_EQ(Find(1), std::nullopt);
  ASSERT_TRUE(Put(1, 10));
  EXPECT_EQ(Find(1), EntryOf(10));
  EXPECT_EQ(Find(2), std::nullopt);
  ASSERT_TRUE(Put(1, 15));
  EXPECT_EQ(Find(1), EntryOf(15));
  EXPECT_EQ(table().size(), 1);
  table().Erase(KeyOf(1));
  EXPECT_EQ(Find(1), std::nullopt);
  EXPECT_EQ(table().size(), 0);
}

TEST_F(VerifyTableTest, TellsDigestsApartThatDifferInOneBit) {
  ASSERT_TRUE(Put(1, 1));
  for (size_t bit = 0; bit < Digest::kSize * 8; ++bit) {
    std::array<char, Digest::kSize> bytes{};
    std::memcpy(bytes.data(), DigestOf(1).bytes().data(), bytes.size());
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    VerifyEntry entry;
    EXPECT_EQ(table().Find(table().KeyOf(Digest(bytes)), entry, false),
              Found::kNo);
  }
}

TEST_F(VerifyTableTest, EqualsAModelUnderRandomChanges) {
  std::mt19937_64 random(1);
  std::map<uint64_t, uint64_t> model;
  for (int i = 0; i < 300'000; ++i) {
    const uint64_t key = random() % 20'000;
    const uint64_t value = random() % 1'000'000;
    switch (random() % 4) {
      case 0:
        table().Erase(KeyOf(key));
        model.erase(key);
        break;
      case 1:
        table().PutIfPresent(KeyOf(key), EntryOf(value));
        if (model.contains(key)) model[key] = value;
        break;
      case 2: {
        ASSERT_EQ(Fill(key, value, table().Ticket(KeyOf(key))), Filled::kYes);
        model.emplace(key, value);
        break;
      }
      default:
        ASSERT_TRUE(Put(key, value));
        model[key] = value;
    }
  }
  EXPECT_EQ(table().size(), model.size());
  for (uint64_t key = 0; key < 20'000; ++key) {
    const auto it = model.find(key);
    ASSERT_EQ(Find(key), it == model.end()
                             ? std::nullopt
                             : std::optional(EntryOf(it->second)));
  }
  size_t visited = 0;
  table().ForEach([&](const Digest& digest, const VerifyEntry& entry) {
    ++visited;
    uint64_t key = 0;
    std::memcpy(&key, digest.bytes().data(), sizeof(key));
    EXPECT_EQ(entry, EntryOf(model.at(key)));
  });
  EXPECT_EQ(visited, model.size());
}

TEST_F(VerifyTableTest, TakesLessThanNinetyBytesForEachTokenAsItGrows) {
  uint64_t tokens = 0;
  for (const uint64_t goal : {50'000, 70'000, 110'000, 150'000, 230'000}) {
    while (tokens < goal) {
      ASSERT_TRUE(Put(tokens, tokens));
      ++tokens;
    }
    EXPECT_LE(static_cast<double>(table().bytes()),
              90.0 * static_cast<double>(tokens));
  }
}

TEST_F(VerifyTableTest, ChurnDoesNotMakeItGrow) {
  for (uint64_t i = 0; i < 10'000; ++i) ASSERT_TRUE(Put(i, i));
  const uint64_t before = table().bytes();
  for (uint64_t i = 10'000; i < 500'000; ++i) {
    table().Erase(KeyOf(i - 10'000));
    ASSERT_TRUE(Put(i, i));
  }
  EXPECT_EQ(table().size(), 10'000);
  EXPECT_LE(table().bytes(), before + before / 4);
}

TEST_F(VerifyTableTest, DropsWhatIsForgottenBeforeItGrows) {
  for (uint64_t i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(Put(i, 2));  // Expires at 2, neither revoked nor unknown.
  }
  const uint64_t before = table().bytes();
  cutoff_ = {.expired = 2, .revoked = 2};
  for (uint64_t i = 10'000; i < 20'000; ++i) ASSERT_TRUE(Put(i, i));
  EXPECT_LE(table().size(), 11'000);
  EXPECT_LE(table().bytes(), before + before / 4);
  for (uint64_t i = 10'000; i < 20'000; ++i) ASSERT_EQ(Find(i), EntryOf(i));
}

TEST_F(VerifyTableTest, RefusesMoreThanItsMemoryHolds) {
  Make(kSmallest * 4);
  uint64_t refused = 0;
  std::vector<uint64_t> kept;
  for (uint64_t i = 0; i < 10'000; ++i) {
    if (Put(i, i)) {
      kept.push_back(i);
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_LE(table().bytes(), kSmallest * 4);
  EXPECT_GE(kept.size(), table().slots() * 13 / 16);
  for (const uint64_t key : kept) ASSERT_EQ(Find(key), EntryOf(key));
  EXPECT_EQ(Filled::kFull, Fill(99'999, 1, table().Ticket(KeyOf(99'999))));
}

TEST_F(VerifyTableTest, ReplacesWhatWasNotUsed) {
  Make(kSmallest * 4);
  constexpr uint64_t kUsed = 300;
  for (uint64_t i = 0; i < kUsed; ++i) ASSERT_TRUE(Put(i, i));
  for (uint64_t i = kUsed; i < 100'000; ++i) {
    Put(i, i, IfFull::kReplace);
    if (i % 20 == 0) {
      for (uint64_t used = 0; used < kUsed; ++used) Find(used);
    }
  }
  EXPECT_LE(table().bytes(), kSmallest * 4);
  uint64_t kept = 0;
  for (uint64_t i = 0; i < 100'000; ++i) {
    const auto entry = Find(i);
    if (!entry.has_value()) continue;
    ASSERT_EQ(entry, EntryOf(i));
    if (i < kUsed) ++kept;
  }
  EXPECT_GE(kept, kUsed * 9 / 10);
}

// --- Late fills ---

TEST_F(VerifyTableTest, AFillDoesNotReplaceWhatIsThere) {
  const uint64_t ticket = table().Ticket(KeyOf(1));
  ASSERT_TRUE(Put(1, 11));
  EXPECT_EQ(Fill(1, 4, ticket), Filled::kYes);
  EXPECT_EQ(Find(1), EntryOf(11));
}

TEST_F(VerifyTableTest, AFillIsTooLateAfterAnErase) {
  ASSERT_TRUE(Put(1, 4));
  const uint64_t ticket = table().Ticket(KeyOf(1));
  table().Erase(KeyOf(1));
  EXPECT_EQ(Fill(1, 4, ticket), Filled::kTooLate);
  EXPECT_EQ(Find(1), std::nullopt);
  EXPECT_EQ(Fill(1, 4, table().Ticket(KeyOf(1))), Filled::kYes);
}

TEST_F(VerifyTableTest, AFillIsTooLateAfterAChangeThatWasNotKept) {
  const uint64_t ticket = table().Ticket(KeyOf(1));
  table().PutIfPresent(KeyOf(1), EntryOf(11));
  EXPECT_EQ(Fill(1, 4, ticket), Filled::kTooLate);
}

TEST_F(VerifyTableTest, AFillIsTooLateAfterAPutThatHadNoRoom) {
  Make(kSmallest);
  uint64_t refused = 0;
  while (Put(refused, refused)) ++refused;
  const uint64_t ticket = table().Ticket(KeyOf(refused));
  EXPECT_FALSE(Put(refused, 11));
  EXPECT_EQ(Fill(refused, 4, ticket, IfFull::kReplace), Filled::kTooLate);
}

TEST_F(VerifyTableTest, AFillIsTooLateAfterAReplacement) {
  Make(kSmallest);
  ASSERT_TRUE(Put(0, 11));
  const uint64_t ticket = table().Ticket(KeyOf(0));
  for (uint64_t i = 1; i < 100'000; ++i) Put(i, i, IfFull::kReplace);
  ASSERT_EQ(Find(0), std::nullopt);
  EXPECT_EQ(Fill(0, 4, ticket, IfFull::kReplace), Filled::kTooLate);
}

TEST_F(VerifyTableTest, AFillIsTooLateAfterADropOfWhatIsForgotten) {
  ASSERT_TRUE(Put(0, 2));
  const uint64_t ticket = table().Ticket(KeyOf(0));
  cutoff_ = {.expired = 2, .revoked = 2};
  for (uint64_t i = 1; i < 10'000; ++i) ASSERT_TRUE(Put(i, i + 10));
  ASSERT_EQ(Find(0), std::nullopt);
  EXPECT_EQ(Fill(0, 4, ticket), Filled::kTooLate);
}

// --- Threads ---

// Readers meet neither a mix of two entries, nor a gap where a key has always
// been, while entries change and segments grow.
TEST_F(VerifyTableTest, ReadersSeeWholeEntries) {
  constexpr uint64_t kKeys = 64;
  for (uint64_t key = 0; key < kKeys; ++key) ASSERT_TRUE(Put(key, key));
  std::atomic<bool> done = false;
  std::atomic<uint64_t> unsure = 0;
  std::atomic<uint64_t> reads = 0;
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&] {
      for (uint64_t i = 0; !done; ++i) {
        VerifyEntry entry;
        switch (table().Find(KeyOf(i % kKeys), entry, true)) {
          case Found::kYes: {
            const uint64_t value = entry.scopes;
            ASSERT_EQ(entry, EntryOf(value));
            ASSERT_EQ(value % kKeys, i % kKeys);
            break;
          }
          case Found::kNo:
            FAIL() << "a key is missing";
          case Found::kUnsure:
            ++unsure;
        }
        ++reads;
      }
    });
  }
  for (uint64_t i = 0; i < 200'000; ++i) {
    ASSERT_TRUE(Put(i % kKeys, i % kKeys + kKeys * (i % 1000)));
    ASSERT_TRUE(Put(kKeys + i, i));
    if (i % 3 == 0) table().Erase(KeyOf(kKeys + i / 2));
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_GT(reads, 0);
  EXPECT_LT(unsure, reads);
}

TEST(VerifyTableCreateTest, TooLittleMemoryIsAnError) {
  EXPECT_THAT(VerifyTable::Create(kSmallest - 1),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace tokendb::testing
