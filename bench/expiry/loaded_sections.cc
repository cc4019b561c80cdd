// The order of the sections that work on the same loaded stores. tokendb is
// loaded first: the others are given its entries. It stays; of the others one
// at a time is there, so that the disk need not hold all.
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/expiry/run.h"
#include "bench/working_directory.h"

namespace tokendb::bench {
namespace {

constexpr uint64_t kTokenSeed = 1;
constexpr double kMiB = 1 << 20;

TokenSource TokensOf(const Run& run) {
  // Synthetic tokens expire from a day after their time on.
  return TokenSource(run.settings.tokens, run.clock.Now() - absl::Hours(24),
                     TokenSource::Kind::kYear, absl::InfiniteFuture(),
                     kTokenSeed);
}

void AddDiskBytes(const Run& run, const LoadedStore& loaded,
                  const std::string& measure) {
  run.results.Add({"space", measure, "bytes/token", Better::kLower},
                  loaded.name,
                  static_cast<double>(loaded.store->DiskBytes()) /
                      static_cast<double>(run.settings.tokens));
}

// Brings a loaded store into its usual state; measures it before and after.
void Settle(const Run& run, LoadedStore& loaded) {
  const bool shown = run.settings.Has("space");
  if (shown) AddDiskBytes(run, loaded, "on disk, loaded");
  const std::string state = loaded.store->Settle();
  if (!shown) return;
  AddDiskBytes(run, loaded, "on disk, settled");
  run.results.Note("space", absl::StrCat(loaded.name, " settled: ", state));
}

// All loads but the last one of each store, in turns.
void RepeatLoads(const Run& run, const LoadInput& input,
                 uint64_t logical_bytes) {
  if (!run.settings.Has("load")) return;
  for (size_t i = 1; i < run.settings.repetitions; ++i) {
    for (const StoreKind& kind : run.kinds) {
      Progress(absl::StrCat("loading ", kind.name, ", repetition ", i));
      const FreshDirectory fresh(
          absl::StrCat(run.directory, "/", kind.name, "-again"));
      LoadedStore loaded{kind.name,
                         run.Make(kind, fresh.path(), input.tokens.count())};
      AddLoad(run, input, loaded, logical_bytes);
    }
  }
}

void RunPeer(const Run& run, const StoreKind& kind, const LoadInput& input,
             uint64_t logical_bytes, const std::vector<TokenId>& ids,
             AnswerBook& book, LoadedStore& tokendb) {
  Progress(absl::StrCat("loading ", kind.name));
  const FreshDirectory fresh(absl::StrCat(run.directory, "/", kind.name));
  LoadedStore peer{kind.name,
                   run.Make(kind, fresh.path(), input.tokens.count())};
  AddLoad(run, input, peer, logical_bytes);
  Settle(run, peer);
  book.Compare(*peer.store, peer.name, "loaded");
  if (run.settings.Has("scan")) RunScan(run, input.tokens, tokendb, &peer);
  if (run.settings.Has("touch")) RunTouch(run, ids, peer);
  if (run.settings.Has("space")) RunSpaceOfWrites(run, *input.entries, peer);
}

}  // namespace

void Progress(const std::string& text) {
  std::cerr << absl::FormatTime("%H:%M:%S ", absl::Now(), absl::LocalTimeZone())
            << text << "\n";
}

void AddLoad(const Run& run, const LoadInput& input, LoadedStore& loaded,
             uint64_t logical_bytes) {
  const uint64_t before = loaded.store->BytesWritten();
  const double seconds = loaded.store->Load(input);
  const uint64_t written = loaded.store->BytesWritten() - before;
  if (!run.settings.Has("load")) return;
  run.results.Add({"load", "bulk load", "tokens/s", Better::kHigher},
                  loaded.name,
                  static_cast<double>(input.tokens.count()) / seconds);
  run.results.Add({"load", "written", "MiB", Better::kLower}, loaded.name,
                  static_cast<double>(written) / kMiB);
  if (logical_bytes == 0) return;
  run.results.Add(
      {"load", "written / entries", "", Better::kLower}, loaded.name,
      static_cast<double>(written) / static_cast<double>(logical_bytes));
}

std::vector<TokenId> IdsOf(const TokenSource& tokens) {
  std::vector<TokenId> ids;
  ids.reserve(tokens.count());
  tokens.ForEachChunk([&](absl::Span<const Token> chunk) {
    for (const Token& token : chunk) ids.push_back(token.id);
  });
  return ids;
}

void RunLoadedSections(const Run& run) {
  const TokenSource tokens = TokensOf(run);
  const std::string path = run.directory + "/tokendb";
  LoadedStore tokendb{"tokendb", run.Make(run.tokendb(), path, tokens.count())};
  Progress("loading tokendb");
  AddLoad(run, {tokens}, tokendb, 0);
  Settle(run, tokendb);
  tokendb.store.reset();
  const EntrySource entries(path, run.directory + "/entries");
  tokendb.store = run.Make(run.tokendb(), path, tokens.count(), &entries);
  const uint64_t logical_bytes = entries.CountLogicalBytes();
  run.results.Note(
      "space",
      absl::StrCat("keys and values of a token's record, digest row "
                   "and index entries: ",
                   logical_bytes / tokens.count(), " bytes, uncompressed"));

  const LoadInput input{tokens, &entries};
  RepeatLoads(run, input, logical_bytes);
  AnswerBook book(tokens, run.clock);
  book.Compare(*tokendb.store, tokendb.name, "loaded");
  std::vector<TokenId> ids;
  if (run.settings.Has("touch")) ids = IdsOf(tokens);
  for (const StoreKind& kind : run.kinds) {
    if (&kind != &run.tokendb()) {
      RunPeer(run, kind, input, logical_bytes, ids, book, tokendb);
    } else if (run.settings.Has("scan") && run.kinds.size() == 1) {
      RunScan(run, tokens, tokendb, nullptr);
    }
  }
  // Last, since these change it.
  if (run.settings.Has("touch")) RunTouch(run, ids, tokendb);
  if (run.settings.Has("space")) RunSpaceOfWrites(run, entries, tokendb);
}

}  // namespace tokendb::bench
