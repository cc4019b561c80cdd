// Several threads at once. Run it under the thread sanitizer.
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/database_test.h"

namespace tokendb::testing {
namespace {

using ::testing::SizeIs;

class ConcurrencyTest : public DatabaseTest {
 protected:
  static void InThreads(int count, const std::function<void(int)>& work) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back(work, i);
    for (std::thread& thread : threads) thread.join();
  }
};

TEST_F(ConcurrencyTest, OneIdIsIssuedOnce) {
  for (int round = 1; round <= 20; ++round) {
    std::atomic<int> issued = 0;
    InThreads(4, [&](int) {
      const auto id = db().Issue({.id = FromNumber(round)}, kFast);
      if (id.ok()) {
        ++issued;
      } else {
        EXPECT_THAT(id, StatusIs(absl::StatusCode::kAlreadyExists));
      }
    });
    EXPECT_EQ(issued, 1);
  }
}

// Batches that want the same digests in opposite orders neither block each
// other for ever nor both succeed.
TEST_F(ConcurrencyTest, OverlappingBatchesExcludeEachOther) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> issued = 0;
    InThreads(4, [&](int thread) {
      std::vector<Token> tokens;
      for (int i = 0; i < 10; ++i) {
        const int number = thread % 2 == 0 ? i : 9 - i;
        tokens.push_back({.digest = DigestOf(absl::StrCat(round, " ", number)),
                          .owner = OwnedBy("ada")});
      }
      if (db().IssueBatch(tokens, kFast).ok()) ++issued;
    });
    EXPECT_EQ(issued, 1);
    EXPECT_EQ(CountOf({.owners = {"ada"}}), 10 * (round + 1));
  }
}

TEST_F(ConcurrencyTest, AnExpiredDigestPassesToOneOfManyHeirs) {
  for (int round = 0; round < 20; ++round) {
    const Digest digest = DigestOf("s");
    std::atomic<int> heirs = 0;
    clock().Advance(absl::Hours(2));
    InThreads(4, [&](int thread) {
      const absl::Time end = Now() + absl::Hours(1);
      if (thread % 2 == 0) {
        const auto id =
            db().Issue({.digest = digest, .expires_at = end}, kFast);
        heirs += id.ok() ? 1 : 0;
        return;
      }
      const TokenId id = Issue({.expires_at = end});
      TokenPatch patch;
      patch.digest = digest;
      const auto updated =
          db().Update(id, patch, {.durability = Durability::kBuffered});
      heirs += updated.ok() ? 1 : 0;
    });
    EXPECT_EQ(heirs, 1);
    EXPECT_EQ(StateBy(digest), TokenState::kLive);
  }
}

// While a digest passes from expired tokens to new ones there is always one
// that has it.
TEST_F(ConcurrencyTest, ADigestThatPassesOnIsNeverUnknown) {
  const Digest digest = DigestOf("s");
  Issue({.digest = digest, .expires_at = Now() - absl::Hours(1)});
  std::atomic<bool> done = false;
  std::atomic<int> unknown = 0;
  std::atomic<int> not_found = 0;
  InThreads(3, [&](int thread) {
    if (thread == 0) {
      for (int i = 0; i < 3000; ++i) {
        Issue({.digest = digest, .expires_at = Now() - absl::Hours(1)});
      }
      done = true;
      return;
    }
    while (!done) {
      const auto answer = db().Authenticate(digest);
      if (!answer.ok() || answer->state == TokenState::kUnknown) ++unknown;
      if (!db().GetByDigest(digest).ok()) ++not_found;
    }
  });
  EXPECT_EQ(unknown, 0);
  EXPECT_EQ(not_found, 0);
}

// A list sees each token under one of its owners, never both or none: all
// reads of a call are of one state.
TEST_F(ConcurrencyTest, ReadersSeeWholeChanges) {
  const TokenId id = Issue({.owner = OwnedBy("ada"), .scopes = {"ada"}});
  std::atomic<bool> done = false;
  InThreads(3, [&](int thread) {
    if (thread == 0) {
      for (int i = 0; i < 1500; ++i) {
        const std::string owner = i % 2 == 0 ? "bob" : "ada";
        TokenPatch patch;
        patch.owner = OwnedBy(owner);
        patch.scopes = std::vector<std::string>{owner};
        patch.expires_at = Now() + absl::Hours(1 + i % 7);
        EXPECT_THAT(
            db().Update(id, patch, {.durability = Durability::kBuffered}),
            IsOk());
      }
      done = true;
      return;
    }
    while (!done) {
      const auto page = db().List({.owners = {"ada", "bob"}});
      ASSERT_THAT(page, IsOk());
      ASSERT_THAT(page->tokens, SizeIs(1));
      EXPECT_EQ(page->tokens[0].scopes[0], page->tokens[0].owner->id);
      const auto groups = db().CountBy({}, Grouping::kScope);
      ASSERT_THAT(groups, IsOk());
      EXPECT_THAT(groups->groups, SizeIs(1));
    }
  });
}

TEST_F(ConcurrencyTest, AllKindsOfCallsTogetherLeaveASoundDatabase) {
  InThreads(4, [&](int thread) {
    for (int i = 0; i < 300; ++i) {
      const int number = 1 + (i * 7 + thread * 3) % 40;
      const TokenId id = FromNumber(number);
      const std::string owner = absl::StrCat("owner ", number % 4);
      TokenPatch patch;
      patch.owner = OwnedBy(absl::StrCat("owner ", i % 4));
      patch.scopes = std::vector<std::string>{absl::StrCat("scope ", i % 50),
                                              absl::StrCat("s", thread)};
      patch.digest = DigestOf(absl::StrCat(i % 20));
      const Durability fast = Durability::kBuffered;
      switch ((i + thread) % 8) {
        case 0:
          db().Issue({.id = id, .owner = OwnedBy(owner)}, kFast).IgnoreError();
          break;
        case 1:
        case 2:
          db().Update(id, patch, {.durability = fast}).IgnoreError();
          break;
        case 3:
          db().Revoke(id, {.durability = fast}).IgnoreError();
          break;
        case 4:
          db().Delete(id, {.durability = fast}).IgnoreError();
          break;
        case 5:
          db().RevokeAll({.owners = {owner}}, {.durability = fast})
              .IgnoreError();
          break;
        case 6:
          EXPECT_THAT(db().List({.owners = {owner}}), IsOk());
          EXPECT_THAT(db().Authenticate(DigestOf(absl::StrCat(i % 20))),
                      IsOk());
          break;
        case 7:
          if (i % 40 == 7) {
            EXPECT_THAT(db().Flush(), IsOk());
          }
          clock().Advance(absl::Seconds(1));
          break;
      }
    }
  });
  // TearDown() checks it.
}

TEST_F(ConcurrencyTest, NewScopesGetOneNumberEach) {
  InThreads(4, [&](int thread) {
    for (int i = 0; i < 100; ++i) {
      Issue({.scopes = {absl::StrCat("new ", i), absl::StrCat("t", thread)}});
    }
  });
  const auto stats = db().Stats();
  ASSERT_THAT(stats, IsOk());
  EXPECT_EQ(stats->scopes, 104);
  EXPECT_EQ(CountOf({.scopes = {.all_of = {"new 50"}}}), 4);
  Reopen();
  EXPECT_EQ(CountOf({.scopes = {.all_of = {"new 50", "t3"}}}), 1);
}

}  // namespace
}  // namespace tokendb::testing
