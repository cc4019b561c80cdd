// tokendb, through its public interface alone.
#include <filesystem>
#include <utility>

#include "bench/expiry/store.h"
#include "tokendb/bulk_load.h"
#include "tokendb/db.h"

namespace tokendb::bench {
namespace {

constexpr size_t kPageTokens = 10000;
constexpr WriteOptions kBuffered = {.durability = Durability::kBuffered};

class TokendbStore final : public Store {
 public:
  explicit TokendbStore(const StoreOptions& options)
      : Store(options),
        open_options_{.clock = options.clock,
                      .cache_bytes = options.cache_bytes} {
    // The section on reclaiming has a database of its own.
    open_options_.reclaim.automatic = false;
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

  bool IsLive(const Digest& digest) override {
    return ValueOrDie(db_->Authenticate(digest), "authenticating").state ==
           TokenState::kLive;
  }

  void Issue(absl::Span<const Token> tokens) override {
    CheckOk(db_->IssueBatch(tokens, kBuffered).status(), "issuing");
  }
  void Flush() override { CheckOk(db_->Flush(), "flushing"); }

  void Touch(const TokenId& id, absl::Time time,
             const std::string& ip) override {
    CheckOk(db_->Touch(id, time, ip), "touch");
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

StoreKind TokendbKind() {
  return {.name = "tokendb",
          .version = "loaded with BulkLoader",
          .make = [](const StoreOptions& options) -> std::unique_ptr<Store> {
            return std::make_unique<TokendbStore>(options);
          }};
}

}  // namespace tokendb::bench
