// tokendb, through its public interface alone.
#include <algorithm>
#include <filesystem>
#include <utility>

#include "bench/peers/store.h"
#include "tokendb/bulk_load.h"
#include "tokendb/db.h"

namespace tokendb::bench {
namespace {

constexpr size_t kPageTokens = 10000;

VerifyMode ModeOf(VerifyKind kind) {
  switch (kind) {
    case VerifyKind::kComplete:
      return VerifyMode::kComplete;
    case VerifyKind::kBounded:
      return VerifyMode::kBounded;
    case VerifyKind::kOff:
      break;
  }
  return VerifyMode::kOff;
}

// Room for all tokens in a complete index, and for a tenth in a bounded one.
size_t MaxBytes(VerifyKind kind, uint64_t tokens) {
  constexpr uint64_t kBytesPerToken = 100;
  constexpr size_t kLeast = size_t{1} << 20;
  const uint64_t bytes = tokens * kBytesPerToken;
  if (kind == VerifyKind::kBounded) return kLeast + bytes / 10;
  return kLeast + 2 * bytes;  // Sections issue more.
}

Answer AnswerOf(Authentication&& found) {
  if (found.state != TokenState::kLive) return {};
  return {.live = true, .id = found.id, .scopes = std::move(found.scopes)};
}

class TokendbCaller final : public Caller {
 public:
  TokendbCaller(Database& db, Durability durability)
      : db_(db), durability_(durability) {}

  Answer Lookup(const Digest& digest) override {
    return AnswerOf(ValueOrDie(db_.Authenticate(digest), "authenticating"));
  }
  void LookupMany(absl::Span<const Digest> digests,
                  absl::Span<Answer> answers) override {
    found_.resize(digests.size());
    CheckOk(db_.AuthenticateMany(digests, absl::MakeSpan(found_)),
            "authenticating");
    for (size_t i = 0; i < digests.size(); ++i) {
      answers[i] = AnswerOf(std::move(found_[i]));
    }
  }
  void Issue(absl::Span<const Token> tokens) override {
    if (tokens.size() == 1) {
      CheckOk(db_.Issue(tokens[0], {.durability = durability_}).status(),
              "issuing");
    } else {
      CheckOk(db_.IssueBatch(tokens, {.durability = durability_}).status(),
              "issuing");
    }
  }
  void Revoke(const TokenId& id) override {
    CheckOk(db_.Revoke(id, {.durability = durability_}).status(), "revoking");
  }
  void Touch(const TokenId& id, absl::Time time,
             const std::string& ip) override {
    CheckOk(db_.Touch(id, time, ip), "touch");
  }

 private:
  Database& db_;
  const Durability durability_;
  std::vector<Authentication> found_;
};

class TokendbStore final : public Store {
 public:
  TokendbStore(const StoreOptions& options, VerifyKind verify)
      : Store(options),
        open_options_{.clock = options.clock,
                      .cache_bytes = options.cache_bytes} {
    // The section on reclaiming has a database of its own.
    open_options_.reclaim.automatic = false;
    open_options_.verify = {.mode = ModeOf(verify),
                            .max_bytes = MaxBytes(verify, options.tokens)};
    if (std::filesystem::exists(options.path)) Open();
  }

  double Load(const LoadInput& input) override {
    const double seconds = LoadTokens(input.tokens);
    if (db_ == nullptr) Open();
    return seconds;
  }

  std::string Settle() override {
    CheckOk(db_->Flush(), "flushing");
    CheckOk(db_->Compact(), "compacting");
    return "compacted";
  }

  std::vector<TokenId> Expiring(absl::Time before) override {
    return AllIds({.expires = {.before = before}});
  }
  std::vector<TokenId> ExpiringOfOwner(const std::string& owner,
                                       absl::Time before) override {
    return AllIds({.owners = {owner}, .expires = {.before = before}});
  }
  std::vector<TokenId> ExpiringOfScope(const std::string& scope,
                                       absl::Time before) override {
    return AllIds(
        {.scopes = {.all_of = {scope}}, .expires = {.before = before}});
  }

