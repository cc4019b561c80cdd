// What is promised, and the ratios between rows that this takes.
#include "absl/strings/str_cat.h"
#include "bench/lookup/run.h"

namespace tokendb::bench {

std::vector<Target> Targets() {
  const std::string hit = "hit, uniform";
  const std::string filter = "scope and owner and expiry within 30 days";
  return {
      {"lookup", hit, "raw", 10},
      {"lookup", hit, "lmdb", 8},
      {"lookup", hit, "sqlite", 30},
      {"lookup", hit, "redis", 60},
      {"lookup", hit, "postgres", 250},
      {"lookup", "probe of the table / hit", "", 0.7},
      {"lookup", "batch of 64 / one by one", "", 2.5},
      {"lookup", "speed of misses / of hits", "", 0.9},
      {"lookup", "64 threads, one token / many", "", 0.5},
      {"lookup", "without the index / raw", "", 0.92, "tokendb-noindex"},
      {"list", "the 20 of an owner that expire last", "raw", 0.9},
      {"list", "ids that expire next, 10,000", "raw", 0.9},
      {"list", filter, "sqlite", 5},
      {"list", filter, "postgres", 10},
      {"issue", "batches of 100", "raw", 0.85},
      {"issue", "batches of 100", "lmdb", 3},
      {"issue", "durable, 1 caller / as fast as the disk", "", 0.95},
      {"issue", "durable, 16 callers / 1 caller on the disk", "", 10},
      {"reopen", "open to first answer, after a kill", "", 1},
      {"space", "index in memory", "", 90},
      {"space", "on disk / raw", "", 1.3},
  };
}

void AddRatios(const Run& run) {
  Results& results = run.results;
  const auto add = [&](const char* section, const char* name,
                       const std::string& store, std::optional<double> above,
                       std::optional<double> below,
                       Better better = Better::kHigher) {
    if (above.has_value() && below.value_or(0) > 0) {
      results.Add({section, name, "", better}, store, *above / *below);
    }
  };
  const auto median = [&](const char* section, const char* name,
                          const std::string& store) {
    return results.MedianOf(section, name, store);
  };
  const auto sync =
      median("limits", "append of 4 KiB and fdatasync", "machine");
  for (const StoreKind& kind : run.kinds) {
    const std::string& name = kind.name;
    const auto hit = median("lookup", "hit, uniform", name);
    add("lookup", "batch of 64 / one by one", name, hit,
        median("lookup", "hit, batches of 64", name));
    add("lookup", "speed of misses / of hits", name, hit,
        median("lookup", "miss", name));
    add("lookup", "64 threads, one token / many", name,
        median("lookup", "hit, 64 threads, one token", name),
        median("lookup", "hit, 64 threads, uniform", name));
    add("issue", "durable, 1 caller / as fast as the disk", name, sync,
        median("issue", "durable, 1 caller", name));
    const auto many = median("issue", "durable, 16 callers", name);
    if (many.has_value() && sync.has_value()) {
      add("issue", "durable, 16 callers / 1 caller on the disk", name,
          *many * *sync, 1e6);
    }
  }
  const auto probe =
      median("limits", "probe of a verify table of this size", "machine");
  const auto hit = median("lookup", "hit, uniform", "tokendb");
  if (probe.has_value() && hit.has_value()) {
    add("lookup", "probe of the table / hit", "tokendb", *probe / 1000, hit);
  }
  add("lookup", "without the index / raw", "tokendb-noindex",
      median("lookup", "hit, uniform", "raw"),
      median("lookup", "hit, uniform", "tokendb-noindex"));
  add("space", "on disk / raw", "tokendb",
      median("space", "on disk", "tokendb"), median("space", "on disk", "raw"),
      Better::kLower);
}

}  // namespace tokendb::bench
