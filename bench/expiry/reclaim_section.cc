// Half of the tokens expire at once: how their space comes back, and what
// look-ups of the other half notice of it.
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "bench/expiry/run.h"
#include "bench/peers/machine.h"
#include "bench/peers/steady_load.h"
#include "bench/working_directory.h"
#include "src/index/entry_expiry.h"
#include "tokendb/db.h"

namespace tokendb::bench {
namespace {

constexpr uint64_t kSeed = 5;
constexpr uint64_t kLookupSeed = 23;
constexpr size_t kDigests = 100000;
constexpr double kMostResident = 0.3;

// Half of the tokens expire, and so much later the run goes on: what a file's
// properties say of times is rounded up, by up to 2.3 hours if they are spread
// over a year. The other half expires later still.
constexpr absl::Duration kUntilSeen = absl::Hours(3);
constexpr size_t kDeletedAtOnce = 1000;
constexpr double kWarmUpSeconds = 1;
constexpr double kMostReclaimSeconds = 3600;
// Others are stopped then: the figures are for orientation.
constexpr double kMostDeleteSeconds = 120;
constexpr size_t kFirstQueries = 5;
constexpr double kMiB = 1 << 20;

void SleepFor(double seconds) {
  usleep(static_cast<useconds_t>(seconds * 1e6));
}

Measure Of(std::string name, std::string unit) {
  return {"reclaim", std::move(name), std::move(unit), Better::kLower};
}

uint64_t IndexTombstones(RawStore& raw) {
  rocksdb::TablePropertiesCollection tables;
  CheckRaw(
      raw.db().GetPropertiesOfAllTables(raw.family(Family::kIndex), &tables),
      "reading properties");
  uint64_t tombstones = 0;
  for (const auto& [file, table] : tables) tombstones += table->num_deletions;
  return tombstones;
}

// What is there of expired tokens / of others, in bytes of keys and values.
double CountResident(RawStore& raw, absl::Time now) {
  uint64_t expired = 0;
  uint64_t living = 0;
  for (const Family family :
       {Family::kToken, Family::kDigest, Family::kIndex}) {
    const std::unique_ptr<rocksdb::Iterator> it(
        raw.db().NewIterator(rocksdb::ReadOptions(), raw.family(family)));
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      const auto expiry =
          kEntryReader.expiry(family, ToView(it->key()), ToView(it->value()));
      const bool is_expired =
          expiry.has_value() && expiry->expires_at <= FloorToMillis(now);
      (is_expired ? expired : living) += it->key().size() + it->value().size();
    }
    CheckRaw(it->status(), "counting");
  }
  return static_cast<double>(expired) / static_cast<double>(living);
}

// Databases of all tokens and of those that do not end, both closed.
struct Databases {
  std::string all;
  std::string living;
};

class ReclaimSection {
 public:
  explicit ReclaimSection(const Run& run)
      : run_(run),
        ending_(run.clock.Now() + absl::Hours(1)),
        resumed_(ending_ + kUntilSeen),
        count_(2 * run.settings.tokens),
        tokens_(count_, resumed_ - absl::Hours(24),
                TokenSource::Kind::kHalfEnding, ending_, kSeed),
        digests_(tokens_.DrawLivingDigests(std::min(kDigests, count_), kSeed)) {
  }

  void Measure();

 private:
  void LoadTokendb(const TokenSource& tokens, const std::string& path) const;
  void MeasureTokendb(const Databases& databases);
  void ReclaimOnce(const std::string& path);
  void CompareFirstQueries(const std::string& reclaimed,
                           const std::string& living);
  void MeasurePeer(const StoreKind& kind, const EntrySource& entries);
  double FirstQueryMicros(Store& store) const;
  LatencySummary LookUpFor(double seconds,
                           const std::function<bool(const Digest&)>& is_live);
  // Looks a random living token up each time it is called.
  std::function<void()> LookingUp(
      const std::function<bool(const Digest&)>& is_live) const;
  void AddLatencies(const std::string& store, const LatencySummary& without,
                    const LatencySummary& with);

