// SQLite as one would set it up for this: README.md says why so.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "bench/expiry/sql.h"
#include "bench/expiry/sqlite_connection.h"
#include "bench/expiry/store.h"

namespace tokendb::bench {
namespace {

using sqlite::Connection;
using sqlite::Statement;

constexpr char kTables[] =
    "CREATE TABLE token("
    "  id BLOB PRIMARY KEY NOT NULL, digest BLOB NOT NULL,"
    "  owner TEXT NOT NULL, email TEXT NOT NULL, description TEXT NOT NULL,"
    "  scopes TEXT NOT NULL, created_at INTEGER NOT NULL,"
    "  expires_at INTEGER NOT NULL, last_used_at INTEGER, ip TEXT"
    ") WITHOUT ROWID;"
    "CREATE TABLE token_scope("
    "  scope INTEGER NOT NULL, expires_at INTEGER NOT NULL, id BLOB NOT NULL,"
    "  PRIMARY KEY(scope, expires_at, id)) WITHOUT ROWID;";

// Indexes of a table WITHOUT ROWID end with its key: these hold the id.
constexpr char kIndexes[] =
    "CREATE INDEX token_by_expiry ON token(expires_at);"
    "CREATE INDEX token_by_owner ON token(owner, expires_at);"
    "CREATE INDEX token_by_digest ON token(digest, expires_at);"
    "ANALYZE;";

// Statements that write tokens, in the load and later.
class TokenWriter {
 public:
  explicit TokenWriter(const Connection& connection)
      : token_(connection,
               "INSERT INTO token VALUES(?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)"),
        scope_(connection, "INSERT INTO token_scope VALUES(?, ?, ?)") {}

  void AddToken(const Token& token) {
    const std::string scopes = ScopesColumn(token);
    token_.Blob(token.id.bytes())
        .Blob(token.digest->bytes())
        .Text(token.owner->id)
        .Text(token.owner->email)
        .Text(token.description)
        .Text(scopes)
        .Number(FloorToMillis(token.created_at))
        .Number(ExpiryColumn(token))
        .Step();
  }
  void AddScope(uint32_t scope, int64_t expires_at, const TokenId& id) {
    scope_.Number(scope).Number(expires_at).Blob(id.bytes()).Step();
  }

 private:
  Statement token_;
  Statement scope_;
};

// An open database with its statements.
struct Session {
  Session(const std::string& file, const std::string& settings)
      : connection(file, settings) {}

  Connection connection;
  TokenWriter writer{connection};
  Statement expiring{
      connection,
      "SELECT id FROM token WHERE expires_at > ? AND expires_at < ?"
      " ORDER BY expires_at, id"};
  Statement of_owner{connection,
                     "SELECT id FROM token WHERE owner = ? AND expires_at > ?"
                     " AND expires_at < ? ORDER BY expires_at, id"};
  Statement of_scope{
      connection,
      "SELECT id FROM token_scope WHERE scope = ? AND expires_at > ?"
      " AND expires_at < ? ORDER BY expires_at, id"};
  Statement by_digest{connection,
                      "SELECT expires_at FROM token WHERE digest = ?"};
  Statement touch{connection,
                  "UPDATE token SET last_used_at = ?, ip = ? WHERE id = ?"};
  Statement last_use{connection, "SELECT last_used_at FROM token WHERE id = ?"};
  Statement nth_expired{connection,
                        "SELECT expires_at FROM token WHERE expires_at <= ?"
                        " ORDER BY expires_at LIMIT 1 OFFSET ?"};
  Statement erase{connection, "DELETE FROM token WHERE expires_at <= ?"};
  Statement erase_scope{
      connection,
      "DELETE FROM token_scope WHERE scope = ? AND expires_at <= ?"};
};

// Sorting for the indexes has as much memory as tokendb's bulk load.
constexpr size_t kLoadCacheBytes = size_t{512} << 20;

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(const StoreOptions& options)
      : Store(options), file_(options.path + "/tokens.sqlite") {
    std::filesystem::create_directory(options.path);
  }

  double Load(const LoadInput& input) override {
    entries_ = input.entries;
    Stopwatch watch;
    {
      watch.Resume();
      // A file that is thrown away if the load fails needs no journal.
      Connection connection(
          file_, Settings("journal_mode=OFF; PRAGMA synchronous=OFF",
                          std::max(options().cache_bytes, kLoadCacheBytes)));
      connection.Run(kTables);
      connection.Run("BEGIN");
      watch.Pause();
      AddAll(input, connection, watch);
      watch.Resume();
      connection.Run(kIndexes);
      connection.Run("COMMIT");
    }
    SyncFile();
    watch.Pause();
    const std::string settings = Settings(
        "journal_mode=WAL; PRAGMA synchronous=NORMAL", options().cache_bytes);
    session_ = std::make_unique<Session>(file_, settings);
    lookups_ = std::make_unique<Session>(file_, settings);
    return watch.Seconds();
  }

