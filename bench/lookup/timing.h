// How operations are timed: all that they need is made beforehand.
#ifndef TOKENDB_BENCH_LOOKUP_TIMING_H_
#define TOKENDB_BENCH_LOOKUP_TIMING_H_

#include <cstddef>
#include <functional>
#include <string>

#include "bench/lookup/run.h"

namespace tokendb::bench {

// Does a number of operations when it is called.
using Job = std::function<void()>;

struct Operation {
  std::string section;
  std::string name;
  // Makes a job of `calls` calls, untimed.
  std::function<Job(LoadedStore& store, Caller& caller, size_t calls)> prepare;
  size_t callers = 1;
  // Operations that one call does.
  size_t per_call = 1;
  // Calls of one caller in a sample, so that what is prepared fits memory.
  size_t most_calls = 1000000;
};

// Times it in all stores, in turns. One caller's samples are microseconds for
// an operation, those of several operations a second.
void TimeOperation(const Run& run, const Operation& operation,
                   const Stores& stores);

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_LOOKUP_TIMING_H_