  const Run& run_;
  const absl::Time ending_;
  const absl::Time resumed_;
  const size_t count_;
  const TokenSource tokens_;
  const std::vector<Digest> digests_;
};

void ReclaimSection::LoadTokendb(const TokenSource& tokens,
                                 const std::string& path) const {
  const auto store = run_.Make(run_.tokendb(), path, tokens.count());
  store->Load({tokens});
  store->Settle();
}

std::function<void()> ReclaimSection::LookingUp(
    const std::function<bool(const Digest&)>& is_live) const {
  return [this, is_live, random = Random(kLookupSeed)]() mutable {
    if (is_live(digests_[random.Below(digests_.size())])) return;
    CheckOk(absl::InternalError("a live token is not live"), "look-up");
  };
}

LatencySummary ReclaimSection::LookUpFor(
    double seconds, const std::function<bool(const Digest&)>& is_live) {
  SteadyLoad load(LookingUp(is_live), run_.settings.lookups_per_second);
  SleepFor(seconds);
  return load.Stop();
}

void ReclaimSection::AddLatencies(const std::string& store,
                                  const LatencySummary& without,
                                  const LatencySummary& with) {
  const auto add = [&](const char* name, double before, double during) {
    run_.results.Add(Of(absl::StrCat("look-up ", name, ", without"), "us"),
                     store, before);
    run_.results.Add(Of(absl::StrCat("look-up ", name, ", with"), "us"), store,
                     during);
  };
  add("p50", without.p50, with.p50);
  add("p99", without.p99, with.p99);
  add("p99.9", without.p999, with.p999);
  run_.results.Add(Of("look-up p99, with / without", ""), store,
                   with.p99 / without.p99);
  run_.results.Note(
      "reclaim",
      absl::StrCat(store, ": ", without.operations, " look-ups without and ",
                   with.operations, " with reclaiming or deleting"));
}

double ReclaimSection::FirstQueryMicros(Store& store) const {
  Stopwatch watch;
  watch.Resume();
  // The first of those that expire next.
  const absl::Duration year = absl::Hours(365 * 24);
  const auto ids =
      store.Expiring(resumed_ + year * std::min(1.0, 10000 / (0.4 * count_)));
  watch.Pause();
  if (ids.empty()) CheckOk(absl::InternalError("nothing expires"), "query");
  return watch.Seconds() * 1e6;
}

void ReclaimSection::ReclaimOnce(const std::string& path) {
  OpenOptions options{.retain_expired = absl::ZeroDuration(),
                      .retain_revoked = absl::ZeroDuration(),
                      .clock = &run_.clock,
                      .cache_bytes = run_.settings.cache_bytes()};
  // So that it begins when it is let go; its speed is the default.
  options.reclaim.period = absl::Milliseconds(100);
  const auto db = ValueOrDie(Database::Open(path, options), "opening");
  db->PauseReclaim();
  const auto is_live = [&](const Digest& digest) {
    return ValueOrDie(db->Authenticate(digest), "authenticating").state ==
           TokenState::kLive;
  };
  LookUpFor(kWarmUpSeconds, is_live);
  const LatencySummary without =
      LookUpFor(run_.settings.lookup_seconds, is_live);

  const auto resident = [&] {
    const ReclaimStats stats = ValueOrDie(db->Stats(), "stats").reclaim;
    CheckOk(stats.last_error, "reclaiming");
    return static_cast<double>(stats.forgotten_bytes) /
           static_cast<double>(std::max<uint64_t>(stats.live_bytes, 1));
  };
  const double resident_before = resident();
  if (resident_before <= kMostResident) {
    CheckOk(absl::InternalError("expired bytes are not seen"), "reclaiming");
  }
  const uint64_t written_before = ProcessBytesWritten(getpid());
  SteadyLoad load(LookingUp(is_live), run_.settings.lookups_per_second);
  Stopwatch watch;
  watch.Resume();
  db->ResumeReclaim();
  while (watch.Seconds() < kMostReclaimSeconds && resident() > kMostResident) {
    SleepFor(0.05);
    watch.Pause();
    watch.Resume();
  }
  watch.Pause();
  const LatencySummary with = load.Stop();
  db->PauseReclaim();

  AddLatencies("tokendb", without, with);
  run_.results.Add(Of("expired / live bytes, by Stats(), before", ""),
                   "tokendb", resident_before);
  run_.results.Add(Of("expired / live bytes, by Stats(), after", ""), "tokendb",
                   resident());
  run_.results.Add(Of("time", "s"), "tokendb", watch.Seconds());
  run_.results.Add(
      Of("written meanwhile", "MiB"), "tokendb",
      static_cast<double>(ProcessBytesWritten(getpid()) - written_before) /
          kMiB);
}

void ReclaimSection::CompareFirstQueries(const std::string& reclaimed,
                                         const std::string& living) {
  std::vector<double> after;
  std::vector<double> fresh;
  std::vector<TokenId> ids[2];
  for (size_t i = 0; i < kFirstQueries; ++i) {
    // Opened anew, so that neither has anything in its cache.
    for (const std::string* const path : {&reclaimed, &living}) {
      const auto store = run_.Make(run_.tokendb(), *path, count_);
      (path == &reclaimed ? after : fresh).push_back(FirstQueryMicros(*store));
      ids[path == &reclaimed] = store->Expiring(absl::InfiniteFuture());
    }
    if (ids[0] != ids[1]) {
      CheckOk(absl::InternalError("reclaimed and only live tokens differ"),
              "first query");
    }
  }
  run_.results.Add(Of("first query after", "us"), "tokendb", Median(after));
  run_.results.Add(Of("first query, only live tokens loaded", "us"), "tokendb",
                   Median(fresh));
  run_.results.Add(Of("first query, reclaimed / only live", ""), "tokendb",
                   Median(after) / Median(fresh));
}

void ReclaimSection::MeasureTokendb(const Databases& databases) {
  for (size_t i = 0; i < run_.settings.repetitions; ++i) {
    Progress(absl::StrCat("reclaiming in tokendb, repetition ", i + 1));
    const FreshDirectory copy(run_.directory + "/reclaim-copy");
    CopyDatabase(databases.all, copy.path());
    ReclaimOnce(copy.path());
    {
      RawStore raw(copy.path(), OpenOptions());
      run_.results.Add(Of("tombstones in the index, after", ""), "tokendb",
                       static_cast<double>(IndexTombstones(raw)));
      run_.results.Add(Of("expired / live bytes, after", ""), "tokendb",
                       CountResident(raw, resumed_));
    }
    CompareFirstQueries(copy.path(), databases.living);
  }
}

void ReclaimSection::MeasurePeer(const StoreKind& kind,
                                 const EntrySource& entries) {
  Progress(absl::StrCat("deleting in ", kind.name));
  const FreshDirectory fresh(run_.directory + "/reclaim-peer");
  const auto store = run_.Make(kind, fresh.path(), count_);
  store->Load({tokens_, &entries});
  store->Settle();
  const auto caller = store->NewCaller();
  const auto is_live = [&](const Digest& digest) {
    return caller->IsLive(digest);
  };
  LookUpFor(kWarmUpSeconds, is_live);
  const LatencySummary without =
      LookUpFor(run_.settings.lookup_seconds, is_live);
  const uint64_t written_before = store->BytesWritten();
  SteadyLoad load(LookingUp(is_live), run_.settings.lookups_per_second);
  Stopwatch watch;
  size_t deleted = 0;
  while (watch.Seconds() < kMostDeleteSeconds) {
    watch.Resume();
    const std::optional<size_t> some = store->DeleteExpired(kDeletedAtOnce);
    watch.Pause();
    if (some.value_or(0) == 0) break;
    deleted += *some;
  }
  AddLatencies(kind.name, without, load.Stop());
  run_.results.Note(
      "reclaim", absl::StrCat(kind.name, ": ", deleted,
                              " tokens deleted in steps of ", kDeletedAtOnce));
  run_.results.Add(Of("time", "s"), kind.name, watch.Seconds());
  run_.results.Add(
      Of("written meanwhile", "MiB"), kind.name,
      static_cast<double>(store->BytesWritten() - written_before) / kMiB);
  run_.results.Add(Of("first query after", "us"), kind.name,
                   FirstQueryMicros(*store));
}

void ReclaimSection::Measure() {
  Progress("loading tokens of which half expire at once");
  const FreshDirectory all(run_.directory + "/reclaim-all");
  LoadTokendb(tokens_, all.path());
  const FreshDirectory copy(run_.directory + "/reclaim-entries");
  const EntrySource entries(all.path(), copy.path());
  {
    const FreshDirectory living(run_.directory + "/reclaim-living");
    LoadTokendb(TokenSource(count_, resumed_ - absl::Hours(24),
                            TokenSource::Kind::kOtherHalf, ending_, kSeed),
                living.path());
    run_.clock.Set(resumed_);
    run_.results.Add(Of("tombstones in the index, before", ""), "tokendb",
                     static_cast<double>(IndexTombstones(entries.store())));
    MeasureTokendb({all.path(), living.path()});
  }
  for (const StoreKind& kind : run_.kinds) {
    if (&kind == &run_.tokendb() || kind.is_server) continue;
    MeasurePeer(kind, entries);
  }
}

}  // namespace

void RunReclaim(const Run& run) { ReclaimSection(run).Measure(); }

}  // namespace tokendb::bench
