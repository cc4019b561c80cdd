#include "absl/strings/str_cat.h"
#include "bench/expiry/run.h"
#include "bench/working_directory.h"

namespace tokendb::bench {
namespace {

constexpr size_t kTokens = 4000;
constexpr size_t kIssued = 100;
constexpr size_t kTouched = 20;
constexpr uint64_t kSeed = 3;
constexpr size_t kDeletedAtOnce = 300;

void CheckTouches(Store& store, Caller& caller, const std::string& name,
                  const TokenSource& tokens, absl::Time now) {
  const absl::Time time = now - absl::Seconds(1);
  for (size_t i = 0; i < kTouched; ++i) {
    caller.Touch(tokens.Make(i).id, time, "192.0.2.7");
  }
  store.FlushTouches();
  for (size_t i = 0; i < kTouched; ++i) {
    if (store.LastUse(tokens.Make(i).id) != time) {
      CheckOk(absl::InternalError("a touch is missing"), name);
    }
  }
  if (store.LastUse(tokens.Make(kTouched).id).has_value()) {
    CheckOk(absl::InternalError("a touch that was not made"), name);
  }
}

// `clock` ends up after the expiry of a half of the tokens.
void CheckOne(const Run& run, BenchClock& clock, const StoreKind& kind,
              const LoadInput& input, AnswerBook& book, LoadedStore loaded) {
  const absl::Time now = run.clock.Now();
  Store& store = *loaded.store;
  book.Compare(store, kind.name, "loaded");
  const SyntheticTokens issued(kIssued, now + absl::Hours(366 * 24), kSeed + 1);
  std::vector<Token> tokens;
  for (size_t i = 0; i < kIssued; ++i) tokens.push_back(issued.Make(i));
  const auto caller = store.NewCaller();
  caller->Issue(tokens);
  store.Flush();
  book.Compare(store, kind.name, "issued");
  CheckTouches(store, *caller, kind.name, input.tokens, now);
  book.Compare(store, kind.name, "touched");
  clock.Set(now + absl::Hours(1));
  book.Compare(store, kind.name, "expired");
  size_t deleted = 0;
  while (const auto some = store.DeleteExpired(kDeletedAtOnce)) {
    deleted += *some;
    if (*some == 0) break;
  }
  if (deleted != 0 && deleted != kTokens / 2) {
    CheckOk(absl::InternalError(absl::StrCat(deleted, " deleted")), kind.name);
  }
  book.Compare(store, kind.name, "expired");
}

}  // namespace

void CheckStores(const Run& run) {
  Progress("comparing the answers of the stores");
  BenchClock clock(run.clock.Now());
  const Run small{run.settings, run.directory, clock, run.kinds, run.results};
  const absl::Time ending = clock.Now() + absl::Hours(1);
  const TokenSource tokens(kTokens, ending - absl::Hours(24),
                           TokenSource::Kind::kHalfEnding, ending, kSeed);
  const FreshDirectory path(run.directory + "/check-tokendb");
  const FreshDirectory copy(run.directory + "/check-entries");
  small.Make(run.tokendb(), path.path(), kTokens)->Load({tokens});
  const EntrySource entries(path.path(), copy.path());
  AnswerBook book(tokens, clock);
  for (const StoreKind& kind : run.kinds) {
    const FreshDirectory fresh(
        absl::StrCat(run.directory, "/check-", kind.name, "-store"));
    const LoadInput input{tokens, &entries};
    clock.Set(run.clock.Now());
    LoadedStore loaded{kind.name, small.Make(kind, fresh.path(), kTokens)};
    loaded.store->Load(input);
    CheckOne(run, clock, kind, input, book, std::move(loaded));
  }
}

}  // namespace tokendb::bench
