// Check(), and what reads say to a database that was damaged behind its back.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "tests/support/damage_test.h"

namespace tokendb::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = CheckProblem::Kind;

class CheckTest : public DamageTest {
 protected:
  template <typename Damage>
  void AfterDamage(Damage damage) {
    ExpectDamage();
    DamageTest::AfterDamage(damage);
  }

  std::vector<CheckProblem> Problems() {
    const auto report = db().Check();
    EXPECT_THAT(report, IsOk());
    if (!report.ok()) return {};
    EXPECT_EQ(report->problems_found, report->problems.size());
    return report->problems;
  }
};

TEST_F(CheckTest, ASoundDatabaseHasNoProblems) {
  std::vector<uint64_t> progress;
  const auto report =
      db().Check([&](uint64_t records) { progress.push_back(records); });
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->records, 2);
  // Owner, expiry, creation and digest for each, and three of scopes.
  EXPECT_EQ(report->entries, 2 * 4 + 3);
  EXPECT_EQ(report->problems_found, 0);
  EXPECT_THAT(report->problems, IsEmpty());
  ASSERT_FALSE(progress.empty());
  EXPECT_EQ(progress.back(), 2);
}

TEST_F(CheckTest, AFlippedBitOfARecordIsDataLossAndNeverAnAnswer) {
  AfterDamage([&](RawDatabase& raw) {
    std::string value = raw.Get("token", KeyOf(token_.id));
    value[value.size() / 2] ^= 0x10;
    raw.Put("token", KeyOf(token_.id), value);
  });
  EXPECT_THAT(Problems(),
              ElementsAre(Problem(Kind::kUnreadableRecord, "token")));
  const auto lost = StatusIs(absl::StatusCode::kDataLoss);
  EXPECT_THAT(db().Get(token_.id), lost);
  EXPECT_THAT(db().GetByDigest(*token_.digest), lost);
  EXPECT_THAT(db().GetMany({other_, token_.id}), lost);
  EXPECT_THAT(db().List({}), lost);
  EXPECT_THAT(db().List({.ids = {token_.id}}), lost);
  EXPECT_THAT(db().Update(token_.id, {}), lost);
  EXPECT_THAT(db().Revoke(token_.id), lost);
  EXPECT_THAT(db().Delete(token_.id), lost);
  EXPECT_THAT(db().RevokeAll({.owners = {"user:42"}}), lost);
  const auto reader = db().Read({.owners = {"user:42"}});
  ASSERT_THAT(reader, IsOk());
  EXPECT_THAT((*reader)->Next(), lost);
  EXPECT_THAT((*reader)->Next(), lost);
  // What does not need the record is answered, and so are other tokens.
  EXPECT_EQ(StateBy(*token_.digest), TokenState::kLive);
  EXPECT_EQ(CountOf({}), 2);
  EXPECT_THAT(Ids({.owners = {"bob"}}), ElementsAre(other_));
}

