// The fixture of all tests of a database.
#ifndef TOKENDB_TESTS_SUPPORT_DATABASE_TEST_H_
#define TOKENDB_TESTS_SUPPORT_DATABASE_TEST_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_clock.h"
#include "tests/support/token_printing.h"
#include "tokendb/db.h"

namespace tokendb::testing {

class DatabaseTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  void TearDown() override {
    if (db_ == nullptr) return;
    const absl::StatusOr<CheckReport> report = db_->Check();
    ASSERT_THAT(report, IsOk());
    if (expect_clean_) {
      EXPECT_EQ(report->problems_found, 0) << report->problems.front().detail;
    }
  }

  // Closes the database, if it is open, and opens it again.
  void Reopen() {
    db_.reset();
    auto opened = Database::Open(path(), options_);
    ASSERT_THAT(opened, IsOk());
    db_ = *std::move(opened);
  }

  // For the next Reopen(). Unless a test says otherwise nothing is forgotten.
  OpenOptions& options() { return options_; }
  void Close() { db_.reset(); }

  // Issues a token and returns its id.
  TokenId Issue(const Token& token) {
    const absl::StatusOr<TokenId> id = db_->Issue(token, kFast);
    EXPECT_THAT(id, IsOk());
    return id.ok() ? *id : TokenId();
  }

  // The ids of all pages of `query`, read in pages of `limit`.
  std::vector<TokenId> Ids(Query query) {
    std::vector<TokenId> ids;
    do {
      const absl::StatusOr<Page> page = db_->List(query);
      EXPECT_THAT(page, IsOk());
      if (!page.ok()) return ids;
      for (const Token& token : page->tokens) ids.push_back(token.id);
      query.continuation = page->continuation;
    } while (!query.continuation.empty());
    return ids;
  }

  uint64_t CountOf(const Query& query) {
    const absl::StatusOr<CountResult> result = db_->Count(query);
    EXPECT_THAT(result, IsOk());
    return result.ok() ? result->count : 0;
  }

  TokenState StateBy(const Digest& digest) {
    const absl::StatusOr<Authentication> answer = db_->Authenticate(digest);
    EXPECT_THAT(answer, IsOk());
    const absl::StatusOr<Introspection> more = db_->Introspect(digest);
    EXPECT_THAT(more, IsOk());
    if (!answer.ok() || !more.ok()) return TokenState::kUnknown;
    EXPECT_EQ(answer->state, more->state);
    EXPECT_EQ(answer->id, more->id);
    return answer->state;
  }

  // The token as it is stored now.
  Token Stored(const TokenId& id) {
    const absl::StatusOr<Token> token = db_->Get(id);
    EXPECT_THAT(token, IsOk());
    return token.ok() ? *token : Token();
  }

  // Ids in the order of their numbers, 1 to 255.
  static TokenId FromNumber(int number) {
    std::array<char, TokenId::kSize> bytes{};
    bytes.back() = static_cast<char>(number);
    return TokenId(bytes);
  }

  static Digest DigestOf(const std::string& secret) {
    return *Digest::OfSecret(secret);
  }

  absl::Time Now() const { return clock_.Now(); }
  TestClock& clock() { return clock_; }
  Database& db() { return *db_; }
  std::string path() const { return dir_ / "db"; }

  // Tests that damage the database on purpose say so.
  void ExpectDamage() { expect_clean_ = false; }

  // Tests do not lose power.
  static constexpr WriteOptions kFast = {.durability = Durability::kBuffered};

 private:
  // All tests hold with a verify index as well: they are run once more with
  // each kind, a bounded one that has room for few tokens.
  static VerifyIndexOptions VerifyFromEnvironment() {
    const char* const mode = std::getenv("TOKENDB_TEST_VERIFY");
    if (mode == nullptr) return {};
    if (std::string_view(mode) == "bounded") {
      return {.mode = VerifyMode::kBounded, .max_bytes = size_t{40} << 10};
    }
    return {.mode = VerifyMode::kComplete, .max_bytes = size_t{64} << 20};
  }

  TempDir dir_;
  TestClock clock_;
  OpenOptions options_ = {.retain_expired = absl::InfiniteDuration(),
                          .retain_revoked = absl::InfiniteDuration(),
                          .verify = VerifyFromEnvironment(),
                          .clock = &clock_};
  bool expect_clean_ = true;
  std::unique_ptr<Database> db_;
};

inline Owner OwnedBy(std::string id) { return {.id = std::move(id)}; }

MATCHER_P(HasId, id, "has the id " + id.ToString()) { return arg.id == id; }

}  // namespace tokendb::testing

#endif  // TOKENDB_TESTS_SUPPORT_DATABASE_TEST_H_
