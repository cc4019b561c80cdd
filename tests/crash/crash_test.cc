// Kills a process that writes to a database, again and again, and looks each
// time at what is left.
//
//   crash_test --kills=200 [--seed=1] [--threads=3]
//
// The writing process is this program, started anew: a mere fork of a process
// that has opened a database lacks RocksDB's background threads, and would
// never flush or compact. It tells its parent, on a pipe, what it is about to
// do and then that it was acknowledged. After the kill every acknowledged
// change must be there, the one under way in each thread wholly or not at all,
// the change feed must tell the same, and Check() must find nothing.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/support/temp_dir.h"
#include "tokendb/db.h"

namespace tokendb::testing {
namespace {

constexpr int kTokens = 60;
constexpr int kKillsPerDatabase = 40;

struct Flags {
  uint64_t kills = 200;
  uint64_t seed = 1;
  uint64_t threads = 3;
};

// What a token is after an operation: absent, or as MakeToken() makes it.
struct State {
  bool present = false;
  uint64_t serial = 0;
  bool revoked = false;
};

enum class Kind : char {
  kPut = 'P',
  kRevoke = 'R',
  kDelete = 'D',
  kBatch = 'B',  // Issues all of its tokens, which are absent, together.
};

struct Operation {
  Kind kind = Kind::kPut;
  uint64_t serial = 0;
  std::vector<int> tokens;
};

TokenId IdOf(int token) {
  std::array<char, TokenId::kSize> bytes{};
  bytes[0] = 1;
  bytes[TokenId::kSize - 1] = static_cast<char>(token);
  return TokenId(bytes);
}

Digest DigestOf(int token, uint64_t serial) {
  return *Digest::OfSecret(absl::StrCat(token, " ", serial));
}

Token MakeToken(int token, uint64_t serial) {
  return {.id = IdOf(token),
          .digest = DigestOf(token, serial),
          .owner = Owner{.id = absl::StrCat("owner ", (token + serial) % 5)},
          .description = absl::StrCat(serial),
          .scopes = {"all", absl::StrCat("scope ", serial % 7)},
          .created_at = absl::FromUnixSeconds(1700000000),
          .expires_at = absl::FromUnixSeconds(32503680000 + (serial % 100)),
          .organization = absl::StrCat("organization ", serial % 3),
          .kind = absl::StrCat("kind ", serial % 2)};
}

State After(const Operation& operation, State state) {
  switch (operation.kind) {
    case Kind::kPut:
    case Kind::kBatch:
      return {true, operation.serial, state.present && state.revoked};
    case Kind::kRevoke:
      state.revoked = state.present;
      return state;
    case Kind::kDelete:
      return {};
  }
  return state;
}

// --- The writing process ---

void Say(int fd, const std::string& line) {
  // Lines are shorter than PIPE_BUF: those of several threads do not mix.
  if (write(fd, line.data(), line.size()) !=
      static_cast<ssize_t>(line.size())) {
    _exit(3);
  }
}

absl::Status Put(Database& db, int token, uint64_t serial, bool present) {
  const Token wanted = MakeToken(token, serial);
  if (!present) return db.Issue(wanted).status();
  TokenPatch patch;
  patch.digest = *wanted.digest;
  patch.owner = *wanted.owner;
  patch.description = wanted.description;
  patch.scopes = wanted.scopes;
  patch.expires_at = *wanted.expires_at;
  patch.organization = wanted.organization;
  patch.kind = wanted.kind;
  return db.Update(wanted.id, patch).status();
}

absl::Status Do(Database& db, const Operation& operation, bool present) {
  const TokenId id = IdOf(operation.tokens.front());
  switch (operation.kind) {
    case Kind::kPut:
      return Put(db, operation.tokens.front(), operation.serial, present);
    case Kind::kRevoke:
      return db.Revoke(id).status();
    case Kind::kDelete:
      return db.Delete(id);
    case Kind::kBatch: {
      std::vector<Token> tokens;
      for (const int token : operation.tokens) {
        tokens.push_back(MakeToken(token, operation.serial));
      }
      return db.IssueBatch(tokens).status();
    }
  }
  return absl::InternalError("no such operation");
}

// Tokens that will have expired when they are looked for: they must be gone
// without a trace. OutOfRange: they had expired before they were written.
absl::Status IssueShortLived(Database& db) {
  std::vector<Token> tokens(30);
  for (Token& token : tokens) {
    token.scopes = {"all", "short"};
    token.owner = Owner{.id = "owner 1"};
    token.expires_at = db.Now() + absl::Milliseconds(2);
  }
  const absl::Status status = db.IssueBatch(tokens).status();
  return absl::IsOutOfRange(status) ? absl::OkStatus() : status;
}

// Adds or drops an index, unless another thread is at it.
void ChangeIndexes(Database& db, std::mt19937_64& random) {
  const OptionalIndex index =
      random() % 2 == 0 ? OptionalIndex::kOrganization : OptionalIndex::kKind;
  const absl::Status status = random() % 3 == 0
                                  ? db.DropIndex(index)
                                  : db.AddIndex(index, {.step_tokens = 2});
  if (!status.ok() && !absl::IsFailedPrecondition(status)) _exit(11);
}

// Notes a use of some token of this thread, which may not exist, and marks
// another. Both are written by whoever comes next, or lost.
void Touch(Database& db, int thread, int threads, uint64_t random) {
  const int steps = kTokens / threads;
  const auto some = [&](uint64_t number) {
    return IdOf(thread + threads * static_cast<int>(number % steps));
  };
  if (!db.Touch(some(random), db.Now(), "192.0.2.7").ok()) _exit(12);
  if (random % 4 != 0) return;
  const auto marked =
      db.MarkNotified({some(random / 7)}, absl::Hours(random % 48),
                      {.durability = Durability::kBuffered});
  if (!marked.ok()) _exit(12);
}

// Changes the tokens whose number is `thread` modulo `threads`, for ever.
void WriteForEver(Database& db, int fd, uint64_t seed, int thread,
                  int threads) {
  std::mt19937_64 random(seed * 1000 + thread);
  std::map<int, bool> present;
  for (int token = thread; token < kTokens; token += threads) {
    present[token] = db.Get(IdOf(token)).ok();
  }
  while (true) {
    Touch(db, thread, threads, random());
    Operation operation;
    operation.serial = random() >> 1;
    const int token =
        thread + threads * static_cast<int>(random() % present.size());
    operation.tokens = {token};
    const uint64_t choice = random() % 100;
    if (choice < 5) {
      for (const auto& [other, is_present] : present) {
        if (!is_present && other != token) operation.tokens.push_back(other);
      }
      if (present[token]) operation.tokens.erase(operation.tokens.begin());
      operation.kind = Kind::kBatch;
      if (operation.tokens.empty()) continue;
    } else if (choice < 15 && present[token]) {
      operation.kind = Kind::kRevoke;
    } else if (choice < 30 && present[token]) {
      operation.kind = Kind::kDelete;
    } else if (choice >= 95 && choice < 99) {
      if (!IssueShortLived(db).ok()) _exit(10);
      continue;
    } else if (choice == 99) {
      Say(fd, absl::StrCat("upkeep ", thread, "\n"));
      if (!db.Flush().ok()) _exit(4);
      if (random() % 4 == 0 && !db.Compact().ok()) _exit(5);
      if (random() % 4 == 0 && !db.Reclaim().ok()) _exit(5);
      Say(fd, absl::StrCat("kept ", thread, "\n"));
      continue;
    } else if (choice >= 88 && choice < 95) {
      Say(fd, absl::StrCat("index ", thread, "\n"));
      ChangeIndexes(db, random);
      Say(fd, absl::StrCat("indexed ", thread, "\n"));
      continue;
    }
    std::string line = absl::StrCat(
        "try ", thread, " ", std::string(1, static_cast<char>(operation.kind)),
        " ", operation.serial);
    for (const int each : operation.tokens) absl::StrAppend(&line, " ", each);
    Say(fd, line + "\n");
    if (absl::Status status = Do(db, operation, present[token]); !status.ok()) {
      Say(fd, absl::StrCat("fail ", thread, " ", status.ToString(), "\n"));
      _exit(6);
    }
    Say(fd, absl::StrCat("done ", thread, "\n"));
    for (const int each : operation.tokens) {
      present[each] = operation.kind != Kind::kDelete;
    }
  }
}

// What Parent::StartWriter() asks for.
[[noreturn]] void RunWriter(const std::string& path, int fd, uint64_t seed,
                            int threads) {
  // What expires is forgotten and taken back at once.
  auto db =
      Database::Open(path, {.retain_expired = absl::ZeroDuration(),
                            .retain_revoked = absl::ZeroDuration(),
                            .retain_changes = absl::InfiniteDuration(),
                            .reclaim = {.period = absl::Milliseconds(20)},
                            .touch = {.flush_period = absl::Milliseconds(5)},
                            .write_buffer_bytes = 1 << 18});
  if (!db.ok()) {
    Say(fd, absl::StrCat("fail 0 open: ", db.status().ToString(), "\n"));
    _exit(7);
  }
  std::vector<std::thread> writers;
  for (int thread = 0; thread < threads; ++thread) {
    writers.emplace_back(
        [&, thread] { WriteForEver(**db, fd, seed, thread, threads); });
  }
  for (std::thread& writer : writers) writer.join();
  _exit(8);
}

// --- The parent ---

struct Totals {
  uint64_t acknowledged = 0;
  uint64_t under_way_applied = 0;
  uint64_t under_way_absent = 0;
  uint64_t killed_opening = 0;
  uint64_t upkeep_under_way = 0;    // Kills during Flush() or Compact().
  uint64_t indexing_under_way = 0;  // During AddIndex() or DropIndex().
};

class Parent {
 public:
  explicit Parent(const Flags& flags) : flags_(flags), random_(flags.seed) {}

