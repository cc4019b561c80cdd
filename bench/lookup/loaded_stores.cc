// The order of things. tokendb is loaded first: the others are given its
// entries. Each other store is then loaded, measured beside a fresh copy of
// tokendb's database, and removed: the disk holds two at a time.
#include <iostream>

#include "absl/strings/str_cat.h"
#include "bench/lookup/run.h"
#include "bench/peers/answers.h"
#include "bench/working_directory.h"

namespace tokendb::bench {
namespace {

constexpr uint64_t kTokenSeed = 1;

void AddBytes(const Run& run, LoadedStore& loaded) {
  const auto tokens = static_cast<double>(run.settings.tokens);
  run.results.Add({"space", "on disk", "bytes/token", Better::kLower},
                  loaded.name(),
                  static_cast<double>(loaded.store().DiskBytes()) / tokens);
  if (const auto bytes = loaded.store().MemoryBytesPerToken()) {
    run.results.Add({"space", "index in memory", "bytes/token", Better::kLower},
                    loaded.name(), *bytes);
  }
}

void Load(const Run& run, const LoadInput& input, LoadedStore& loaded) {
  Progress(absl::StrCat("loading ", loaded.name()));
  loaded.Open(input.entries);
  const double seconds = loaded.store().Load(input);
  loaded.store().Settle();
  run.results.Add({"load", "bulk load", "tokens/s", Better::kHigher},
                  loaded.name(),
                  static_cast<double>(run.settings.tokens) / seconds);
  loaded.store().AwaitReady();
  AddBytes(run, loaded);
}

class Sections {
 public:
  Sections(const Run& run, const TokenSource& tokens,
           const EntrySource& entries)
      : run_(run),
        tokens_(tokens),
        entries_(entries),
        work_(tokens),
        book_(tokens, run.clock) {}

  // Measures tokendb, beside a peer if there is one.
  void Measure(const StoreKind* peer_kind) {
    const FreshDirectory own_path(run_.directory + "/tokendb");
    const FreshDirectory peer_path(run_.directory + "/peer");
    LoadedStore own(run_, run_.tokendb(), own_path.path());
    CopyDatabase(entries_.path(), own.path());
    own.Open(&entries_);
    own.store().AwaitReady();
    Stores stores = {&own};
    std::unique_ptr<LoadedStore> peer;
    if (peer_kind != nullptr) {
      peer = std::make_unique<LoadedStore>(run_, *peer_kind, peer_path.path());
      OpenPeer(*peer);
      stores.push_back(peer.get());
    }
    for (LoadedStore* const store : stores) {
      book_.Compare(store->store(), store->name(), "loaded");
    }
    RunAll(stores);
  }

 private:
  // Kinds of tokendb share its files; others are loaded.
  void OpenPeer(LoadedStore& peer) {
    if (peer.kind().is_tokendb) {
      CopyDatabase(entries_.path(), peer.path());
      peer.Open(&entries_);
      peer.store().AwaitReady();
      AddBytes(run_, peer);
    } else {
      Load(run_, {tokens_, &entries_}, peer);
    }
  }

  void OpenAll(const Stores& stores, Surviving writes) {
    for (LoadedStore* const store : stores) store->Close();
    for (LoadedStore* const store : stores) {
      store->Open(&entries_, writes);
      store->store().AwaitReady();
    }
  }

  void RunAll(const Stores& stores) {
    const Settings& settings = run_.settings;
    if (settings.Has("lookup")) RunLookups(run_, work_, stores);
    if (settings.Has("list")) RunQueries(run_, tokens_, stores);
    RunWrites(run_, work_, stores);
    if (settings.Has("mixed")) RunMixed(run_, work_, stores);
    if (settings.Has("issue")) {
      OpenAll(stores, Surviving::kPower);
      RunDurableIssues(run_, work_, stores);
    }
    for (LoadedStore* const store : stores) store->Close();
    if (settings.Has("reopen")) RunReopen(run_, entries_, stores);
    // Last, since it empties caches.
    if (settings.Has("lookup")) RunCold(run_, work_, entries_, stores);
  }

  const Run& run_;
  const TokenSource& tokens_;
  const EntrySource& entries_;
  Workload work_;
  AnswerBook book_;
};

}  // namespace

void Progress(const std::string& text) {
  std::cerr << absl::FormatTime("%H:%M:%S ", absl::Now(), absl::LocalTimeZone())
            << text << "\n";
}

void RunStores(const Run& run) {
  // Synthetic tokens expire from a day after their time on.
  const TokenSource tokens(
      run.settings.tokens, run.clock.Now() - absl::Hours(24),
      TokenSource::Kind::kYear, absl::InfiniteFuture(), kTokenSeed);
  const FreshDirectory copy(run.directory + "/entries");
  std::unique_ptr<EntrySource> entries;
  {
    const FreshDirectory path(run.directory + "/loaded");
    LoadedStore loaded(run, run.tokendb(), path.path());
    Load(run, {tokens}, loaded);
    loaded.Close();
    entries = std::make_unique<EntrySource>(path.path(), copy.path());
  }
  Sections sections(run, tokens, *entries);
  if (run.kinds.size() == 1) sections.Measure(nullptr);
  for (size_t i = 1; i < run.kinds.size(); ++i) {
    sections.Measure(&run.kinds[i]);
  }
}

}  // namespace tokendb::bench
