// Kills a process that loads tokens in bulk, again and again, and looks each
// time at what is left: all tokens or none, and a database that takes a new
// load.
//
//   bulk_load_kill_test [--kills=40] [--seed=1]
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/support/temp_dir.h"
#include "tokendb/bulk_load.h"
#include "tokendb/db.h"

namespace tokendb::testing {
namespace {

constexpr uint64_t kTokens = 6000;

Token MakeToken(uint64_t number) {
  // In no order.
  const uint64_t mixed = number * 0x9E3779B97F4A7C15;
  std::array<char, TokenId::kSize> id{};
  for (size_t i = 0; i < sizeof(mixed); ++i) {
    id[i] = static_cast<char>(mixed >> (8 * i));
  }
  id.back() = 1;
  return {.id = TokenId(id),
          .digest = *Digest::OfSecret(absl::StrCat(number)),
          .owner = Owner{.id = absl::StrCat("owner ", number % 50)},
          .scopes = {"all", absl::StrCat("scope ", number % 7)},
          .created_at = absl::FromUnixSeconds(1700000000),
          .expires_at = absl::FromUnixSeconds(32503680000 + (number % 100))};
}

absl::Status Load(const std::string& path) {
  // Little memory: most of the time goes into temporary files.
  auto loader = BulkLoader::Open(path, {}, {.memory_bytes = 1 << 18});
  if (!loader.ok()) return loader.status();
  for (uint64_t i = 0; i < kTokens; ++i) {
    const absl::Status status = (*loader)->Add(MakeToken(i), i);
    if (!status.ok()) return status;
  }
  return (*loader)->Finish().status();
}

bool Fail(const std::string& what) {
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  return false;
}

// Starts this program to load into `path`, anew: a fork lacks RocksDB's
// threads.
pid_t StartLoad(const std::string& path) {
  const pid_t child = fork();
  if (child == 0) {
    execl("/proc/self/exe", "bulk_load_kill_test", "load", path.c_str(),
          nullptr);
    _exit(9);
  }
  return child;
}

// How many tokens are there; negative if anything is wrong with them.
int64_t Look(const std::string& path) {
  const auto db = Database::Open(path);
  if (!db.ok()) {
    Fail("open: " + db.status().ToString());
    return -1;
  }
  const auto report = (*db)->Check();
  const auto count = (*db)->Count({});
  if (!report.ok() || !count.ok() || report->problems_found != 0 ||
      report->records != count->count) {
    Fail("the check is not clean");
    return -1;
  }
  if (std::filesystem::exists(path + "/bulk")) {
    Fail("temporary files were left");
    return -1;
  }
  for (uint64_t i = 0; i < report->records; i += 97) {
    const Token token = MakeToken(i);
    const auto answer = (*db)->Authenticate(*token.digest);
    if (!answer.ok() || answer->state != TokenState::kLive) {
      Fail("a token cannot be authenticated");
      return -1;
    }
  }
  return static_cast<int64_t>(report->records);
}

struct Totals {
  uint64_t kills = 0;
  uint64_t before_a_database = 0;
  uint64_t none = 0;
  uint64_t all = 0;
  uint64_t with_temporary_files = 0;
};

// Kills one load after `delay`, looks at what it left, and loads again.
bool KillOnce(std::chrono::microseconds delay, Totals& totals) {
  TempDir dir;
  const std::string path = dir / "db";
  const pid_t child = StartLoad(path);
  if (child < 0) return Fail("no process");
  std::this_thread::sleep_for(delay);
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
    return Fail("the load failed by itself");
  }
  ++totals.kills;
  if (!std::filesystem::exists(path)) {
    ++totals.before_a_database;
  } else {
    totals.with_temporary_files +=
        std::filesystem::exists(path + "/bulk") ? 1 : 0;
    const int64_t there = Look(path);
    if (there == static_cast<int64_t>(kTokens)) {
      ++totals.all;
      return true;
    }
    if (there != 0) return Fail(absl::StrCat(there, " tokens are there"));
    ++totals.none;
  }
  if (const absl::Status again = Load(path); !again.ok()) {
    return Fail("a new load: " + again.ToString());
  }
  return Look(path) == static_cast<int64_t>(kTokens) ||
         Fail("a new load is not complete");
}

// How long a load takes when it is not killed.
std::chrono::microseconds WholeLoad() {
  TempDir dir;
  const auto begin = std::chrono::steady_clock::now();
  const pid_t child = StartLoad(dir / "db");
  int status = 0;
  waitpid(child, &status, 0);
  return std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - begin);
}

bool Run(uint64_t kills, uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto whole = WholeLoad();
  Totals totals;
  while (totals.kills < kills) {
    // Half of them near the end, where files become part of the database.
    const double part = static_cast<double>(random() % 1000) / 1000 *
                        (totals.kills % 2 == 0 ? 1.0 : 0.3);
    const double delay = totals.kills % 2 == 0 ? part : 0.7 + part;
    if (!KillOnce(std::chrono::microseconds(static_cast<int64_t>(
                      static_cast<double>(whole.count()) * delay)),
                  totals)) {
      return false;
    }
  }
  std::printf(
      "%llu kills: %llu before there was a database, %llu left no token, %llu "
      "all; %llu left temporary files, which went; every check was clean\n",
      static_cast<unsigned long long>(totals.kills),
      static_cast<unsigned long long>(totals.before_a_database),
      static_cast<unsigned long long>(totals.none),
      static_cast<unsigned long long>(totals.all),
      static_cast<unsigned long long>(totals.with_temporary_files));
  // Kills that hit nothing have shown nothing.
  return totals.with_temporary_files > kills / 4 || Fail("too few hits");
}

}  // namespace
}  // namespace tokendb::testing

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "load") {
    return tokendb::testing::Load(argv[2]).ok() ? 0 : 1;
  }
  uint64_t kills = 40;
  uint64_t seed = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    uint64_t* const target = name == "--kills"  ? &kills
                             : name == "--seed" ? &seed
                                                : nullptr;
    if (target == nullptr || equals == std::string::npos ||
        !absl::SimpleAtoi(argument.substr(equals + 1), target)) {
      std::fprintf(stderr,
                   "usage: bulk_load_kill_test [--kills=N] [--seed=N]\n");
      return 2;
    }
  }
  return tokendb::testing::Run(kills, seed) ? 0 : 1;
}