  // False if something was wrong, which is printed.
  bool Run();

 private:
  bool KillOnce(const std::string& path);
  pid_t StartWriter(const std::string& path, int fd);
  bool ReadLines(int fd);
  bool Verify(const std::string& path);
  bool VerifyCheck(const Database& db, uint64_t present);
  bool VerifyIndexes(Database& db, uint64_t present);
  bool VerifyToken(const Database& db, int token, const State& state,
                   std::string& difference);
  bool VerifyFeed(const Database& db);
  bool VerifyUnderWay(const Database& db, const Operation& operation);
  bool Fail(const std::string& what) {
    std::fprintf(stderr, "FAILED after %llu kills: %s\n",
                 static_cast<unsigned long long>(kills_), what.c_str());
    return false;
  }

  Flags flags_;
  std::mt19937_64 random_;
  uint64_t kills_ = 0;
  std::map<int, State> states_;
  std::map<int, Operation> under_way_;  // By thread.
  Totals totals_;
};

bool Parent::ReadLines(int fd) {
  std::string text;
  std::array<char, 65536> buffer;
  for (ssize_t n = 0; (n = read(fd, buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<size_t>(n));
  }
  totals_.killed_opening += text.empty() ? 1 : 0;
  std::set<int> upkeep;
  std::set<int> indexing;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    int thread = 0;
    words >> word >> thread;
    if (word == "fail") return Fail(line);
    if (word == "try") {
      Operation operation;
      char kind = 0;
      words >> kind >> operation.serial;
      operation.kind = static_cast<Kind>(kind);
      for (int token = 0; words >> token;) operation.tokens.push_back(token);
      under_way_[thread] = operation;
    } else if (word == "done") {
      const Operation& operation = under_way_.at(thread);
      for (const int token : operation.tokens) {
        states_[token] = After(operation, states_[token]);
      }
      under_way_.erase(thread);
      ++totals_.acknowledged;
    } else if (word == "upkeep") {
      upkeep.insert(thread);
    } else if (word == "kept") {
      upkeep.erase(thread);
    } else if (word == "index") {
      indexing.insert(thread);
    } else if (word == "indexed") {
      indexing.erase(thread);
    }
  }
  totals_.upkeep_under_way += upkeep.empty() ? 0 : 1;
  totals_.indexing_under_way += indexing.empty() ? 0 : 1;
  return true;
}

bool Parent::VerifyToken(const Database& db, int token, const State& state,
                         std::string& difference) {
  const auto actual = db.Get(IdOf(token));
  if (!state.present) {
    if (absl::IsNotFound(actual.status())) return true;
    difference = absl::StrCat("token ", token, " should be absent");
    return false;
  }
  if (!actual.ok()) {
    difference =
        absl::StrCat("token ", token, ": ", actual.status().ToString());
    return false;
  }
  Token expected = MakeToken(token, state.serial);
  expected.version = actual->version;
  expected.revoked_at = actual->revoked_at;
  // A use may be there or lost.
  expected.last_accessed_at = actual->last_accessed_at;
  if (actual->last_accessed_at.has_value()) expected.ip_address = "192.0.2.7";
  const auto by_digest = db.GetByDigest(DigestOf(token, state.serial));
  const auto answer = db.Authenticate(DigestOf(token, state.serial));
  if (*actual == expected && actual->revoked_at.has_value() == state.revoked &&
      by_digest.ok() && *by_digest == *actual && answer.ok() &&
      answer->state ==
          (state.revoked ? TokenState::kRevoked : TokenState::kLive)) {
    return true;
  }
  difference = absl::StrCat("token ", token, " is not as acknowledged");
  return false;
}

// Every change of a token follows on the one before, and the last one is what
// became of it.
bool Parent::VerifyFeed(const Database& db) {
  std::map<TokenId, TokenChange> last;
  ChangePage page;
  do {
    const auto next = db.Changes(page.continuation, 1000);
    if (!next.ok()) return Fail("changes: " + next.status().ToString());
    page = *next;
    for (const TokenChange& change : page.changes) {
      const auto it = last.find(change.id);
      const bool absent =
          it == last.end() || it->second.kind == TokenChange::Kind::kDeleted;
      const uint64_t before = absent ? 0 : it->second.version;
      const bool deleted = change.kind == TokenChange::Kind::kDeleted;
      if (absent != (change.kind == TokenChange::Kind::kIssued) ||
          change.version != before + (deleted ? 0 : 1)) {
        return Fail(absl::StrCat("a change of ", change.id.ToString(),
                                 " to version ", change.version, " after ",
                                 before));
      }
      last[change.id] = change;
    }
  } while (!page.caught_up);
  for (int token = 0; token < kTokens; ++token) {
    const auto it = last.find(IdOf(token));
    const bool present =
        it != last.end() && it->second.kind != TokenChange::Kind::kDeleted;
    const auto stored = db.Get(IdOf(token));
    if (present != stored.ok() ||
        (present && stored->version != it->second.version)) {
      return Fail(absl::StrCat("token ", token, " is not as its last change"));
    }
  }
  return true;
}

// The operation happened to all of its tokens or to none.
bool Parent::VerifyUnderWay(const Database& db, const Operation& operation) {
  std::string difference;
  bool all_before = true;
  bool all_after = true;
  for (const int token : operation.tokens) {
    const State before = states_[token];
    all_before &= VerifyToken(db, token, before, difference);
    all_after &= VerifyToken(db, token, After(operation, before), difference);
  }
  if (!all_before && !all_after) {
    return Fail("a change is there in part: " + difference);
  }
  if (!all_after) {
    ++totals_.under_way_absent;
    return true;
  }
  ++totals_.under_way_applied;
  for (const int token : operation.tokens) {
    states_[token] = After(operation, states_[token]);
  }
  return true;
}

bool Parent::Verify(const std::string& path) {
  // If the writer was killed early, this makes the database.
  const auto db =
      Database::Open(path, {.retain_changes = absl::InfiniteDuration()});
  if (!db.ok()) return Fail("open: " + db.status().ToString());
  for (const auto& [thread, operation] : under_way_) {
    if (!VerifyUnderWay(**db, operation)) return false;
  }
  under_way_.clear();
  std::string difference;
  uint64_t present = 0;
  for (int token = 0; token < kTokens; ++token) {
    if (!VerifyToken(**db, token, states_[token], difference)) {
      return Fail(difference);
    }
    present += states_[token].present ? 1 : 0;
  }
  return VerifyFeed(**db) && VerifyCheck(**db, present) &&
         VerifyIndexes(**db, present);
}

bool Parent::VerifyCheck(const Database& db, uint64_t present) {
  const auto report = db.Check();
  if (!report.ok()) return Fail("check: " + report.status().ToString());
  if (report->problems_found != 0 || report->records != present) {
    return Fail(absl::StrCat("check found ", report->problems_found,
                             " problems and ", report->records,
                             " records instead of ", present));
  }
  return true;
}

// What was begun is completed, and finds every token.
bool Parent::VerifyIndexes(Database& db, uint64_t present) {
  if (random_() % 3 != 0) return true;
  for (const OptionalIndex index :
       {OptionalIndex::kOrganization, OptionalIndex::kKind}) {
    const absl::Status status = db.AddIndex(index);
    if (!status.ok()) return Fail("add index: " + status.ToString());
  }
  if (!VerifyCheck(db, present)) return false;
  uint64_t found = 0;
  for (int i = 0; i < 3; ++i) {
    const Query query = {.states = StateSet::All(),
                         .organization = absl::StrCat("organization ", i)};
    const auto explanation = db.Explain(query);
    const auto count = db.Count(query);
    if (!count.ok() || !explanation.ok() ||
        explanation->driver != "organization") {
      return Fail("the organization index is not used");
    }
    found += count->count;
  }
  return found == present || Fail("the organization index lacks tokens");
}

// Starts this program as the writer of `path`, which talks to `fd`. Returns its
// process id, negative on an error.
pid_t Parent::StartWriter(const std::string& path, int fd) {
  std::vector<std::string> words = {"crash_test", path, absl::StrCat(fd),
                                    absl::StrCat(random_() >> 1),
                                    absl::StrCat(flags_.threads)};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    execv("/proc/self/exe", arguments.data());
    _exit(9);
  }
  return child;
}

bool Parent::KillOnce(const std::string& path) {
  int fds[2];
  // The writer must not hold the reading end, nor one of an earlier pipe.
  if (pipe(fds) != 0 || fcntl(fds[0], F_SETFD, FD_CLOEXEC) != 0) {
    return Fail("no pipe");
  }
  const pid_t child = StartWriter(path, fds[1]);
  if (child < 0) return Fail("no process");
  close(fds[1]);
  // Sometimes while it is still opening the database.
  const uint64_t limit = random_() % 5 == 0 ? 30000 : 200000;
  std::thread killer([&, delay = random_() % limit] {
    usleep(static_cast<useconds_t>(delay));
    kill(child, SIGKILL);
  });
  const bool readable = ReadLines(fds[0]);
  killer.join();
  close(fds[0]);
  int status = 0;
  waitpid(child, &status, 0);
  ++kills_;
  if (!readable) return false;
  if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
    return Fail("the writing process ended by itself");
  }
  return Verify(path);
}