TEST_F(CheckTest, ARecordThatIsCutShortIsDataLoss) {
  size_t size = 0;
  for (size_t cut = 0; cut == 0 || cut < size; cut += 7) {
    AfterDamage([&](RawDatabase& raw) {
      const std::string value = raw.Get("token", KeyOf(token_.id));
      if (size == 0) size = value.size();
      // Each cut is shorter than the one before.
      raw.Put(
          "token", KeyOf(token_.id),
          value.substr(0, value.size() - std::min<size_t>(7, value.size())));
    });
    EXPECT_THAT(db().Get(token_.id), StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST_F(CheckTest, ARecordUnderAnotherIdIsDataLoss) {
  AfterDamage([&](RawDatabase& raw) {
    raw.Put("token", KeyOf(other_), raw.Get("token", KeyOf(token_.id)));
  });
  EXPECT_THAT(db().Get(other_), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(CheckTest, AFlippedBitOfADigestRowIsDataLoss) {
  std::string row;
  AfterDamage([&](RawDatabase& raw) {
    row = raw.Get("digest", std::string(token_.digest->bytes()));
  });
  for (size_t i = 0; i < row.size(); ++i) {
    AfterDamage([&](RawDatabase& raw) {
      std::string damaged = row;
      damaged[i] ^= 1;
      raw.Put("digest", std::string(token_.digest->bytes()), damaged);
    });
    EXPECT_THAT(db().Authenticate(*token_.digest),
                StatusIs(absl::StatusCode::kDataLoss))
        << "byte " << i;
    if (i != 0) continue;
    EXPECT_THAT(db().GetByDigest(*token_.digest),
                StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(db().Issue({.digest = *token_.digest}),
                StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(Problems(), ElementsAre(Problem(Kind::kWrongEntry, "digest")));
  }
}

TEST_F(CheckTest, AMissingEntryIsFoundInEveryIndex) {
  for (const std::string_view index :
       {kOwnerIndex, kScopeIndex, kExpiryIndex, std::string_view("\1\4", 2)}) {
    RawDatabase::Entry entry;
    AfterDamage([&](RawDatabase& raw) {
      entry = EntryOf(raw, token_.id, index);
      raw.Delete("index", entry.first);
    });
    const std::vector<CheckProblem> problems = Problems();
    ASSERT_THAT(problems, ElementsAre(Problem(Kind::kMissingEntry, "index")));
    EXPECT_EQ(problems[0].key, absl::BytesToHexString(entry.first));
    AfterDamage(
        [&](RawDatabase& raw) { raw.Put("index", entry.first, entry.second); });
    EXPECT_THAT(Problems(), IsEmpty());
  }
}

TEST_F(CheckTest, AMissingDigestRowIsFound) {
  AfterDamage([&](RawDatabase& raw) {
    raw.Delete("digest", std::string(token_.digest->bytes()));
  });
  EXPECT_THAT(Problems(), ElementsAre(Problem(Kind::kMissingEntry, "digest")));
}

TEST_F(CheckTest, AnEntryWithAnotherCoverIsFound) {
  AfterDamage([&](RawDatabase& raw) {
    const auto entry = EntryOf(raw, token_.id, kOwnerIndex);
    raw.Put("index", entry.first, EntryOf(raw, other_, kOwnerIndex).second);
  });
  EXPECT_THAT(Problems(), ElementsAre(Problem(Kind::kWrongEntry, "index")));
}

TEST_F(CheckTest, AnEntryThatContradictsItsRecordIsDataLoss) {
  // The owner's entry as it was before the token was revoked.
  RawDatabase::Entry before;
  AfterDamage(
      [&](RawDatabase& raw) { before = EntryOf(raw, other_, kOwnerIndex); });
  ASSERT_THAT(db().Revoke(other_), IsOk());
  AfterDamage(
      [&](RawDatabase& raw) { raw.Put("index", before.first, before.second); });
  EXPECT_THAT(db().List({.owners = {"bob"}}),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(db().List({.ids = {other_}, .owners = {"bob"}}), IsOk());
  EXPECT_THAT(Problems(), ElementsAre(Problem(Kind::kWrongEntry, "index")));
}

TEST_F(CheckTest, StrayEntriesAreFound) {
  AfterDamage([&](RawDatabase& raw) {
    // An owner the token does not have, a token that does not exist, and a
    // digest that nobody has.
    auto entry = EntryOf(raw, token_.id, kOwnerIndex);
    entry.first[2] = 'X';
    raw.Put("index", entry.first, entry.second);
    entry = EntryOf(raw, token_.id, kExpiryIndex);
    entry.first.back() ^= 1;
    raw.Put("index", entry.first, entry.second);
    raw.Put("digest", std::string(32, 'd'),
            raw.Get("digest", std::string(token_.digest->bytes())));
  });
  const std::vector<CheckProblem> problems = Problems();
  EXPECT_THAT(problems, SizeIs(3));
  EXPECT_THAT(problems, Contains(Problem(Kind::kStrayEntry, "digest")));
  EXPECT_THAT(problems, Contains(Problem(Kind::kStrayEntry, "index")).Times(2));
  EXPECT_THAT(Problems(), Each(Field(&CheckProblem::kind, Kind::kStrayEntry)));
  // An entry of a token without a record is never skipped over in silence.
  EXPECT_THAT(db().List({}), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(CheckTest, AStrayAndAMissingEntryDoNotHideEachOther) {
  AfterDamage([&](RawDatabase& raw) {
    auto entry = EntryOf(raw, token_.id, kOwnerIndex);
    raw.Delete("index", entry.first);
    entry.first[2] = 'X';
    raw.Put("index", entry.first, entry.second);
  });
  const std::vector<CheckProblem> problems = Problems();
  EXPECT_THAT(problems, SizeIs(2));
  EXPECT_THAT(problems, Contains(Problem(Kind::kMissingEntry, "index")));
  EXPECT_THAT(problems, Contains(Problem(Kind::kStrayEntry, "index")));
}

TEST_F(CheckTest, MalformedEntriesAreFoundAndAreDataLoss) {
  AfterDamage([&](RawDatabase& raw) {
    raw.Put("index", std::string(kExpiryIndex) + "short", "");
    raw.Put("index", EntryOf(raw, token_.id, kOwnerIndex).first, "");
  });
  EXPECT_THAT(Problems(), Contains(Problem(Kind::kStrayEntry, "index")));
  EXPECT_THAT(Problems(), Contains(Problem(Kind::kWrongEntry, "index")));
  EXPECT_THAT(db().List({.states = StateSet::All()}),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(db().List({.owners = {"user:42"}}),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(CheckTest, ARecordAtAnOddKeyIsFound) {
  AfterDamage([&](RawDatabase& raw) { raw.Put("token", "odd", "value"); });
  EXPECT_THAT(Problems(),
              ElementsAre(Problem(Kind::kUnreadableRecord, "token")));
}

TEST_F(CheckTest, AScopeMissingFromTheDictionaryIsFound) {
  AfterDamage([&](RawDatabase& raw) {
    const auto rows = raw.Entries("meta", "scope/");
    ASSERT_EQ(rows.size(), 2);
    raw.Delete("meta", rows.back().first);
  });
  EXPECT_THAT(Problems(), Contains(Problem(Kind::kUnknownScope, "token")));
  EXPECT_THAT(db().Introspect(*token_.digest),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(CheckTest, AGapInTheDictionaryKeepsTheDatabaseClosed) {
  Close();
  {
    RawDatabase raw(path());
    raw.Delete("meta", raw.Entries("meta", "scope/").front().first);
  }
  EXPECT_THAT(Database::Open(path(), {.clock = &clock()}),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(CheckTest, OnlyTheFirstThousandProblemsAreListed) {
  AfterDamage([&](RawDatabase& raw) {
    for (int i = 0; i < 1500; ++i) {
      raw.Put("digest", std::to_string(100000 + i), "x");
    }
  });
  const auto report = db().Check();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->problems_found, 1500);
  EXPECT_THAT(report->problems, SizeIs(1000));
}

TEST_F(CheckTest, KindsHaveNames) {
  EXPECT_EQ(CheckProblemKindName(Kind::kUnreadableRecord), "unreadable_record");
  EXPECT_EQ(CheckProblemKindName(Kind::kMissingEntry), "missing_entry");
  EXPECT_EQ(CheckProblemKindName(Kind::kWrongEntry), "wrong_entry");
  EXPECT_EQ(CheckProblemKindName(Kind::kStrayEntry), "stray_entry");
  EXPECT_EQ(CheckProblemKindName(Kind::kUnknownScope), "unknown_scope");
}

}  // namespace
}  // namespace tokendb::testing
