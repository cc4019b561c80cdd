// The process that is killed.
#include <unistd.h>

#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/crash/operations.h"
#include "tokendb/db.h"

namespace tokendb::testing {
namespace {

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

}  // namespace

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

}  // namespace tokendb::testing
