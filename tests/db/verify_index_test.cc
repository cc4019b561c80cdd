// Authenticate() and AuthenticateMany() with a verify index.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "rocksdb/perf_context.h"
#include "rocksdb/perf_level.h"
#include "tests/support/database_peer.h"
#include "tests/support/database_test.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;

class VerifyIndexTest : public DatabaseTest,
                        public ::testing::WithParamInterface<VerifyMode> {
 protected:
  void SetUp() override { Start(GetParam()); }

  void Start(VerifyMode mode, size_t max_bytes = size_t{16} << 20) {
    options().verify = {.mode = mode, .max_bytes = max_bytes};
    Reopen();
    ASSERT_THAT(db().AwaitVerifyIndex(absl::Minutes(1)), IsOk());
  }

  VerifyStats Stats() {
    const auto stats = db().Stats();
    EXPECT_THAT(stats, IsOk());
    return stats->verify;
  }

  static Digest Numbered(int number) {
    return DigestOf(absl::StrCat("token ", number));
  }

  void IssueMany(int first, int count) {
    std::vector<Token> tokens(static_cast<size_t>(count));
    for (Token& token : tokens) {
      token.digest = Numbered(first++);
      token.scopes = {"read_builds"};
    }
    ASSERT_THAT(db().IssueBatch(tokens, kFast), IsOk());
  }
};

INSTANTIATE_TEST_SUITE_P(, VerifyIndexTest,
                         ::testing::Values(VerifyMode::kOff,
                                           VerifyMode::kBounded,
                                           VerifyMode::kComplete),
                         [](const auto& info) {
                           switch (info.param) {
                             case VerifyMode::kOff:
                               return "Off";
                             case VerifyMode::kBounded:
                               return "Bounded";
                             case VerifyMode::kComplete:
                               break;
                           }
                           return "Complete";
                         });

TEST_P(VerifyIndexTest, AnswersSayTheStateTheIdTheExpiryAndTheScopes) {
  const absl::Time expiry = Now() + absl::Hours(1);
  const TokenId id = Issue({.digest = Numbered(1),
                            .scopes = {"read_builds", "write_builds"},
                            .expires_at = expiry});
  for (int round = 0; round < 3; ++round) {
    const auto answer = db().Authenticate(Numbered(1));
    ASSERT_THAT(answer, IsOk());
    EXPECT_EQ(answer->state, TokenState::kLive);
    EXPECT_EQ(answer->id, id);
    EXPECT_EQ(answer->expires_at, expiry);
    EXPECT_TRUE(db().Grants(answer->scopes, "read_builds"));
    EXPECT_FALSE(db().Grants(answer->scopes, "read_builds2"));
    EXPECT_THAT(*db().ScopeNames(answer->scopes),
                ElementsAre("read_builds", "write_builds"));
  }
  const auto unknown = db().Authenticate(Numbered(2));
  ASSERT_THAT(unknown, IsOk());
  EXPECT_EQ(unknown->state, TokenState::kUnknown);
  EXPECT_TRUE(unknown->id.IsNil());
  EXPECT_TRUE(unknown->scopes.IsEmpty());
  EXPECT_EQ(unknown->expires_at, std::nullopt);
}

TEST_P(VerifyIndexTest, ExpiresAtTheMillisecond) {
  Issue({.digest = Numbered(1), .expires_at = Now() + absl::Seconds(1)});
  EXPECT_EQ(StateBy(Numbered(1)), TokenState::kLive);
  clock().Advance(absl::Milliseconds(999));
  EXPECT_EQ(StateBy(Numbered(1)), TokenState::kLive);
  clock().Advance(absl::Milliseconds(1));
  EXPECT_EQ(StateBy(Numbered(1)), TokenState::kExpired);
}

TEST_P(VerifyIndexTest, ChangesThatBeginLaterBeginAtTheMillisecond) {
  const TokenId id = Issue(
      {.digest = Numbered(1), .not_before = Now() + absl::Milliseconds(10)});
  EXPECT_EQ(StateBy(Numbered(1)), TokenState::kNotYetValid);
  clock().Advance(absl::Milliseconds(9));
  EXPECT_EQ(StateBy(Numbered(1)), TokenState::kNotYetValid);
  clock().Advance(absl::Milliseconds(1));
  EXPECT_EQ(StateBy(Numbered(1)), TokenState::kLive);
  ASSERT_THAT(db().Revoke(id, {.at = Now() + absl::Milliseconds(10)}), IsOk());
  EXPECT_EQ(StateBy(Numbered(1)), TokenState::kLive);
  clock().Advance(absl::Milliseconds(10));
  EXPECT_EQ(StateBy(Numbered(1)), TokenState::kRevoked);
}

