// Repair(): entries and counters follow the records again.
#include <atomic>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "src/index/counters.h"
#include "src/index/hot_row.h"
#include "src/index/keys.h"
#include "src/storage/add_operator.h"
#include "tests/support/damage_test.h"
#include "tests/support/database_peer.h"

namespace tokendb::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = CheckProblem::Kind;

class RepairTest : public DamageTest {
 protected:
  void SetUp() override {
    DamageTest::SetUp();
    sound_ = Contents();
  }

  using Rows = std::vector<RawDatabase::Entry>;
  // Records, entries, and counters that count any.
  std::map<std::string, Rows> Contents() {
    std::map<std::string, Rows> contents;
    AfterDamage([&](RawDatabase& raw) {
      for (const char* family : {"token", "digest", "index", "stat"}) {
        contents[family] = raw.Entries(family);
      }
    });
    std::erase_if(contents["stat"], [](const RawDatabase::Entry& row) {
      return DecodeCount(row.second) == 0;
    });
    return contents;
  }

  uint64_t ProblemsFound() {
    const auto report = db().Check();
    EXPECT_THAT(report, IsOk());
    return report.ok() ? report->problems_found : 0;
  }

  RepairReport Repair() {
    auto report = db().Repair();
    EXPECT_THAT(report, IsOk());
    return report.ok() ? *std::move(report) : RepairReport();
  }

  // Damages the database, repairs it, and expects it to be as it was.
  template <typename Damage>
  void ExpectRepaired(uint64_t repaired, Damage damage) {
    AfterDamage(damage);
    EXPECT_GT(ProblemsFound(), 0);
    const RepairReport report = Repair();
    EXPECT_EQ(report.repaired, repaired);
    EXPECT_EQ(report.unrepaired_found, 0);
    EXPECT_THAT(report.unrepaired, IsEmpty());
    EXPECT_EQ(ProblemsFound(), 0);
    EXPECT_EQ(Contents(), sound_);
    EXPECT_EQ(Repair().repaired, 0);
  }

  std::map<std::string, Rows> sound_;
};

TEST_F(RepairTest, ASoundDatabaseIsLeftAlone) {
  std::vector<uint64_t> progress;
  const auto report =
      db().Repair([&](uint64_t records) { progress.push_back(records); });
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->records, 2);
  EXPECT_EQ(report->repaired, 0);
  EXPECT_EQ(report->counters, 0);
  EXPECT_EQ(report->unrepaired_found, 0);
  EXPECT_THAT(progress, ElementsAre(2));
  EXPECT_EQ(Contents(), sound_);
}

TEST_F(RepairTest, HotRowsFollowTheirRecordsAgain) {
  for (const TokenId& id : {token_.id, other_}) {
    ASSERT_THAT(db().Touch(id, Now(), "192.0.2.1"), IsOk());
  }
  ASSERT_THAT(db().FlushTouches(), IsOk());
  const TokenId ghost = *TokenId::Parse("0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6");
  std::string stray;
  AppendHotRow(stray, ghost, {.expires_at = kNever, .last_used = 1});
  std::string outdated;
  AppendHotRow(outdated, token_.id,
               {.expires_at = FloorToMillis(*token_.expires_at) - 1,
                .last_used = FloorToMillis(Now()),
                .ip_address = "192.0.2.1"});
  ExpectRepaired(3, [&](RawDatabase& raw) {
    raw.Put("hot", KeyOf(ghost), stray);
    raw.Put("hot", KeyOf(token_.id), outdated);
    raw.Put("hot", KeyOf(other_), "damaged");
  });
  // A use that can still be read is kept, one that cannot is not made up.
  EXPECT_EQ(Stored(token_.id).last_accessed_at, Now());
  EXPECT_EQ(Stored(token_.id).ip_address, "192.0.2.1");
  EXPECT_FALSE(Stored(other_).last_accessed_at.has_value());
}

