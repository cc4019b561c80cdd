// What only reads: look-ups, lists and scans.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "bench/lookup/run.h"
#include "bench/lookup/timing.h"
#include "bench/peers/machine.h"

namespace tokendb::bench {
namespace {

constexpr size_t kBatch = 64;
constexpr size_t kManyThreads = 64;
constexpr size_t kManyThreadsCalls = 100000;
constexpr size_t kWarmUpLookups = 100000;
constexpr size_t kColdLookups = 200;
constexpr size_t kPage = 20;
constexpr double kScanTokens = 10000;
// Of SyntheticTokens.
constexpr double kExpiringPart = 0.8;
constexpr absl::Duration kYear = absl::Hours(365 * 24);

void CheckCount(size_t found, size_t expected, const std::string& store) {
  if (found == expected) return;
  CheckOk(absl::InternalError(absl::StrCat(found, " instead of ", expected)),
          store);
}

// Looks `digests` up one by one; `live` of them are live, if that is known.
Job LookupJob(LoadedStore& store, Caller& caller, std::vector<Digest> digests,
              std::optional<size_t> live) {
  return [&store, &caller, digests = std::move(digests), live] {
    size_t found = 0;
    for (const Digest& digest : digests) {
      found += static_cast<size_t>(caller.Lookup(digest).live);
    }
    CheckCount(found, live.value_or(found), store.name());
  };
}

Job BatchJob(LoadedStore& store, Caller& caller, std::vector<Digest> digests) {
  return [&store, &caller, digests = std::move(digests),
          answers = std::vector<Answer>(kBatch)]() mutable {
    size_t found = 0;
    for (size_t i = 0; i < digests.size(); i += kBatch) {
      caller.LookupMany(absl::MakeConstSpan(digests).subspan(i, kBatch),
                        absl::MakeSpan(answers));
      for (const Answer& answer : answers) {
        found += static_cast<size_t>(answer.live);
      }
    }
    CheckCount(found, digests.size(), store.name());
  };
}

// Of kinds of tokendb, once each.
void RunManyThreads(const Run& run, Workload& work, const Stores& stores) {
  const char* const many = "hit, 64 threads, uniform";
  Stores own;
  for (LoadedStore* const store : stores) {
    if (store->kind().is_tokendb &&
        !run.results.MedianOf("lookup", many, store->name()).has_value()) {
      own.push_back(store);
    }
  }
  if (own.empty()) return;
  Operation operation{.section = "lookup",
                      .name = many,
                      .callers = kManyThreads,
                      .most_calls = kManyThreadsCalls};
  operation.prepare = [&work](LoadedStore& s, Caller& c, size_t n) {
    return LookupJob(s, c, work.Uniform(n), n);
  };
  TimeOperation(run, operation, own);
  operation.name = "hit, 64 threads, one token";
  operation.prepare = [digest = work.Uniform(1).front()](LoadedStore& s,
                                                         Caller& c, size_t n) {
    return LookupJob(s, c, std::vector<Digest>(n, digest), n);
  };
  TimeOperation(run, operation, own);
}

}  // namespace

void RunLookups(const Run& run, Workload& work, const Stores& stores) {
  Progress(absl::StrCat("looking up, tokendb and ", stores.back()->name()));
  for (LoadedStore* const store : stores) {
    // So that what fits the caches is there when the first sample is taken.
    const auto caller = store->store().NewCaller();
    const size_t count = std::min(kWarmUpLookups, work.tokens());
    LookupJob(*store, *caller, work.Uniform(count), count)();
  }
  const auto one_by_one = [&](const char* name, auto draw, bool live,
                              size_t callers) {
    TimeOperation(
        run,
        {.section = "lookup",
         .name = name,
         .prepare =
             [&work, draw, live](LoadedStore& s, Caller& c, size_t n) {
               return LookupJob(s, c, (work.*draw)(n), live ? n : 0);
             },
         .callers = callers},
        stores);
  };
  one_by_one("hit, uniform", &Workload::Uniform, true, 1);
  one_by_one("hit, Zipf", &Workload::Skewed, true, 1);
  one_by_one("miss", &Workload::Unknown, false, 1);
  one_by_one("hit, uniform, 2 threads", &Workload::Uniform, true, 2);
  const auto in_batches = [&](const char* name, size_t callers) {
    TimeOperation(run,
                  {.section = "lookup",
                   .name = name,
                   .prepare =
                       [&work](LoadedStore& s, Caller& c, size_t n) {
                         return BatchJob(s, c, work.Uniform(n * kBatch));
                       },
                   .callers = callers,
                   .per_call = kBatch,
                   .most_calls = 1000000 / kBatch},
                  stores);
  };
  in_batches("hit, batches of 64", 1);
  in_batches("hit, batches of 64, 2 threads", 2);
  RunManyThreads(run, work, stores);
}

void RunQueries(const Run& run, const TokenSource& tokens,
                const Stores& stores) {
  Progress(absl::StrCat("querying, tokendb and ", stores.back()->name()));
  const absl::Time now = run.clock.Now();
  const absl::Time window =
      now + kYear * std::min(1.0, kScanTokens /
                                      (kExpiringPart *
                                       static_cast<double>(tokens.count())));
  const std::vector<std::string> owners = tokens.OwnersWithAtLeast(kPage);
  const std::vector<std::string> large =
      tokens.OwnersWithAtLeast(std::min<size_t>(1000, tokens.count() / 64));
  const std::string scope = AllScopes().front();
  const absl::Time month = now + absl::Hours(30 * 24);
  Random random(3);
  const auto add = [&](const char* name, size_t per_call, auto query) {
    TimeOperation(run,
                  {.section = "list",
                   .name = name,
                   .prepare =
                       [&random, query](LoadedStore& s, Caller&, size_t n) {
                         return Job([&s, &random, query, n] {
                           for (size_t i = 0; i < n; ++i) {
                             query(s.store(), random);
                           }
                         });
                       },
                   .per_call = per_call,
                   .most_calls = 10000},
                  stores);
  };
  add("the 20 of an owner that expire last", 1, [&](Store& s, Random& r) {
    CheckCount(s.LastOfOwner(owners[r.Below(owners.size())], kPage).size(),
               kPage, "list");
  });
  add("ids that expire next, 10,000", 1,
      [&](Store& s, Random&) { s.Expiring(window); });
  add("scope and owner and expiry within 30 days", 1, [&](Store& s, Random& r) {
    s.ExpiringOfOwnerWithScope(large[r.Below(large.size())], scope, month);
  });
  const size_t found = stores.front()->store().Expiring(window).size();
  CheckCount(stores.back()->store().Expiring(window).size(), found, "scan");
}

void RunCold(const Run& run, Workload& work, const EntrySource& entries,
             const Stores& stores) {
  Progress(absl::StrCat("cold look-ups, ", stores.back()->name()));
  for (size_t i = 0; i < run.settings.repetitions; ++i) {
    for (LoadedStore* const store : stores) {
      store->Close();
      DropFromPageCache(store->path());
      store->Open(&entries);
      const auto caller = store->store().NewCaller();
      const Job job =
          LookupJob(*store, *caller, work.Uniform(kColdLookups), std::nullopt);
      Stopwatch watch;
      watch.Resume();
      job();
      watch.Pause();
      run.results.Add({"lookup", "first 200, cold", "us", Better::kLower},
                      store->name(), watch.Seconds() * 1e6 / kColdLookups);
    }
  }
}

}  // namespace tokendb::bench