bool Parent::Run() {
  std::unique_ptr<TempDir> dir;
  while (kills_ < flags_.kills) {
    if (kills_ % kKillsPerDatabase == 0) {
      dir = std::make_unique<TempDir>();
      states_.clear();
    }
    if (!KillOnce(*dir / "db")) return false;
  }
  std::printf(
      "%llu kills (%llu while opening, %llu in flush or compaction, %llu in "
      "adding or dropping an index): %llu changes acknowledged, none lost; of "
      "those under way %llu were made, "
      "%llu not; every check was clean\n",
      static_cast<unsigned long long>(kills_),
      static_cast<unsigned long long>(totals_.killed_opening),
      static_cast<unsigned long long>(totals_.upkeep_under_way),
      static_cast<unsigned long long>(totals_.indexing_under_way),
      static_cast<unsigned long long>(totals_.acknowledged),
      static_cast<unsigned long long>(totals_.under_way_applied),
      static_cast<unsigned long long>(totals_.under_way_absent));
  // Kills that hit nothing have shown nothing.
  if (totals_.acknowledged < flags_.kills) return Fail("too few changes");
  return true;
}

}  // namespace
}  // namespace tokendb::testing

int main(int argc, char** argv) {
  tokendb::testing::Flags flags;
  if (argc == 5) {
    uint64_t numbers[3];
    for (int i = 0; i < 3; ++i) {
      if (!absl::SimpleAtoi(argv[i + 2], &numbers[i])) return 2;
    }
    tokendb::testing::RunWriter(argv[1], static_cast<int>(numbers[0]),
                                numbers[1], static_cast<int>(numbers[2]));
  }
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    uint64_t* const target = name == "--kills"     ? &flags.kills
                             : name == "--seed"    ? &flags.seed
                             : name == "--threads" ? &flags.threads
                                                   : nullptr;
    if (target == nullptr || equals == std::string::npos ||
        !absl::SimpleAtoi(argument.substr(equals + 1), target) ||
        *target == 0) {
      std::fprintf(stderr,
                   "usage: crash_test [--kills=N] [--seed=N] [--threads=N]\n");
      return 2;
    }
  }
  return tokendb::testing::Parent(flags).Run() ? 0 : 1;
}