  std::string Settle() override { return "as loaded in order, analyzed"; }

  std::vector<TokenId> Expiring(absl::Time before) override {
    return session_->expiring.Number(NowMillis())
        .Number(FloorToMillis(before))
        .Ids();
  }
  std::vector<TokenId> ExpiringOfOwner(const std::string& owner,
                                       absl::Time before) override {
    return session_->of_owner.Text(owner)
        .Number(NowMillis())
        .Number(FloorToMillis(before))
        .Ids();
  }
  std::vector<TokenId> ExpiringOfScope(const std::string& scope,
                                       absl::Time before) override {
    return session_->of_scope.Number(entries_->NumberOf(scope))
        .Number(NowMillis())
        .Number(FloorToMillis(before))
        .Ids();
  }

  bool IsLive(const Digest& digest) override {
    Statement& statement = lookups_->by_digest;
    const bool live = statement.Blob(digest.bytes()).Step() &&
                      statement.NumberAt(0) > NowMillis();
    statement.Reset();
    return live;
  }

  void Issue(absl::Span<const Token> tokens) override {
    session_->connection.Run("BEGIN IMMEDIATE");
    for (const Token& token : tokens) {
      session_->writer.AddToken(token);
      for (const uint32_t scope : entries_->NumbersOf(token)) {
        session_->writer.AddScope(scope, ExpiryColumn(token), token.id);
      }
    }
    session_->connection.Run("COMMIT");
  }

  void Flush() override {
    session_->connection.Run("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  void Touch(const TokenId& id, absl::Time time,
             const std::string& ip) override {
    session_->touch.Number(FloorToMillis(time))
        .Text(ip)
        .Blob(id.bytes())
        .Step();
  }
  std::optional<absl::Time> LastUse(const TokenId& id) override {
    Statement& statement = session_->last_use;
    std::optional<absl::Time> time;
    if (statement.Blob(id.bytes()).Step() && !statement.IsNullAt(0)) {
      time = FromMillis(statement.NumberAt(0));
    }
    statement.Reset();
    return time;
  }

  std::optional<size_t> DeleteExpired(size_t most) override {
    session_->connection.Run("BEGIN IMMEDIATE");
    // Ranges of time, so that pages are visited once.
    int64_t last = NowMillis();
    Statement& nth = session_->nth_expired;
    const auto offset = static_cast<int64_t>(most) - 1;
    if (nth.Number(last).Number(offset).Step()) last = nth.NumberAt(0);
    nth.Reset();
    session_->erase.Number(last).Step();
    const int deleted = sqlite3_changes(session_->connection.get());
    for (uint32_t scope = 0; scope <= entries_->scopes(); ++scope) {
      session_->erase_scope.Number(scope).Number(last).Step();
    }
    session_->connection.Run("COMMIT");
    return static_cast<size_t>(deleted);
  }

 private:
  static std::string Settings(const char* journal, size_t cache_bytes) {
    return absl::StrCat("PRAGMA ", journal, "; PRAGMA cache_size=-",
                        cache_bytes >> 10,
                        "; PRAGMA temp_store=MEMORY; PRAGMA threads=1;");
  }

  static void AddAll(const LoadInput& input, const Connection& connection,
                     Stopwatch& watch) {
    TokenWriter writer(connection);
    input.tokens.ForEachChunk([&](absl::Span<const Token> chunk) {
      watch.Resume();
      for (const Token& token : chunk) writer.AddToken(token);
      watch.Pause();
    });
    input.entries->ForEachChunk(Family::kIndex, IndexPrefix(IndexKind::kScope),
                                [&](absl::Span<const Entry> chunk) {
                                  watch.Resume();
                                  for (const Entry& entry : chunk) {
                                    const ScopeKey key(entry.key);
                                    writer.AddScope(key.scope, key.expires_at,
                                                    key.id);
                                  }
                                  watch.Pause();
                                });
  }

  void SyncFile() const {
    const int file = open(file_.c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0 || fsync(file) != 0) {
      CheckOk(absl::ErrnoToStatus(errno, file_), "syncing");
    }
    close(file);
  }

  const std::string file_;
  const EntrySource* entries_ = nullptr;
  std::unique_ptr<Session> session_;
  std::unique_ptr<Session> lookups_;  // For another thread.
};

}  // namespace

StoreKind SqliteKind() {
  return {.name = "sqlite",
          .version = absl::StrCat("SQLite ", sqlite3_libversion()),
          .make = [](const StoreOptions& options) -> std::unique_ptr<Store> {
            return std::make_unique<SqliteStore>(options);
          }};
}

}  // namespace tokendb::bench
