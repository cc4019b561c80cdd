// What the machine itself can do: no store is faster than this.
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bench/lookup/run.h"
#include "src/verify/verify_table.h"

namespace tokendb::bench {
namespace {

constexpr size_t kLineBytes = 64;
constexpr size_t kHops = 4000000;
constexpr size_t kProbes = 1000000;
constexpr size_t kCopyBytes = size_t{256} << 20;
constexpr size_t kHashes = 300000;
constexpr size_t kSecretBytes = 40;
constexpr size_t kPageBytes = 4096;
constexpr size_t kSyncs = 100;

void KeepAlive(const void* data) { asm volatile("" : : "g"(data) : "memory"); }

template <typename F>
double SecondsOf(const F& work) {
  Stopwatch watch;
  watch.Resume();
  work();
  watch.Pause();
  return watch.Seconds();
}

struct alignas(kLineBytes) Line {
  uint64_t next = 0;
  std::array<char, kLineBytes - sizeof(uint64_t)> rest{};
};

// One cycle through all lines in random order (Sattolo).
std::vector<Line> MakeCycle(size_t count) {
  std::vector<Line> lines(count);
  Random random(9);
  for (size_t i = 0; i < count; ++i) lines[i].next = i;
  for (size_t i = count - 1; i > 0; --i) {
    std::swap(lines[i].next, lines[random.Below(i)].next);
  }
  return lines;
}

double HopNanoseconds(const std::vector<Line>& lines) {
  uint64_t at = 0;
  const double seconds = SecondsOf([&] {
    for (size_t i = 0; i < kHops; ++i) at = lines[at].next;
  });
  KeepAlive(&at);
  return seconds * 1e9 / kHops;
}

Digest DigestOfToken(uint64_t number) {
  return ValueOrDie(Digest::OfSecret(absl::StrCat(number)), "a digest");
}

// The verify index's own table, without anything around it.
std::unique_ptr<VerifyTable> FillTable(uint64_t tokens) {
  constexpr size_t kBytesPerToken = 200;
  constexpr size_t kLeastBytes = size_t{1} << 20;
  auto table = ValueOrDie(
      VerifyTable::Create(kLeastBytes + tokens * kBytesPerToken), "a table");
  table->Reserve(tokens);
  for (uint64_t i = 0; i < tokens; ++i) {
    table->Put(table->KeyOf(DigestOfToken(i)), {}, {},
               VerifyTable::IfFull::kRefuse);
  }
  return table;
}

std::vector<Digest> SomeDigests(uint64_t tokens) {
  Random random(10);
  std::vector<Digest> digests;
  for (size_t i = 0; i < kProbes; ++i) {
    digests.push_back(DigestOfToken(random.Below(tokens)));
  }
  return digests;
}

// `before` is done before each probe.
template <typename F>
double ProbeNanoseconds(const VerifyTable& table,
                        const std::vector<Digest>& digests, const F& before) {
  size_t found = 0;
  const double seconds = SecondsOf([&] {
    for (const Digest& digest : digests) {
      before();
      VerifyEntry entry;
      found += static_cast<size_t>(
          table.Find(table.KeyOf(digest), entry, /*mark_used=*/false) ==
          VerifyTable::Found::kYes);
    }
  });
  if (found != digests.size()) CheckOk(absl::InternalError("lost"), "probe");
  return seconds * 1e9 / static_cast<double>(digests.size());
}

double CopyGigabytesPerSecond() {
  std::vector<char> from(kCopyBytes, 1);
  std::vector<char> to(kCopyBytes, 2);
  const double seconds = SecondsOf([&] {
    std::memcpy(to.data(), from.data(), kCopyBytes);
    KeepAlive(to.data());
  });
  return kCopyBytes / seconds / 1e9;
}

double SyncMicroseconds(const std::string& directory) {
  const std::string path = directory + "/limit";
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  if (file < 0) CheckOk(absl::ErrnoToStatus(errno, path), "opening");
  const std::array<char, kPageBytes> page{};
  bool ok = true;
  const double seconds = SecondsOf([&] {
    for (size_t i = 0; i < kSyncs; ++i) {
      ok = ok && write(file, page.data(), page.size()) == kPageBytes &&
           fdatasync(file) == 0;
    }
  });
  close(file);
  unlink(path.c_str());
  if (!ok) CheckOk(absl::InternalError("cannot be synced"), path);
  return seconds * 1e6 / kSyncs;
}

double HashNanoseconds() {
  std::array<char, kSecretBytes> secret{};
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_MD* const sha = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  const double seconds = SecondsOf([&] {
    for (size_t i = 0; i < kHashes; ++i) {
      std::memcpy(secret.data(), &i, sizeof(i));
      EVP_DigestInit_ex(context, sha, nullptr);
      EVP_DigestUpdate(context, secret.data(), secret.size());
      EVP_DigestFinal_ex(context, hash.data(), &size);
    }
  });
  KeepAlive(hash.data());
  EVP_MD_free(sha);
  EVP_MD_CTX_free(context);
  return seconds * 1e9 / kHashes;
}

}  // namespace

void RunLimits(const Run& run) {
  Progress("limits of the machine");
  const auto add = [&](const char* name, const char* unit, Better better,
                       double sample) {
    run.results.Add({"limits", name, unit, better}, "machine", sample);
  };
  const std::vector<Line> lines = MakeCycle(run.settings.tokens);
  const std::vector<Digest> digests = SomeDigests(run.settings.tokens);
  const auto table = FillTable(run.settings.tokens);
  for (size_t i = 0; i < run.settings.repetitions; ++i) {
    add("random hop in a table of a 64-byte line for each token", "ns",
        Better::kLower, HopNanoseconds(lines));
    add("probe of a verify table of this size", "ns", Better::kLower,
        ProbeNanoseconds(*table, digests, [] {}));
    add("the same, each after asking for the time", "ns", Better::kLower,
        ProbeNanoseconds(*table, digests, [] {
          const absl::Time now = absl::Now();
          KeepAlive(&now);
        }));
    add("memcpy of 256 MiB", "GB/s", Better::kHigher, CopyGigabytesPerSecond());
    add("append of 4 KiB and fdatasync", "us", Better::kLower,
        SyncMicroseconds(run.directory));
    add("SHA-256 of a 40-byte secret", "ns", Better::kLower, HashNanoseconds());
  }
}

}  // namespace tokendb::bench
