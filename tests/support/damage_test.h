// The fixture of tests that damage a database behind its back.
#ifndef TOKENDB_TESTS_SUPPORT_DAMAGE_TEST_H_
#define TOKENDB_TESTS_SUPPORT_DAMAGE_TEST_H_

#include <string>
#include <string_view>

#include "tests/support/database_test.h"
#include "tests/support/full_token.h"
#include "tests/support/raw_database.h"

namespace tokendb::testing {

// The parts of index keys: generation 1, then the index.
inline constexpr std::string_view kOwnerIndex("\1\1", 2);
inline constexpr std::string_view kScopeIndex("\1\2", 2);
inline constexpr std::string_view kExpiryIndex("\1\3", 2);

inline auto Problem(CheckProblem::Kind kind, const std::string& family) {
  return ::testing::AllOf(
      ::testing::Field("kind", &CheckProblem::kind, kind),
      ::testing::Field("family", &CheckProblem::family, family));
}

// Begins with a full token and one of another owner.
class DamageTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    token_ = FullToken(Now());
    Issue(token_);
    other_ = Issue({.digest = DigestOf("other"),
                    .owner = OwnedBy("bob"),
                    .scopes = {"read_builds"}});
  }

  // Closes the database, lets `damage` at it, and opens it again.
  template <typename Damage>
  void AfterDamage(Damage damage) {
    Close();
    {
      RawDatabase raw(path());
      damage(raw);
    }
    Reopen();
  }

  static RawDatabase::Entry EntryOf(RawDatabase& raw, const TokenId& id,
                                    std::string_view index) {
    for (const auto& entry : raw.Entries("index", index)) {
      if (entry.first.ends_with(id.bytes())) return entry;
    }
    ADD_FAILURE() << "no entry";
    return {};
  }
  static std::string KeyOf(const TokenId& id) {
    return std::string(id.bytes());
  }
  static std::string KeyOf(const Digest& digest) {
    return std::string(digest.bytes());
  }

  Token token_;
  TokenId other_;
};

}  // namespace tokendb::testing

#endif  // TOKENDB_TESTS_SUPPORT_DAMAGE_TEST_H_
