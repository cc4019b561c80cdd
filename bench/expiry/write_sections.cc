// Touches, and what it takes to write.
#include <unistd.h>

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "bench/expiry/run.h"
#include "bench/peers/zipf.h"
#include "bench/token_entries.h"

namespace tokendb::bench {
namespace {

constexpr size_t kIssueBatch = 100;
constexpr uint64_t kIssueSeed = 42;
constexpr uint64_t kTouchSeed = 31;
constexpr size_t kTouchChunk = 1000000;
constexpr size_t kCheckedTouches = 50;
// The others are slow in a way that does not depend on how many touches there
// are: they are given this part of them.
constexpr size_t kPartOfTouchesForPeers = 100;

// Waits until nothing more is written on behalf of the store: until its
// compactions have come to rest.
void WaitForQuietDisk(Store& store) {
  constexpr int kQuietChecks = 3;
  constexpr int kMostChecks = 480;
  int quiet = 0;
  uint64_t before = store.BytesWritten();
  for (int i = 0; i < kMostChecks && quiet < kQuietChecks; ++i) {
    usleep(250 * 1000);
    const uint64_t now = store.BytesWritten();
    quiet = now == before ? quiet + 1 : 0;
    before = now;
  }
}

uint64_t LogicalBytes(const EntrySource& entries,
                      absl::Span<const Token> tokens) {
  RecordEncoder encoder;
  std::vector<Entry> all;
  for (const Token& token : tokens) {
    AppendEntries(token, entries.NumbersOf(token), encoder, all);
  }
  uint64_t bytes = 0;
  for (const Entry& entry : all) bytes += entry.key.size() + entry.value.size();
  return bytes;
}

// A sequence of touches, and what the store must say of some of them later.
class Touches {
 public:
  Touches(const std::vector<TokenId>& ids, absl::Time begin)
      : ids_(ids), begin_(begin), zipf_(ids.size(), kTouchSeed) {}

  absl::Time TimeOf(size_t i) const {
    return begin_ + absl::Nanoseconds(100) * static_cast<int64_t>(i);
  }

  // Draws the tokens of the next `count` touches.
  const std::vector<TokenId>& Draw(size_t count) {
    drawn_.clear();
    for (size_t i = 0; i < count; ++i, ++next_) {
      const TokenId& id = ids_[zipf_.Next()];
      drawn_.push_back(id);
      const auto it = checked_.find(id);
      if (it != checked_.end()) {
        it->second = TimeOf(next_);
      } else if (checked_.size() < kCheckedTouches) {
        checked_.emplace(id, TimeOf(next_));
      }
    }
    return drawn_;
  }

  void Check(Store& store, const std::string& name) const {
    for (const auto& [id, time] : checked_) {
      const std::optional<absl::Time> found = store.LastUse(id);
      if (found.has_value() && FloorToMillis(*found) == FloorToMillis(time)) {
        continue;
      }
      CheckOk(absl::InternalError("a touch is missing"), name);
    }
  }

 private:
  const std::vector<TokenId>& ids_;
  absl::Time begin_;
  Zipf zipf_;
  size_t next_ = 0;
  std::vector<TokenId> drawn_;
  std::map<TokenId, absl::Time> checked_;
};

// Touches a second, with the time until all can be read.
double TouchesPerSecond(Store& store, Caller& caller, Touches& touches,
                        size_t count) {
  const std::string ip = "192.0.2.7";
  Stopwatch watch;
  for (size_t begin = 0; begin < count; begin += kTouchChunk) {
    const std::vector<TokenId>& ids =
        touches.Draw(std::min(kTouchChunk, count - begin));
    watch.Resume();
    for (size_t i = 0; i < ids.size(); ++i) {
      caller.Touch(ids[i], touches.TimeOf(begin + i), ip);
    }
    watch.Pause();
  }
  watch.Resume();
  store.FlushTouches();
  watch.Pause();
  return static_cast<double>(count) / watch.Seconds();
}

}  // namespace

void RunTouch(const Run& run, const std::vector<TokenId>& ids,
              LoadedStore& loaded) {
  Progress(absl::StrCat("touching in ", loaded.name));
  const size_t all = ids.size() * run.settings.touches_per_token;
  const auto caller = loaded.store->NewCaller();
  const bool is_tokendb = loaded.name == "tokendb";
  const size_t count =
      is_tokendb ? all : std::max<size_t>(all / kPartOfTouchesForPeers, 1);
  for (size_t i = 0; i < run.settings.repetitions; ++i) {
    // Not in the future, and each repetition later than the one before.
    const absl::Time begin =
        run.clock.Now() -
        absl::Nanoseconds(100) *
            static_cast<int64_t>(all * (run.settings.repetitions - i));
    Touches touches(ids, begin);
    run.results.Add({"touch", "touches", "touches/s", Better::kHigher},
                    loaded.name,
                    TouchesPerSecond(*loaded.store, *caller, touches, count));
    touches.Check(*loaded.store, loaded.name);
  }
  run.results.Note("touch",
                   absl::StrCat(loaded.name, ": ", count, " touches of ",
                                ids.size(), " tokens"));
}

void RunSpaceOfWrites(const Run& run, const EntrySource& entries,
                      LoadedStore& loaded) {
  Progress(absl::StrCat("issuing in ", loaded.name));
  Store& store = *loaded.store;
  const auto caller = store.NewCaller();
  const size_t count =
      std::max(run.settings.tokens / 10 / kIssueBatch, size_t{1}) * kIssueBatch;
  // Created after all others, as new tokens are.
  const SyntheticTokens tokens(count, run.clock.Now() + absl::Hours(366 * 24),
                               kIssueSeed);
  store.Flush();
  WaitForQuietDisk(store);
  const uint64_t before = store.BytesWritten();
  uint64_t logical = 0;
  Stopwatch watch;
  std::vector<Token> batch;
  for (size_t i = 0; i < count; ++i) {
    batch.push_back(tokens.Make(i));
    if (batch.size() < kIssueBatch) continue;
    logical += LogicalBytes(entries, batch);
    watch.Resume();
    caller->Issue(batch);
    watch.Pause();
    batch.clear();
  }
  store.Flush();
  WaitForQuietDisk(store);
  const uint64_t written = store.BytesWritten() - before;
  run.results.Add(
      {"space", "write amplification of issuing", "", Better::kLower},
      loaded.name, static_cast<double>(written) / static_cast<double>(logical));
  run.results.Add(
      {"space", "issuing, batches of 100", "tokens/s", Better::kHigher},
      loaded.name, static_cast<double>(count) / watch.Seconds());
  if (!caller->IsLive(*tokens.Make(count - 1).digest)) {
    CheckOk(absl::InternalError("an issued token is not live"), loaded.name);
  }
}

}  // namespace tokendb::bench