// Scenario 147.
TEST_F(RepairTest, EntriesWithoutRecordsGoAndLiveTokensStay) {
  // A child without its parent is a token like any other.
  ASSERT_TRUE(token_.parent_id.has_value());
  const TokenId ghost = *TokenId::Parse("0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6");
  ExpectRepaired(4, [&](RawDatabase& raw) {
    for (const std::string_view index : {kOwnerIndex, kExpiryIndex}) {
      auto [key, value] = EntryOf(raw, token_.id, index);
      key.replace(key.size() - TokenId::kSize, TokenId::kSize, ghost.bytes());
      raw.Put("index", key, value);
    }
    raw.Put("index", std::string(kExpiryIndex) + "short", "");
    raw.Put("digest", KeyOf(DigestOf("ghost")), "x");
  });
  EXPECT_EQ(StateBy(*token_.digest), TokenState::kLive);
  EXPECT_EQ(StateBy(DigestOf("other")), TokenState::kLive);
  EXPECT_EQ(StateBy(DigestOf("ghost")), TokenState::kUnknown);
  EXPECT_THAT(Ids({.owners = {"user:42"}}), ElementsAre(token_.id));
}

TEST_F(RepairTest, EntriesThatAreMissingComeBackInEveryIndex) {
  for (const std::string_view index :
       {kOwnerIndex, kScopeIndex, kExpiryIndex, std::string_view("\1\4", 2)}) {
    ExpectRepaired(1, [&](RawDatabase& raw) {
      raw.Delete("index", EntryOf(raw, token_.id, index).first);
    });
  }
  ExpectRepaired(1, [&](RawDatabase& raw) {
    raw.Delete("digest", KeyOf(*token_.digest));
  });
}

TEST_F(RepairTest, WrongEntriesBecomeWhatTheRecordSays) {
  ExpectRepaired(2, [&](RawDatabase& raw) {
    raw.Put("index", EntryOf(raw, token_.id, kOwnerIndex).first, "");
    raw.Put("index", EntryOf(raw, token_.id, kExpiryIndex).first,
            EntryOf(raw, other_, kExpiryIndex).second);
  });
  // A damaged row, and one that names a token without this digest.
  ExpectRepaired(2, [&](RawDatabase& raw) {
    std::string row = raw.Get("digest", KeyOf(*token_.digest));
    row.back() ^= 1;
    raw.Put("digest", KeyOf(*token_.digest), row);
    raw.Put("digest", KeyOf(DigestOf("other")), "");
  });
}

TEST_F(RepairTest, EntriesThatTheRecordDoesNotHaveGo) {
  ExpectRepaired(3, [&](RawDatabase& raw) {
    auto [key, value] = EntryOf(raw, token_.id, kOwnerIndex);
    raw.Delete("index", key);
    key[2] = 'X';
    raw.Put("index", key, value);
    // A generation and an index that there never were.
    key[0] = '\2';
    raw.Put("index", key, value);
  });
  // The digest's row as it was before the token gave the digest up.
  std::string row;
  AfterDamage([&](RawDatabase& raw) {
    row = raw.Get("digest", KeyOf(DigestOf("other")));
  });
  TokenPatch patch;
  patch.digest = DigestOf("new");
  ASSERT_THAT(db().Update(other_, patch), IsOk());
  sound_ = Contents();
  ExpectRepaired(1, [&](RawDatabase& raw) {
    raw.Put("digest", KeyOf(DigestOf("other")), row);
  });
}

TEST_F(RepairTest, WrongCountersArePutRight) {
  Store& store = DatabasePeer::StoreOf(db());
  Batch batch = store.NewBatch();
  batch.Add(CounterKey(OwnerSubject("bob"), CounterClass::kExpiryHour, kNever),
            5);
  ASSERT_THAT(store.Commit(batch, Durability::kSync), IsOk());
  EXPECT_EQ(CountOf({.owners = {"bob"}}), 6);
  EXPECT_EQ(Repair().counters, 1);
  EXPECT_EQ(CountOf({.owners = {"bob"}}), 1);
  EXPECT_EQ(Contents(), sound_);
}

