// Random operations on a database and on a model of it, compared all the way.
//
//   property_test --seed=1 --seconds=15
//   property_test --seed=7 --steps=1000000
//
// A failure prints the seed and the last operations. An even seed repeats it
// exactly; with an odd one the database makes the ids, which are random.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/property/compare.h"
#include "tests/property/feed.h"
#include "tests/property/generate.h"
#include "tests/property/model.h"
#include "tests/property/use.h"
#include "tests/support/database_peer.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_clock.h"
#include "tokendb/db.h"

namespace tokendb::testing {
namespace {

constexpr size_t kLogLines = 40;
constexpr size_t kMostTokens = 150;
constexpr Durability kFast = Durability::kBuffered;

class Runner {
 public:
  explicit Runner(uint64_t seed) : generator_(seed), own_ids_(seed % 2 == 0) {
    Reopen();
  }

  // Does one operation and some comparisons. False on a difference, which is
  // printed.
  bool Step();
  bool Finish() {
    return Same(CompareLookUps(*db_, model_)) &&
           Same(CompareCheck(*db_, model_));
  }
  uint64_t comparisons() const { return comparisons_; }

 private:
  // A reader opened earlier, and what it must still deliver.
  struct OpenReader {
    std::unique_ptr<TokenReader> reader;
    std::vector<Token> expected;
  };

  // A query read page by page while the database changes.
  struct OpenPages {
    Query query;
    Token last;  // Of the page before.
  };

  void Reopen();
  void MoveClock();
  bool MoveFile();
  bool Upkeep();
  bool ChangeIndexes();
  bool Issue();
  bool Update();
  bool Revoke();
  bool Delete();
  bool RevokeAll();
  bool DeleteAll();
  bool Use();
  bool HoldReader();
  bool CloseReader();
  bool ReadNextPage();
  bool Compare();
  template <typename Change>
  bool SameInSteps(const char* what, uint64_t expected, uint64_t most,
                   Change change);
  uint64_t SomeMost() {
    return generator_.OneIn(2) ? 1 + generator_.Below(5) : UINT64_MAX;
  }
  bool Same(const std::string& difference);
  bool SameCode(const char* what, absl::StatusCode expected,
                const absl::Status& actual);
  void Log(std::string line) {
    log_.push_back(std::move(line));
    if (log_.size() > kLogLines) log_.pop_front();
  }
  std::vector<TokenId> Ids() const {
    std::vector<TokenId> ids;
    for (const auto& [id, token] : model_.tokens()) ids.push_back(id);
    return ids;
  }
  // Mostly one that exists.
  TokenId SomeId();
  Precondition SomePrecondition(const TokenId& id) {
    const Token* const token = model_.Find(id);
    return token == nullptr ? Precondition()
                            : generator_.MakePrecondition(*token);
  }
  Query ConditionalQuery();

