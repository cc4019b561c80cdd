// The load of a service: mostly authentication, and some of all else.
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "bench/lookup/run.h"
#include "bench/lookup/timing.h"
#include "bench/peers/steady_load.h"

namespace tokendb::bench {
namespace {

// In a hundred; the rest are look-ups.
constexpr size_t kTouches = 2;
constexpr size_t kIssues = 2;
constexpr size_t kRevocations = 1;
constexpr size_t kMostCalls = 500000;

// A sequence of operations, drawn beforehand.
class Mix {
 public:
  Mix(Workload& work, size_t count, absl::Time now) : now_(now) {
    Random random(++seed_);
    steps_.reserve(count);
    for (size_t i = 0; i < count; ++i) steps_.push_back(Draw(work, random));
  }

  size_t size() const { return steps_.size(); }

  void Do(size_t i, Caller& caller) const {
    const Step& step = steps_[i % steps_.size()];
    switch (step.kind) {
      case Kind::kLookup:
        caller.Lookup(step.digest);
        break;
      case Kind::kTouch:
        caller.Touch(step.id, now_, "192.0.2.7");
        break;
      case Kind::kIssue:
        caller.Issue({&issued_[step.token], 1});
        break;
      case Kind::kRevoke:
        caller.Revoke(step.id);
        break;
    }
  }

 private:
  enum class Kind : uint8_t { kLookup, kTouch, kIssue, kRevoke };
  struct Step {
    Kind kind;
    Digest digest;
    TokenId id;
    size_t token = 0;
  };

  Step Draw(Workload& work, Random& random) {
    Step step{Kind::kLookup, work.SkewedDigest()};
    const size_t drawn = random.Below(100);
    if (drawn < kTouches) {
      step.kind = Kind::kTouch;
      step.id = work.SkewedId();
    } else if (drawn < kTouches + kIssues) {
      step.kind = Kind::kIssue;
      step.token = issued_.size();
      issued_.push_back(work.NewTokens(1).front());
    } else if (drawn < kTouches + kIssues + kRevocations) {
      step.kind = Kind::kRevoke;
      step.id = work.NextToRevoke();
    }
    return step;
  }

  static inline uint64_t seed_ = 0;
  const absl::Time now_;
  std::vector<Step> steps_;
  std::vector<Token> issued_;
};

void RunSteady(const Run& run, Workload& work, LoadedStore& store) {
  const Settings& settings = run.settings;
  // Twice as many as are due, so that none comes a second time.
  const Mix mix(work,
                static_cast<size_t>(2 * settings.mixed_per_second *
                                    settings.mixed_seconds) +
                    1,
                run.clock.Now());
  const auto caller = store.store().NewCaller();
  size_t next = 0;
  SteadyLoad load([&] { mix.Do(next++, *caller); }, settings.mixed_per_second);
  usleep(static_cast<useconds_t>(settings.mixed_seconds * 1e6));
  const LatencySummary latencies = load.Stop();
  const auto add = [&](const char* name, double sample) {
    run.results.Add(
        {"mixed", absl::StrCat("steady rate, ", name), "us", Better::kLower},
        store.name(), sample);
  };
  add("p50", latencies.p50);
  add("p99", latencies.p99);
  add("p99.9", latencies.p999);
}

}  // namespace

void RunMixed(const Run& run, Workload& work, const Stores& stores) {
  Progress(absl::StrCat("mixed load, tokendb and ", stores.back()->name()));
  TimeOperation(run,
                {.section = "mixed",
                 .name = "as fast as it goes, 2 threads",
                 .prepare =
                     [&](LoadedStore&, Caller& caller, size_t calls) {
                       const auto mix =
                           std::make_shared<Mix>(work, calls, run.clock.Now());
                       return [mix, &caller] {
                         for (size_t i = 0; i < mix->size(); ++i) {
                           mix->Do(i, caller);
                         }
                       };
                     },
                 .callers = 2,
                 .most_calls = kMostCalls},
                stores);
  for (size_t i = 0; i < run.settings.repetitions; ++i) {
    for (LoadedStore* const store : stores) RunSteady(run, work, *store);
  }
}

}  // namespace tokendb::bench