TEST_P(VerifyIndexTest, FollowsEveryKindOfChange) {
  const TokenId id = Issue({.digest = Numbered(1), .scopes = {"a"}});
  ASSERT_EQ(StateBy(Numbered(1)), TokenState::kLive);
  TokenPatch patch;
  patch.enabled = false;
  ASSERT_THAT(db().Update(id, patch), IsOk());
  EXPECT_EQ(StateBy(Numbered(1)), TokenState::kDisabled);
  patch.enabled = true;
  patch.scopes = std::vector<std::string>{"b"};
  ASSERT_THAT(db().Update(id, patch), IsOk());
  EXPECT_THAT(*db().ScopeNames(db().Authenticate(Numbered(1))->scopes),
              ElementsAre("b"));
  patch = {};
  patch.digest = Numbered(2);
  ASSERT_THAT(db().Update(id, patch), IsOk());
  EXPECT_EQ(StateBy(Numbered(1)), TokenState::kUnknown);
  EXPECT_EQ(StateBy(Numbered(2)), TokenState::kLive);
  ASSERT_THAT(db().RevokeAll({.scopes = {.all_of = {"b"}}}), IsOk());
  EXPECT_EQ(StateBy(Numbered(2)), TokenState::kRevoked);
  ASSERT_THAT(db().Delete(id), IsOk());
  EXPECT_EQ(StateBy(Numbered(2)), TokenState::kUnknown);
}

TEST_P(VerifyIndexTest, AnExpiredTokensDigestPassesToTheNext) {
  Issue({.digest = Numbered(1), .expires_at = Now() + absl::Seconds(1)});
  ASSERT_EQ(StateBy(Numbered(1)), TokenState::kLive);
  clock().Advance(absl::Seconds(1));
  ASSERT_EQ(StateBy(Numbered(1)), TokenState::kExpired);
  const TokenId next = Issue({.digest = Numbered(1)});
  EXPECT_EQ(StateBy(Numbered(1)), TokenState::kLive);
  EXPECT_EQ(db().Authenticate(Numbered(1))->id, next);
}

TEST_P(VerifyIndexTest, ForgottenTokensAreUnknown) {
  options().retain_expired = absl::Seconds(60);
  Reopen();
  Issue({.digest = Numbered(1), .expires_at = Now() + absl::Seconds(1)});
  ASSERT_EQ(StateBy(Numbered(1)), TokenState::kLive);
  clock().Advance(absl::Seconds(60));
  EXPECT_EQ(StateBy(Numbered(1)), TokenState::kExpired);
  clock().Advance(absl::Seconds(1));
  EXPECT_EQ(StateBy(Numbered(1)), TokenState::kUnknown);
}

// More distinct scopes than have a bit of their own.
TEST_P(VerifyIndexTest, KeepsSetsOfAnyScopes) {
  for (int i = 0; i < 200; ++i) {
    Issue({.digest = Numbered(i),
           .scopes = {absl::StrCat("repo:", i), "common"}});
  }
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 200; ++i) {
      const auto answer = db().Authenticate(Numbered(i));
      ASSERT_THAT(answer, IsOk());
      EXPECT_TRUE(db().Grants(answer->scopes, absl::StrCat("repo:", i)));
      EXPECT_TRUE(db().Grants(answer->scopes, "common"));
      EXPECT_FALSE(db().Grants(answer->scopes, absl::StrCat("repo:", i + 1)));
      EXPECT_THAT(*db().ScopeNames(answer->scopes),
                  ElementsAre("common", absl::StrCat("repo:", i)));
    }
  }
}

