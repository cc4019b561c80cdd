#include "bench/lookup/timing.h"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "bench/peers/machine.h"

namespace tokendb::bench {
namespace {

constexpr size_t kFirstCalls = 16;

struct Sample {
  double seconds = 0;
  double cpu_seconds = 0;
};

// A store with those who call it.
struct Crew {
  Crew(LoadedStore& of, size_t size) : store(of) {
    for (size_t i = 0; i < size; ++i) {
      callers.push_back(store.store().NewCaller());
    }
  }

  LoadedStore& store;
  std::vector<std::unique_ptr<Caller>> callers;
  size_t calls = kFirstCalls;  // Of each caller in a sample.
};

// Returns the seconds from when the first began until the last had ended.
double RunTogether(const std::vector<Job>& jobs) {
  using Clock = std::chrono::steady_clock;
  if (jobs.size() == 1) {
    const Clock::time_point begin = Clock::now();
    jobs.front()();
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }
  std::barrier start(static_cast<std::ptrdiff_t>(jobs.size()));
  std::vector<Clock::time_point> begins(jobs.size());
  std::vector<Clock::time_point> ends(jobs.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < jobs.size(); ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      begins[i] = Clock::now();
      jobs[i]();
      ends[i] = Clock::now();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return std::chrono::duration<double>(
             *std::max_element(ends.begin(), ends.end()) -
             *std::min_element(begins.begin(), begins.end()))
      .count();
}

Sample Take(const Operation& operation, Crew& crew) {
  std::vector<Job> jobs;
  for (const auto& caller : crew.callers) {
    jobs.push_back(operation.prepare(crew.store, *caller, crew.calls));
  }
  const double own = OwnSeconds();
  const double server = crew.store.store().ServerSeconds();
  const double seconds = RunTogether(jobs);
  return {.seconds = seconds,
          .cpu_seconds =
              OwnSeconds() - own + crew.store.store().ServerSeconds() - server};
}

// Finds how many calls take about a sample's time; warms the store up.
void Calibrate(const Run& run, const Operation& operation, Crew& crew) {
  const double wanted = run.settings.sample_seconds;
  while (true) {
    const double seconds = Take(operation, crew).seconds;
    const double factor = wanted / std::max(seconds, 1e-9);
    if (factor < 2 || crew.calls >= operation.most_calls) break;
    crew.calls =
        std::clamp<size_t>(static_cast<size_t>(static_cast<double>(crew.calls) *
                                               std::min(factor, 8.0)),
                           1, operation.most_calls);
  }
}

}  // namespace

void TimeOperation(const Run& run, const Operation& operation,
                   const Stores& stores) {
  std::vector<std::unique_ptr<Crew>> crews;
  for (LoadedStore* const store : stores) {
    crews.push_back(std::make_unique<Crew>(*store, operation.callers));
    Calibrate(run, operation, *crews.back());
  }
  const bool alone = operation.callers == 1;
  const Measure measure{operation.section, operation.name, alone ? "us" : "/s",
                        alone ? Better::kLower : Better::kHigher};
  for (size_t i = 0; i < run.settings.repetitions; ++i) {
    for (const auto& crew : crews) {
      const Sample sample = Take(operation, *crew);
      const auto operations = static_cast<double>(
          crew->calls * operation.per_call * operation.callers);
      run.results.Add(measure, crew->store.name(),
                      alone ? sample.seconds * 1e6 / operations
                            : operations / sample.seconds,
                      sample.cpu_seconds * 1e6 / operations);
    }
  }
}

}  // namespace tokendb::bench
