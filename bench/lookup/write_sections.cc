// What changes the stores.
#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/lookup/run.h"
#include "bench/lookup/timing.h"

namespace tokendb::bench {
namespace {

constexpr size_t kBatch = 100;
constexpr size_t kManyCallers = 16;
constexpr size_t kMostTokens = 50000;

Operation Issues(Workload& work, const char* name, size_t callers,
                 size_t batch) {
  return {.section = "issue",
          .name = name,
          .prepare =
              [&work, batch](LoadedStore&, Caller& caller, size_t calls) {
                return [&caller, batch,
                        tokens = work.NewTokens(calls * batch)] {
                  for (size_t i = 0; i < tokens.size(); i += batch) {
                    caller.Issue(absl::MakeConstSpan(tokens).subspan(i, batch));
                  }
                };
              },
          .callers = callers,
          .per_call = batch,
          .most_calls = kMostTokens / batch / callers};
}

Operation Touches(const Run& run, Workload& work) {
  return {.section = "touch",
          .name = "touches, Zipf, written",
          .prepare = [&run, &work](LoadedStore& store, Caller& caller,
                                   size_t calls) {
            std::vector<TokenId> ids;
            for (size_t i = 0; i < calls; ++i) {
              ids.push_back(work.SkewedId());
            }
            return
                [&store, &caller, ids = std::move(ids), now = run.clock.Now()] {
                  const std::string ip = "192.0.2.7";
                  for (const TokenId& id : ids) caller.Touch(id, now, ip);
                  store.store().FlushTouches();
                };
          }};
}

Operation Revocations(Workload& work) {
  return {.section = "revoke",
          .name = "single",
          .prepare =
              [&work](LoadedStore&, Caller& caller, size_t calls) {
                std::vector<TokenId> ids;
                for (size_t i = 0; i < calls; ++i) {
                  ids.push_back(work.NextToRevoke());
                }
                return [&caller, ids = std::move(ids)] {
                  for (const TokenId& id : ids) caller.Revoke(id);
                };
              },
          .most_calls = kMostTokens};
}

}  // namespace

void RunWrites(const Run& run, Workload& work, const Stores& stores) {
  Progress(absl::StrCat("writing, tokendb and ", stores.back()->name()));
  if (run.settings.Has("touch")) TimeOperation(run, Touches(run, work), stores);
  if (run.settings.Has("issue")) {
    TimeOperation(run, Issues(work, "single", 1, 1), stores);
    TimeOperation(run, Issues(work, "batches of 100", 1, kBatch), stores);
  }
  if (run.settings.Has("revoke")) TimeOperation(run, Revocations(work), stores);
}

void RunDurableIssues(const Run& run, Workload& work, const Stores& stores) {
  Progress(
      absl::StrCat("issuing durably, tokendb and ", stores.back()->name()));
  TimeOperation(run, Issues(work, "durable, 1 caller", 1, 1), stores);
  TimeOperation(run, Issues(work, "durable, 16 callers", kManyCallers, 1),
                stores);
}

}  // namespace tokendb::bench