TEST_P(VerifyIndexTest, ManyAnswersAreThoseOfOneByOne) {
  IssueMany(0, 500);
  std::vector<Digest> digests;
  for (int i = 0; i < 1000; i += 3) digests.push_back(Numbered(i));
  std::vector<Authentication> answers(digests.size());
  // What was in the results before does not stay.
  for (Authentication& answer : answers) answer.state = TokenState::kLive;
  ASSERT_THAT(db().AuthenticateMany(digests, absl::MakeSpan(answers)), IsOk());
  for (size_t i = 0; i < digests.size(); ++i) {
    const auto one = db().Authenticate(digests[i]);
    ASSERT_THAT(one, IsOk());
    EXPECT_EQ(answers[i].state, one->state);
    EXPECT_EQ(answers[i].id, one->id);
  }
  answers.pop_back();
  EXPECT_THAT(db().AuthenticateMany(digests, absl::MakeSpan(answers)),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(db().AuthenticateMany({}, {}), IsOk());
}

// A commit that failed may have come into effect.
TEST_P(VerifyIndexTest, AnUncertainRowIsReadFromTheStore) {
  if (GetParam() == VerifyMode::kOff) return;
  Issue({.digest = Numbered(1)});
  ASSERT_EQ(StateBy(Numbered(1)), TokenState::kLive);
  const RowObserver::Row row{.key = std::string(Numbered(1).bytes())};
  DatabasePeer::VerifyIndexOf(db()).Uncertain({&row, 1});
  const RowObserver::Row other{.key = std::string(Numbered(2).bytes())};
  DatabasePeer::VerifyIndexOf(db()).Uncertain({&other, 1});
  EXPECT_EQ(StateBy(Numbered(1)), TokenState::kLive);
  EXPECT_EQ(StateBy(Numbered(2)), TokenState::kUnknown);
}

// A reader read a row while the token was live, and is about to keep it when
// the token has been revoked.
TEST_P(VerifyIndexTest, ASlowReaderDoesNotReviveARevokedToken) {
  if (GetParam() == VerifyMode::kOff) return;
  const Digest digest = Numbered(1);
  const TokenId id = Issue({.digest = digest});
  VerifyIndex& index = DatabasePeer::VerifyIndexOf(db());
  const VerifyIndex::Key key = index.KeyOf(digest);
  const uint64_t ticket = index.Ticket(key);
  PinnedValue value;
  ASSERT_THAT(DatabasePeer::StoreOf(db()).Get(nullptr, Family::kDigest,
                                              digest.bytes(), value),
              IsOkAndHolds(true));
  const auto row = ParseDigestRow(digest, value.view());
  ASSERT_THAT(row, IsOk());
  ASSERT_THAT(db().Revoke(id), IsOk());
  index.Offer(key, ticket, *row);
  EXPECT_EQ(StateBy(digest), TokenState::kRevoked);
}

// Scenario 140. How fast that is, bench/lookup measures.
TEST_P(VerifyIndexTest, AnyNumberOfThreadsMayAskForOneToken) {
  Issue({.digest = Numbered(1)});
  std::atomic<int> live = 0;
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 64; ++reader) {
    readers.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        const auto answer = db().Authenticate(Numbered(1));
        live += answer.ok() && answer->state == TokenState::kLive ? 1 : 0;
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(live, 64 * 500);
}

// Whoever looks a token up after its revocation was acknowledged meets it.
TEST_P(VerifyIndexTest, ARevocationIsSeenByEveryLaterLookUp) {
  constexpr int kTokens = 400;
  std::vector<TokenId> ids;
  for (int i = 0; i < kTokens; ++i) {
    ids.push_back(Issue({.digest = Numbered(i)}));
  }
  std::atomic<int> revoked = 0;  // Tokens below it are.
  std::atomic<bool> failed = false;
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&] {
      int before = 0;
      while ((before = revoked) < kTokens && !failed) {
        // The one being revoked, and those just revoked.
        for (int i = std::max(0, before - 2); i <= before && i < kTokens; ++i) {
          const auto answer = db().Authenticate(Numbered(i));
          const bool live = answer.ok() && answer->state == TokenState::kLive;
          if (!answer.ok() || (i < before && live)) failed = true;
        }
      }
    });
  }
  for (int i = 0; i < kTokens; ++i) {
    const bool ok = db().Revoke(ids[static_cast<size_t>(i)],
                                {.durability = Durability::kBuffered})
                        .ok();
    const auto answer = db().Authenticate(Numbered(i));
    if (!ok || !answer.ok() || answer->state != TokenState::kRevoked) {
      failed = true;
    }
    revoked = i + 1;
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_FALSE(failed);
}

// --- Complete ---

class CompleteVerifyIndexTest : public VerifyIndexTest {
 protected:
  void SetUp() override { Start(VerifyMode::kComplete); }
  std::string FilePath() const { return path() + "/verify"; }
};

