#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "bench/expiry/run.h"

namespace tokendb::bench {
namespace {

constexpr double kScanTokens = 10000;
// Of SyntheticTokens.
constexpr double kExpiringPart = 0.8;
constexpr absl::Duration kYear = absl::Hours(365 * 24);
constexpr double kLeastSeconds = 0.1;

struct Scan {
  std::string name;
  std::function<std::vector<TokenId>(Store&)> run;
};

std::vector<Scan> MakeScans(const Run& run, const TokenSource& tokens) {
  const absl::Time now = run.clock.Now();
  const absl::Time window =
      now + kYear * std::min(1.0, kScanTokens /
                                      (kExpiringPart *
                                       static_cast<double>(tokens.count())));
  const absl::Time hour = now + absl::Hours(1);
  const absl::Time month = now + absl::Hours(30 * 24);
  const std::vector<std::string> owners = tokens.OwnersWithAtLeast(1000);
  const std::string owner =
      owners.empty() ? tokens.Make(0).owner->id : owners.front();
  const std::string scope = AllScopes().front();
  return {
      {"expiring, 10,000", [=](Store& s) { return s.Expiring(window); }},
      {"expiring, next hour", [=](Store& s) { return s.Expiring(hour); }},
      {"expiring, an owner, next 30 days",
       [=](Store& s) { return s.ExpiringOfOwner(owner, month); }},
      {"expiring, a scope, same span as 10,000",
       [=](Store& s) { return s.ExpiringOfScope(scope, window); }},
  };
}

double MicrosecondsACall(const Scan& scan, Store& store) {
  Stopwatch watch;
  size_t calls = 0;
  while (watch.Seconds() < kLeastSeconds) {
    watch.Resume();
    const std::vector<TokenId> ids = scan.run(store);
    watch.Pause();
    ++calls;
  }
  return watch.Seconds() * 1e6 / static_cast<double>(calls);
}

}  // namespace

void RunScan(const Run& run, const TokenSource& tokens, LoadedStore& tokendb,
             LoadedStore* peer) {
  Progress(absl::StrCat("scanning ", peer != nullptr ? peer->name : ""));
  std::vector<LoadedStore*> stores = {&tokendb};
  if (peer != nullptr) stores.push_back(peer);
  for (const Scan& scan : MakeScans(run, tokens)) {
    const size_t found = scan.run(*tokendb.store).size();
    if (peer != nullptr && scan.run(*peer->store).size() != found) {
      CheckOk(absl::InternalError("another number of tokens"), scan.name);
    }
    for (size_t i = 0; i < run.settings.repetitions; ++i) {
      for (const LoadedStore* const store : stores) {
        run.results.Add({"scan", scan.name, "us", Better::kLower}, store->name,
                        MicrosecondsACall(scan, *store->store));
      }
    }
    // Every store finds the same.
    if (peer == nullptr || peer->name == run.kinds[1].name) {
      run.results.Note("scan", absl::StrCat(scan.name, ": ", found, " ids"));
    }
  }
}

}  // namespace tokendb::bench
