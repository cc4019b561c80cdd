#include "bench/peers/check_stores.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/peers/answers.h"
#include "bench/working_directory.h"

namespace tokendb::bench {
namespace {

constexpr size_t kTokens = 4000;
constexpr size_t kIssued = 100;
constexpr size_t kTouched = 20;
constexpr size_t kRevoked = 40;
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
void CheckOne(Store& store, BenchClock& clock, const StoreKind& kind,
              const LoadInput& input, AnswerBook& book) {
  const absl::Time now = clock.Now();
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
  for (size_t i = 0; i < kRevoked; ++i) {
    // Of both halves.
    caller->Revoke(input.tokens.Make(kTouched + i).id);
  }
  book.Compare(store, kind.name, "revoked");
  clock.Set(now + absl::Hours(1));
  book.Compare(store, kind.name, "expired");
  size_t deleted = 0;
  while (const auto some = store.DeleteExpired(kDeletedAtOnce)) {
    deleted += *some;
    if (*some == 0) break;
  }
  // Of tokens that were revoked there may be something left.
  if (deleted != 0 &&
      (deleted > kTokens / 2 || deleted < kTokens / 2 - kRevoked)) {
    CheckOk(absl::InternalError(absl::StrCat(deleted, " deleted")), kind.name);
  }
  book.Compare(store, kind.name, "expired");
}

}  // namespace

void CheckStores(const std::vector<StoreKind>& kinds,
                 const std::string& directory, absl::Time now,
                 size_t cache_bytes) {
  BenchClock clock(now);
  const auto make = [&](const StoreKind& kind, const std::string& path) {
    return kind.make({.path = path,
                      .cache_bytes = cache_bytes,
                      .tokens = kTokens,
                      .clock = &clock});
  };
  const absl::Time ending = now + absl::Hours(1);
  const TokenSource tokens(kTokens, ending - absl::Hours(24),
                           TokenSource::Kind::kHalfEnding, ending, kSeed);
  const FreshDirectory path(directory + "/check-tokendb");
  const FreshDirectory copy(directory + "/check-entries");
  make(kinds.front(), path.path())->Load({tokens});
  const EntrySource entries(path.path(), copy.path());
  AnswerBook book(tokens, clock);
  for (const StoreKind& kind : kinds) {
    const FreshDirectory fresh(
        absl::StrCat(directory, "/check-", kind.name, "-store"));
    const LoadInput input{tokens, &entries};
    clock.Set(now);
    const auto store = make(kind, fresh.path());
    store->Load(input);
    CheckOne(*store, clock, kind, input, book);
  }
}

}  // namespace tokendb::bench