INSTANTIATE_TEST_SUITE_P(, CompleteVerifyIndexTest,
                         ::testing::Values(VerifyMode::kComplete),
                         [](const auto&) { return "Complete"; });

TEST_P(CompleteVerifyIndexTest, ReadsNothingFromTheStore) {
  IssueMany(0, 100);
  const TokenId id = Issue({.digest = Numbered(100)});
  ASSERT_THAT(db().Revoke(id), IsOk());
  EXPECT_TRUE(Stats().is_complete);
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableCount);
  rocksdb::get_perf_context()->Reset();
  for (int i = 0; i < 200; ++i) {
    ASSERT_THAT(db().Authenticate(Numbered(i)), IsOk());
  }
  EXPECT_EQ(rocksdb::get_perf_context()->user_key_comparison_count, 0);
  EXPECT_EQ(rocksdb::get_perf_context()->get_from_memtable_count, 0);
  // The counters count: this does read.
  ASSERT_THAT(db().Introspect(Numbered(1)), IsOk());
  EXPECT_GT(rocksdb::get_perf_context()->user_key_comparison_count, 0);
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
}

TEST_P(CompleteVerifyIndexTest, SaysHowMuchMemoryItTakes) {
  IssueMany(0, 20'000);
  const VerifyStats stats = Stats();
  EXPECT_TRUE(stats.is_on);
  EXPECT_TRUE(stats.is_complete);
  EXPECT_FALSE(stats.is_filling);
  EXPECT_EQ(stats.tokens, 20'000);
  EXPECT_GE(stats.slots, stats.tokens);
  EXPECT_LE(stats.bytes_per_token(), 90);
  EXPECT_GE(stats.bytes_per_token(), 64);
  EXPECT_LE(stats.bytes, stats.max_bytes);
}

TEST_P(CompleteVerifyIndexTest, AnswersWhileItIsFilledAndTokensChange) {
  constexpr int kTokens = 20'000;
  IssueMany(0, kTokens);
  Close();
  std::filesystem::remove(FilePath());
  options().verify.mode = VerifyMode::kComplete;
  Reopen();
  // Each kind of change, all over the table, while it is being filled.
  std::vector<TokenState> expected(kTokens, TokenState::kLive);
  for (int i = 0; i < kTokens; i += 41) {
    const auto answer = db().Authenticate(Numbered(i));
    ASSERT_THAT(answer, IsOk());
    ASSERT_EQ(answer->state, TokenState::kLive) << i;
    if (i % 2 == 0) {
      ASSERT_THAT(
          db().Revoke(answer->id, {.durability = Durability::kBuffered}),
          IsOk());
      expected[static_cast<size_t>(i)] = TokenState::kRevoked;
    } else {
      ASSERT_THAT(
          db().Delete(answer->id, {.durability = Durability::kBuffered}),
          IsOk());
      expected[static_cast<size_t>(i)] = TokenState::kUnknown;
    }
  }
  ASSERT_THAT(db().AwaitVerifyIndex(absl::Minutes(1)), IsOk());
  EXPECT_TRUE(Stats().is_complete) << Stats().last_error;
  for (int i = 0; i < kTokens; ++i) {
    ASSERT_EQ(StateBy(Numbered(i)), expected[static_cast<size_t>(i)]) << i;
  }
  ASSERT_EQ(StateBy(Numbered(kTokens)), TokenState::kUnknown);
}

TEST_P(CompleteVerifyIndexTest, GoesOnAsABoundedOneWithoutMemory) {
  Start(VerifyMode::kComplete, size_t{256} << 10);
  IssueMany(0, 10'000);
  EXPECT_FALSE(Stats().is_complete);
  EXPECT_THAT(Stats().last_error,
              StatusIs(absl::StatusCode::kResourceExhausted));
  const auto check = [&] {
    for (int i = 0; i < 10'000; i += 7) {
      ASSERT_EQ(StateBy(Numbered(i)), TokenState::kLive) << i;
    }
    EXPECT_EQ(StateBy(Numbered(10'000)), TokenState::kUnknown);
    EXPECT_LE(Stats().bytes, size_t{256} << 10);
  };
  check();
  // The same when it is filled.
  Reopen();
  ASSERT_THAT(db().AwaitVerifyIndex(absl::Minutes(1)), IsOk());
  EXPECT_FALSE(Stats().is_complete);
  check();
  ASSERT_THAT(db().Revoke(db().Authenticate(Numbered(3))->id), IsOk());
  EXPECT_EQ(StateBy(Numbered(3)), TokenState::kRevoked);
}

// --- The file ---

TEST_P(CompleteVerifyIndexTest, IsKeptWhenTheDatabaseIsClosed) {
  IssueMany(0, 3000);
  const TokenId id = Issue({.digest = Numbered(3000)});
  ASSERT_THAT(db().Revoke(id), IsOk());
  EXPECT_FALSE(std::filesystem::exists(FilePath()));
  Close();
  ASSERT_TRUE(std::filesystem::exists(FilePath()));
  EXPECT_EQ(
      std::filesystem::status(FilePath()).permissions(),
      std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  Reopen();
  EXPECT_FALSE(std::filesystem::exists(FilePath()));
  ASSERT_THAT(db().AwaitVerifyIndex(absl::Minutes(1)), IsOk());
  EXPECT_TRUE(Stats().is_complete);
  EXPECT_TRUE(Stats().is_from_file);
  EXPECT_EQ(Stats().tokens, 3001);
  for (int i = 0; i < 3000; ++i) {
    ASSERT_EQ(StateBy(Numbered(i)), TokenState::kLive) << i;
  }
  EXPECT_EQ(StateBy(Numbered(3000)), TokenState::kRevoked);
  EXPECT_EQ(StateBy(Numbered(3001)), TokenState::kUnknown);
}

TEST_P(CompleteVerifyIndexTest, AFileOfAnEarlierStateIsNotRead) {
  const TokenId id = Issue({.digest = Numbered(1)});
  Close();
  const std::string copy = path() + ".copy";
  std::filesystem::copy_file(FilePath(), copy);
  options().verify.mode = VerifyMode::kOff;
  Reopen();
  ASSERT_THAT(db().Revoke(id), IsOk());
  Issue({.digest = Numbered(2)});
  Close();
  EXPECT_FALSE(std::filesystem::exists(FilePath()));
  std::filesystem::rename(copy, FilePath());
  Start(VerifyMode::kComplete);
  EXPECT_TRUE(Stats().is_complete);
  EXPECT_FALSE(Stats().is_from_file);
  EXPECT_EQ(StateBy(Numbered(1)), TokenState::kRevoked);
  EXPECT_EQ(StateBy(Numbered(2)), TokenState::kLive);
}

TEST_P(CompleteVerifyIndexTest, AnUnfinishedFileIsRemoved) {
  Close();
  const std::string unfinished = FilePath() + ".tmp";
  std::fclose(std::fopen(unfinished.c_str(), "w"));
  options().verify.mode = VerifyMode::kOff;
  Reopen();
  EXPECT_FALSE(std::filesystem::exists(unfinished));
}

TEST_P(CompleteVerifyIndexTest, ADamagedFileIsNotBelieved) {
  IssueMany(0, 50);
  Close();
  const auto bytes =
      static_cast<size_t>(std::filesystem::file_size(FilePath()));
  const std::string whole = path() + ".whole";
  std::filesystem::copy_file(FilePath(), whole);
  for (size_t at = 0; at < bytes; at += 37) {
    std::filesystem::copy_file(
        whole, FilePath(), std::filesystem::copy_options::overwrite_existing);
    std::FILE* const file = std::fopen(FilePath().c_str(), "r+");
    ASSERT_NE(file, nullptr);
    std::fseek(file, static_cast<long>(at), SEEK_SET);
    const int byte = std::fgetc(file);
    std::fseek(file, static_cast<long>(at), SEEK_SET);
    std::fputc(byte ^ 0x10, file);
    std::fclose(file);
    if (at % 2 == 0) std::filesystem::resize_file(FilePath(), at);
    Reopen();
    ASSERT_THAT(db().AwaitVerifyIndex(absl::Minutes(1)), IsOk());
    EXPECT_TRUE(Stats().is_complete);
    EXPECT_FALSE(Stats().is_from_file);
    EXPECT_EQ(Stats().tokens, 50);
    for (int i = 0; i < 51; ++i) {
      ASSERT_EQ(StateBy(Numbered(i)),
                i < 50 ? TokenState::kLive : TokenState::kUnknown);
    }
    Close();
  }
  Reopen();
}

}  // namespace
}  // namespace tokendb::testing