  std::vector<TokenId> ExpiringOfOwnerWithScope(const std::string& owner,
                                                const std::string& scope,
                                                absl::Time before) override {
    return AllIds({.owners = {owner},
                   .scopes = {.all_of = {scope}},
                   .expires = {.before = before}});
  }

  std::vector<Token> LastOfOwner(const std::string& owner,
                                 size_t limit) override {
    return ValueOrDie(db_->List({.owners = {owner},
                                 .direction = Direction::kDescending,
                                 .limit = limit}),
                      "listing")
        .tokens;
  }

  std::unique_ptr<Caller> NewCaller() override {
    return std::make_unique<TokendbCaller>(
        *db_, options().writes == Surviving::kPower ? Durability::kSync
                                                    : Durability::kBuffered);
  }

  void Flush() override { CheckOk(db_->Flush(), "flushing"); }
  void AwaitReady() override {
    CheckOk(db_->AwaitVerifyIndex(absl::InfiniteDuration()), "filling");
  }
  std::optional<double> MemoryBytesPerToken() override {
    const VerifyStats stats = ValueOrDie(db_->Stats(), "statistics").verify;
    if (!stats.is_complete) return std::nullopt;
    return stats.bytes_per_token();
  }

  void FlushTouches() override {
    CheckOk(db_->FlushTouches(), "flushing touches");
  }
  std::optional<absl::Time> LastUse(const TokenId& id) override {
    return ValueOrDie(db_->Get(id), "reading").last_accessed_at;
  }

 private:
  void Open() {
    db_ = ValueOrDie(Database::Open(options().path, open_options_), "opening");
  }

  // The one place that says how tokendb is loaded.
  double LoadTokens(const TokenSource& tokens) {
    Stopwatch watch;
    watch.Resume();
    const auto loader = ValueOrDie(
        BulkLoader::Open(options().path, open_options_, BulkLoadOptions()),
        "opening the bulk load");
    watch.Pause();
    tokens.ForEachChunk([&](absl::Span<const Token> chunk) {
      watch.Resume();
      for (const Token& token : chunk) CheckOk(loader->Add(token), "loading");
      watch.Pause();
    });
    watch.Resume();
    CheckOk(loader->Finish().status(), "finishing the bulk load");
    watch.Pause();
    return watch.Seconds();
  }

  std::vector<TokenId> AllIds(Query query) const {
    query.limit = kPageTokens;
    std::vector<TokenId> ids;
    do {
      IdPage page = ValueOrDie(db_->ListIds(query), "listing");
      query.continuation = std::move(page.continuation);
      if (ids.empty()) {
        ids = std::move(page.ids);
      } else {
        ids.insert(ids.end(), page.ids.begin(), page.ids.end());
      }
    } while (!query.continuation.empty());
    return ids;
  }

  OpenOptions open_options_;
  std::unique_ptr<Database> db_;
};

}  // namespace

template <VerifyKind kKind>
std::unique_ptr<Store> MakeTokendb(const StoreOptions& options) {
  return std::make_unique<TokendbStore>(options, kKind);
}

StoreKind TokendbKind(VerifyKind kind) {
  StoreKind made{.version = "loaded with BulkLoader", .is_tokendb = true};
  switch (kind) {
    case VerifyKind::kComplete:
      made.name = "tokendb";
      made.make = MakeTokendb<VerifyKind::kComplete>;
      break;
    case VerifyKind::kBounded:
      made.name = "tokendb-bounded";
      made.make = MakeTokendb<VerifyKind::kBounded>;
      break;
    case VerifyKind::kOff:
      made.name = "tokendb-noindex";
      made.make = MakeTokendb<VerifyKind::kOff>;
      break;
  }
  return made;
}

}  // namespace tokendb::bench
