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
#include "tests/crash/operations.h"
#include "tests/support/temp_dir.h"
#include "tokendb/db.h"

namespace tokendb::testing {
namespace {

constexpr int kKillsPerDatabase = 40;

struct Flags {
  uint64_t kills = 200;
  uint64_t seed = 1;
  uint64_t threads = 3;
};

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