TEST_F(RepairTest, AScopeThatWasLostGetsANumberAgain) {
  const TokenId third = Issue({.owner = OwnedBy("eve"), .scopes = {"last"}});
  Issue({.digest = DigestOf("fourth"), .scopes = {"last", "read_builds"}});
  AfterDamage([&](RawDatabase& raw) {
    const auto rows = raw.Entries("meta", "scope/");
    ASSERT_EQ(rows.size(), 3);
    raw.Delete("meta", rows.back().first);
    raw.Delete("index", EntryOf(raw, third, kOwnerIndex).first);
  });
  // Another scope takes the number.
  Issue({.scopes = {"thief"}});
  EXPECT_GT(ProblemsFound(), 0);
  const RepairReport report = Repair();
  EXPECT_EQ(report.unrepaired_found, 0);
  EXPECT_GT(report.repaired, 2);
  EXPECT_EQ(ProblemsFound(), 0);
  EXPECT_EQ(Ids({.scopes = {.all_of = {"last"}}}).size(), 2);
  EXPECT_EQ(CountOf({.scopes = {.all_of = {"last"}}}), 2);
  EXPECT_EQ(CountOf({.scopes = {.all_of = {"thief"}}}), 1);
  EXPECT_THAT(Ids({.owners = {"eve"}}), ElementsAre(third));
  EXPECT_THAT(db().Introspect(DigestOf("fourth"))->scopes,
              ElementsAre("last", "read_builds"));
}

TEST_F(RepairTest, AnUnreadableRecordAndItsEntriesAreLeftAlone) {
  ExpectDamage();
  AfterDamage([&](RawDatabase& raw) {
    std::string record = raw.Get("token", KeyOf(token_.id));
    record.back() ^= 1;
    raw.Put("token", KeyOf(token_.id), record);
    // Of another token: repaired all the same.
    raw.Delete("index", EntryOf(raw, other_, kOwnerIndex).first);
    // Perhaps of this one, and perhaps not.
    raw.Put("digest", KeyOf(DigestOf("ghost")), "x");
    raw.Put("token", "odd", "value");
  });
  const auto before = Contents();
  const RepairReport report = Repair();
  EXPECT_EQ(report.repaired, 1);
  EXPECT_EQ(report.counters, 0);
  EXPECT_EQ(report.unrepaired_found, 3);
  EXPECT_THAT(report.unrepaired,
              ElementsAre(Problem(Kind::kUnreadableRecord, "token"),
                          Problem(Kind::kUnreadableRecord, "token"),
                          Problem(Kind::kStrayEntry, "digest")));
  auto after = Contents();
  EXPECT_EQ(after["token"], before.at("token"));
  EXPECT_EQ(after["digest"], before.at("digest"));
  EXPECT_EQ(after["index"], sound_["index"]);
  // A second check finds what was left, and nothing else.
  EXPECT_EQ(ProblemsFound(), 3);
}

TEST_F(RepairTest, ADigestOfTwoRecordsIsNotDecided) {
  ExpectDamage();
  // A record as the library would not write it: with the digest of another.
  const TokenId twin = *TokenId::Parse("0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6");
  Issue({.id = twin, .owner = OwnedBy("eve"), .scopes = {"read_builds"}});
  std::string row;
  AfterDamage([&](RawDatabase& raw) {
    row = raw.Get("digest", KeyOf(DigestOf("other")));
    raw.Delete("digest", KeyOf(DigestOf("other")));
  });
  TokenPatch patch;
  patch.digest = DigestOf("other");
  ASSERT_THAT(db().Update(twin, patch), IsOk());
  const RepairReport report = Repair();
  EXPECT_EQ(report.repaired, 0);
  EXPECT_THAT(report.unrepaired,
              ElementsAre(Problem(Kind::kWrongEntry, "digest")));
  EXPECT_THAT(report.unrepaired[0].detail, HasSubstr("another record"));
  EXPECT_EQ(ProblemsFound(), 1);
  EXPECT_EQ(db().GetByDigest(DigestOf("other"))->id, twin);
  // Without a row the first one gets it, and the other one is left.
  AfterDamage([&](RawDatabase& raw) {
    raw.Delete("digest", KeyOf(DigestOf("other")));
  });
  EXPECT_EQ(ProblemsFound(), 2);
  EXPECT_EQ(Repair().repaired, 1);
  EXPECT_EQ(ProblemsFound(), 1);
}

TEST_F(RepairTest, OptionalIndexesAreRepairedToo) {
  ASSERT_THAT(db().AddIndex(OptionalIndex::kOrganization), IsOk());
  sound_ = Contents();
  ExpectRepaired(2, [&](RawDatabase& raw) {
    auto [key, value] = EntryOf(raw, token_.id, "\1\5");
    raw.Delete("index", key);
    key[2] = 'X';
    raw.Put("index", key, value);
  });
  // What is left of a dropped index is not its business.
  ASSERT_THAT(db().DropIndex(OptionalIndex::kOrganization), IsOk());
  AfterDamage([&](RawDatabase& raw) {
    raw.Put("index", EntryOf(raw, token_.id, "\1\5").first, "nonsense");
  });
  EXPECT_EQ(Repair().repaired, 0);
}