  Generator generator_;
  // Ids come from the generator, so that the seed decides everything; else the
  // database makes them.
  bool own_ids_;
  TestClock clock_;
  absl::Duration retain_expired_ = absl::InfiniteDuration();
  absl::Duration retain_revoked_ = absl::InfiniteDuration();
  absl::Duration retain_changes_ = absl::InfiniteDuration();
  TempDir dir_;
  Model model_;
  Feed feed_;
  std::unique_ptr<Database> db_;
  std::vector<OpenReader> readers_;
  std::vector<OpenPages> pages_;
  std::deque<std::string> log_;
  uint64_t comparisons_ = 0;
};

void Runner::Reopen() {
  readers_.clear();
  db_.reset();
  model_.FlushTouches();
  Log("reopen");
  if (generator_.OneIn(3)) {
    retain_expired_ = generator_.MakeRetention();
    retain_revoked_ = generator_.MakeRetention();
    retain_changes_ = generator_.MakeRetention();
  }
  // Small buffers: flushes and compactions happen by themselves as well.
  auto db = Database::Open(dir_ / "db",
                           {.retain_expired = retain_expired_,
                            .retain_revoked = retain_revoked_,
                            .retain_changes = retain_changes_,
                            .reclaim = {.automatic = false},
                            .touch = {.flush_period = absl::InfiniteDuration()},
                            .verify = generator_.MakeVerifyIndex(),
                            .clock = &clock_,
                            .cache_bytes = 1 << 20,
                            .write_buffer_bytes = 1 << 18});
  if (!db.ok()) {
    std::fprintf(stderr, "open: %s\n", db.status().ToString().c_str());
    std::exit(1);
  }
  db_ = *std::move(db);
  feed_.SetRetention(retain_changes_);
  model_.SetRetention(retain_expired_, retain_revoked_);
  model_.SetClock(clock_.Now());
}

// Compacts some file into some level: versions of a token come to lie in many
// levels, and meet in any order.
bool Runner::MoveFile() {
  Store& store = DatabasePeer::StoreOf(*db_);
  const Family family = kFamilies[generator_.Below(kFamilies.size())];
  const auto files = store.Files(family, {});
  if (!SameCode("files", absl::StatusCode::kOk, files.status())) return false;
  if (files->empty()) return true;
  const Store::File& file = (*files)[generator_.Below(files->size())];
  const int level =
      file.level +
      static_cast<int>(generator_.Below(7 - static_cast<uint64_t>(file.level)));
  Log(absl::StrCat("move a file of ", std::string(FamilyName(family)),
                   " from level ", file.level, " to ", level));
  const auto moved = store.RewriteFile(family, file, std::max(level, 1));
  return SameCode("move", absl::StatusCode::kOk, moved.status());
}

bool Runner::Upkeep() {
  switch (generator_.Below(8)) {
    case 0:
      Log("compact");
      feed_.Forget(model_.now());
      return SameCode("compact", absl::StatusCode::kOk, db_->Compact());
    case 1:
    case 2:
      Log("reclaim");
      feed_.Forget(model_.now());
      return SameCode("reclaim", absl::StatusCode::kOk,
                      db_->Reclaim().status());
    case 3:
    case 4:
    case 5:
      Log("advance the cutoff");
      return SameCode("advance", absl::StatusCode::kOk,
                      DatabasePeer::RetentionOf(*db_).Advance()) &&
             MoveFile();
    default:
      return MoveFile();
  }
}

// Adds an index, perhaps in part only, or drops one.
bool Runner::ChangeIndexes() {
  const OptionalIndex index =
      generator_.OneIn(2) ? OptionalIndex::kOrganization : OptionalIndex::kKind;
  const std::string name(OptionalIndexName(index));
  if (generator_.OneIn(3)) {
    Log("drop index " + name);
    return SameCode("drop index", absl::StatusCode::kOk, db_->DropIndex(index));
  }
  const uint64_t steps = generator_.OneIn(2) ? generator_.Below(5) : UINT64_MAX;
  std::atomic<bool> stop = steps == 0;
  uint64_t done = 0;
  const absl::Status status = db_->AddIndex(
      index, {.progress = [&](uint64_t) { stop = ++done >= steps; },
              .stop = &stop,
              .step_tokens = static_cast<uint32_t>(1 + generator_.Below(9))});
  Log(absl::StrCat("add index ", name, " ", status.ToString()));
  if (absl::IsCancelled(status)) return Same(stop ? "" : "add index: stopped");
  // A database that runs for long comes to the end of the generations.
  return absl::IsResourceExhausted(status) ||
         SameCode("add index", absl::StatusCode::kOk, status);
}

void Runner::MoveClock() {
  static const std::vector<absl::Duration> kSteps = {
      absl::Milliseconds(1), absl::Milliseconds(999), absl::Microseconds(300),
      absl::Seconds(1),      absl::Minutes(1),        absl::Hours(1),
      absl::Hours(25),       absl::Hours(-24)};
  clock_.Advance(kSteps[generator_.Below(kSteps.size())]);
  model_.SetClock(clock_.Now());
  Log("clock " + absl::FormatTime(clock_.Now()));
}

TokenId Runner::SomeId() {
  const std::vector<TokenId> ids = Ids();
  if (ids.empty() || generator_.OneIn(20)) {
    return *TokenId::Parse("00000000-0000-7000-8000-000000000001");
  }
  return ids[generator_.Below(ids.size())];
}

bool Runner::Same(const std::string& difference) {
  ++comparisons_;
  if (difference.empty()) return true;
  for (const std::string& line : log_) {
    std::fprintf(stderr, "  %s\n", line.c_str());
  }
  std::fprintf(stderr, "DIFFERENT at %s: %s\n",
               absl::FormatTime(model_.now()).c_str(), difference.c_str());
  return false;
}

bool Runner::SameCode(const char* what, absl::StatusCode expected,
                      const absl::Status& actual) {
  return Same(actual.code() == expected
                  ? ""
                  : absl::StrCat(what, ": ", actual.ToString(), ", the model: ",
                                 absl::StatusCodeToString(expected)));
}

bool Runner::Issue() {
  std::vector<Token> tokens;
  const uint64_t count = generator_.OneIn(3) ? 1 + generator_.Below(8) : 1;
  for (uint64_t i = 0; i < count; ++i) {
    tokens.push_back(generator_.MakeToken(model_.now()));
    if (own_ids_) tokens.back().id = generator_.MakeId();
    if (generator_.OneIn(15)) tokens.back().id = SomeId();
  }
  const absl::StatusCode code = model_.IssueCode(tokens);
  const auto ids = db_->IssueBatch(tokens, {.durability = kFast});
  Log(absl::StrCat("issue ", count, " ", absl::StatusCodeToString(code)));
  if (!SameCode("issue", code, ids.status())) return false;
  if (ids.ok()) model_.Issue(std::move(tokens), *ids);
  return true;
}

bool Runner::Update() {
  const TokenId id = SomeId();
  const TokenPatch patch = generator_.MakePatch(model_.now());
  const Precondition precondition = SomePrecondition(id);
  const auto updated = db_->Update(
      id, patch, {.precondition = precondition, .durability = kFast});
  Log("update " + id.ToString() + " " + updated.status().ToString());
  if (!SameCode("update", model_.Update(id, patch, precondition),
                updated.status())) {
    return false;
  }
  // It may have been made one that is forgotten at once.
  const Token* const stored = model_.Find(id);
  return !updated.ok() || stored == nullptr ||
         Same(*updated == *stored ? "" : "update returns another");
}

bool Runner::Revoke() {
  const TokenId id = SomeId();
  RevokeOptions options{.reason = "test",
                        .precondition = SomePrecondition(id),
                        .durability = kFast};
  if (generator_.OneIn(3)) options.at = generator_.MakeTime(model_.now());
  const auto revoked = db_->Revoke(id, options);
  Log("revoke " + id.ToString());
  if (!SameCode("revoke", model_.Revoke(id, options), revoked.status())) {
    return false;
  }
  const Token* const stored = model_.Find(id);
  return !revoked.ok() || stored == nullptr ||
         Same(revoked->revoked_at == *stored->revoked_at
                  ? ""
                  : "revoked at another time");
}

bool Runner::Delete() {
  const TokenId id = SomeId();
  const Precondition precondition = SomePrecondition(id);
  Log("delete " + id.ToString());
  const absl::Status status =
      db_->Delete(id, {.precondition = precondition, .durability = kFast});
  return SameCode("delete", model_.Delete(id, precondition), status);
}

Query Runner::ConditionalQuery() {
  Query query = generator_.MakeQuery(model_.now(), Ids());
  // The model has no notion of a scope of work.
  if (query.owners.empty()) {
    query.without_owner = false;
    query.owners = {"a", "user:42"};
  }
  return query;
}

// Calls `change` until it has nothing more to do; what it did must be what the
// model did, in steps of `most`.
template <typename Change>
bool Runner::SameInSteps(const char* what, uint64_t expected, uint64_t most,
                         Change change) {
  uint64_t total = 0;
  while (true) {
    const absl::StatusOr<uint64_t> count = change(most);
    if (!SameCode(what, absl::StatusCode::kOk, count.status())) return false;
    total += *count;
    if (*count < most) break;
    const bool too_many = *count > most || total > expected;
    if (!Same(too_many ? absl::StrCat(what, ": too many") : "")) {
      return false;
    }
  }
  return Same(total == expected
                  ? ""
                  : absl::StrCat(what, ": ", total, ", the model ", expected));
}

bool Runner::RevokeAll() {
  const Query query = ConditionalQuery();
  Log("revoke all " + Describe(query));
  return SameInSteps(
      "revoke all", model_.RevokeAll(query, "all"), SomeMost(),
      [&](uint64_t most) {
        return db_->RevokeAll(
            query, {.reason = "all", .max_tokens = most, .durability = kFast});
      });
}

bool Runner::DeleteAll() {
  const Query query = ConditionalQuery();
  Log("delete all " + Describe(query));
  return SameInSteps(
      "delete all", model_.DeleteAll(query), SomeMost(), [&](uint64_t most) {
        return db_->DeleteAll(query, {.max_tokens = most, .durability = kFast});
      });
}

bool Runner::Use() {
  std::vector<TokenId> ids;
  for (uint64_t n = 1 + generator_.Below(3); n > 0; --n) {
    ids.push_back(SomeId());
  }
  std::string log;
  const std::string difference = UseSome(*db_, model_, generator_, ids, log);
  Log(std::move(log));
  return Same(difference);
}

bool Runner::HoldReader() {
  if (readers_.size() == 3) return CloseReader();
  Query query = generator_.MakeQuery(model_.now(), Ids());
  query.residual = nullptr;
  auto reader = db_->Read(query);
  Log("hold a reader: " + Describe(query));
  if (!SameCode("read", absl::StatusCode::kOk, reader.status())) return false;
  readers_.push_back({*std::move(reader), model_.Select(query)});
  return true;
}

bool Runner::CloseReader() {
  if (readers_.empty()) return true;
  Log("read a held reader to its end");
  const OpenReader oldest = std::move(readers_.front());
  readers_.erase(readers_.begin());
  return Same(CompareReader(*oldest.reader, oldest.expected));
}

// A page is what the model then has after the last token read, whatever was
// written, flushed or reopened since.
bool Runner::ReadNextPage() {
  if (pages_.size() < 4) {
    Query query = generator_.MakeQuery(model_.now(), Ids());
    query.residual = nullptr;
    query.limit = 1 + generator_.Below(4);
    query.max_examined = std::numeric_limits<uint64_t>::max();
    query.max_time = absl::InfiniteDuration();
    pages_.push_back({.query = query});
  }
  const size_t index = generator_.Below(pages_.size());
  OpenPages& open = pages_[index];
  Log("next page " + Describe(open.query));
  std::vector<Token> expected = open.query.continuation.empty()
                                    ? model_.Select(open.query)
                                    : model_.SelectAfter(open.query, open.last);
  const bool more = expected.size() > open.query.limit;
  if (more) expected.resize(open.query.limit);
  const auto page = db_->List(open.query);
  if (!SameCode("next page", absl::StatusCode::kOk, page.status())) {
    return false;
  }
  if (!Same(page->tokens == expected ? "" : "next page: other tokens") ||
      !Same(page->continuation.empty() != more ? "" : "next page: the end")) {
    return false;
  }
  if (more) {
    open.query.continuation = page->continuation;
    open.last = expected.back();
  } else {
    pages_.erase(pages_.begin() + static_cast<std::ptrdiff_t>(index));
  }
  return true;
}

bool Runner::Compare() {
  feed_.Record(model_.TakeChanges());
  if (generator_.OneIn(2) && !Same(feed_.FollowOn(*db_, generator_))) {
    return false;
  }
  if (generator_.OneIn(2) && !ReadNextPage()) return false;
  if (generator_.OneIn(20) && !Same(CompareLookUps(*db_, model_))) return false;
  if (generator_.OneIn(5) && !Same(CompareExpired(*db_, model_, generator_))) {
    return false;
  }
  if (generator_.OneIn(50) && !Same(CompareCheck(*db_, model_))) return false;
  const Query query = generator_.MakeQuery(model_.now(), Ids());
  const std::string difference = CompareQuery(*db_, model_, query, generator_);
  return Same(difference.empty()
                  ? ""
                  : absl::StrCat(difference, "\nquery: ", Describe(query)));
}

bool Runner::Step() {
  if (generator_.OneIn(6)) return Use() && Compare();
  const uint64_t choice = generator_.Below(1000);
  bool same = true;
  if (choice < 300) {
    same = model_.tokens().size() < kMostTokens ? Issue() : Delete();
  } else if (choice < 550) {
    same = Update();
  } else if (choice < 620) {
    same = Revoke();
  } else if (choice < 700) {
    same = Delete();
  } else if (choice < 715) {
    same = RevokeAll();
  } else if (choice < 730) {
    same = DeleteAll();
  } else if (choice < 930) {
    MoveClock();
  } else if (choice < 960) {
    same = HoldReader();
  } else if (choice < 980) {
    same = CloseReader();
  } else if (choice < 988) {
    Log("flush");
    same = SameCode("flush", absl::StatusCode::kOk, db_->Flush());
  } else if (choice < 994) {
    same = Upkeep();
  } else if (choice < 996) {
    same = ChangeIndexes();
  } else {
    Reopen();
  }
  return same && Compare();
}

int Run(uint64_t seed, uint64_t steps, absl::Duration time) {
  Runner runner(seed);
  const absl::Time end = absl::Now() + time;
  uint64_t step = 0;
  for (; step < steps && absl::Now() < end; ++step) {
    if (runner.Step()) continue;
    std::fprintf(stderr, "seed %llu, step %llu\n",
                 static_cast<unsigned long long>(seed),
                 static_cast<unsigned long long>(step));
    return 1;
  }
  if (!runner.Finish()) return 1;
  std::printf("seed %llu: %llu steps, %llu comparisons, no difference\n",
              static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(step),
              static_cast<unsigned long long>(runner.comparisons()));
  // A run without steps has shown nothing.
  return step == 0 ? 1 : 0;
}

}  // namespace
}  // namespace tokendb::testing

int main(int argc, char** argv) {
  uint64_t seed = 1;
  uint64_t steps = UINT64_MAX;
  uint64_t seconds = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const std::string value =
        equals == std::string::npos ? "" : argument.substr(equals + 1);
    uint64_t* const target = name == "--seed"      ? &seed
                             : name == "--steps"   ? &steps
                             : name == "--seconds" ? &seconds
                                                   : nullptr;
    if (target == nullptr || !absl::SimpleAtoi(value, target)) {
      std::fprintf(stderr,
                   "usage: property_test [--seed=N] [--steps=N] "
                   "[--seconds=N]\n");
      return 2;
    }
  }
  const absl::Duration time = seconds == 0 && steps != UINT64_MAX
                                  ? absl::InfiniteDuration()
                              : seconds == 0 ? absl::Seconds(15)
                                             : absl::Seconds(seconds);
  return tokendb::testing::Run(seed, steps, time);
}