TEST_F(RepairTest, ManyProblemsAreRepairedAndTheFirstThousandListed) {
  ExpectDamage();
  AfterDamage([&](RawDatabase& raw) {
    for (int i = 0; i < 1500; ++i) {
      raw.Put("digest", absl::StrCat(100000 + i), "x");
      raw.Put("token", absl::StrCat(100000 + i), "x");
    }
  });
  const RepairReport report = Repair();
  EXPECT_EQ(report.repaired, 1500);
  EXPECT_EQ(report.unrepaired_found, 1500);
  EXPECT_THAT(report.unrepaired, SizeIs(1000));
  EXPECT_EQ(ProblemsFound(), 1500);
}

TEST_F(RepairTest, ADigestThatFoundANewTokenMeanwhileStaysWithIt) {
  const TokenId gone =
      Issue({.digest = DigestOf("d"), .expires_at = Now() + absl::Seconds(1)});
  std::string row;
  AfterDamage(
      [&](RawDatabase& raw) { row = raw.Get("digest", KeyOf(DigestOf("d"))); });
  ASSERT_THAT(db().Delete(gone), IsOk());
  AfterDamage(
      [&](RawDatabase& raw) { raw.Put("digest", KeyOf(DigestOf("d")), row); });
  clock().Advance(absl::Seconds(2));
  // When all records are compared, and stray rows are yet to be looked for.
  TokenId id;
  const auto report =
      db().Repair([&](uint64_t) { id = Issue({.digest = DigestOf("d")}); });
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->repaired, 0);
  EXPECT_EQ(report->unrepaired_found, 0);
  EXPECT_EQ(StateBy(DigestOf("d")), TokenState::kLive);
  EXPECT_THAT(db().GetByDigest(DigestOf("d")), IsOkAndHolds(HasId(id)));
}

// Whatever a thread does between the comparison and the repair is not undone.
TEST_F(RepairTest, TokensMayChangeMeanwhile) {
  std::vector<TokenId> ids = {token_.id, other_};
  for (int i = 0; i < 100; ++i) {
    ids.push_back(Issue({.digest = DigestOf(absl::StrCat(i)),
                         .owner = OwnedBy(absl::StrCat("owner ", i % 3)),
                         .scopes = {"read_builds"},
                         .expires_at = Now() + absl::Hours(1)}));
  }
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; !stop; ++i) {
        const TokenId& id = ids[(i * 7 + t * 13) % ids.size()];
        const UpdateOptions fast = {.durability = Durability::kBuffered};
        TokenPatch patch;
        patch.owner = OwnedBy(absl::StrCat("owner ", i % 3));
        patch.digest = DigestOf(absl::StrCat((i + t) % 150));
        db().Update(id, patch, fast).IgnoreError();
        if (i % 4 == 0) {
          db().Delete(id, {.durability = Durability::kBuffered}).IgnoreError();
          db().Issue({.id = id,
                      .digest = DigestOf(absl::StrCat(i % 150)),
                      .owner = OwnedBy("new")},
                     kFast)
              .IgnoreError();
        }
      }
    });
  }
  Store& store = DatabasePeer::StoreOf(db());
  uint64_t repaired = 0;
  for (int round = 0; round < 30; ++round) {
    // Deletes entries, plants strays and damages rows.
    Batch batch = store.NewBatch();
    for (size_t i = round % 5; i < ids.size(); i += 5) {
      std::string key = IndexPrefix(IndexKind::kExpiry);
      AppendKeyTail(key, FloorToMillis(Now() + absl::Hours(1)), ids[i]);
      batch.Delete(Family::kIndex, key);
      key = OwnerPrefix("nobody's");
      AppendKeyTail(key, kNever, ids[i]);
      batch.Put(Family::kIndex, key, "stray");
    }
    ASSERT_THAT(store.Commit(batch, Durability::kBuffered), IsOk());
    const RepairReport report = Repair();
    EXPECT_EQ(report.unrepaired_found, 0);
    repaired += report.repaired;
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(repaired, 0);
  EXPECT_EQ(ProblemsFound(), 0);
}

}  // namespace
}  // namespace tokendb::testing
