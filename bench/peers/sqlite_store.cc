// SQLite as one would set it up for this: README.md says why so.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "bench/peers/sql.h"
#include "bench/peers/sqlite_connection.h"
#include "bench/peers/store.h"
#include "src/index/scope_sets.h"

namespace tokendb::bench {
namespace {

using sqlite::Connection;
using sqlite::Statement;

constexpr char kTables[] =
    "CREATE TABLE token("
    "  id BLOB PRIMARY KEY NOT NULL, digest BLOB NOT NULL,"
    "  owner TEXT NOT NULL, email TEXT NOT NULL, description TEXT NOT NULL,"
    "  scopes BLOB NOT NULL, created_at INTEGER NOT NULL,"
    "  expires_at INTEGER NOT NULL, last_used_at INTEGER, ip TEXT,"
    "  revoked_at INTEGER"
    ") WITHOUT ROWID;"
    "CREATE TABLE token_scope("
    "  scope INTEGER NOT NULL, expires_at INTEGER NOT NULL, id BLOB NOT NULL,"
    "  PRIMARY KEY(scope, expires_at, id)) WITHOUT ROWID;";

// Tokens that are revoked are not in token_scope.
constexpr char kIndexes[] =
    "CREATE INDEX token_by_expiry ON token(expires_at, id, revoked_at);"
    "CREATE INDEX token_by_owner ON token(owner, expires_at, id, revoked_at);"
    "CREATE INDEX token_by_digest"
    "  ON token(digest, expires_at, revoked_at, scopes);"
    "ANALYZE;";

// Statements that write tokens, in the load and later.
class TokenWriter {
 public:
  explicit TokenWriter(const Connection& connection)
      : token_(connection,
               "INSERT INTO token"
               " VALUES(?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)"),
        scope_(connection, "INSERT INTO token_scope VALUES(?, ?, ?)") {}

  void AddToken(const Token& token, const ScopeNumbers& numbers) {
    const std::string scopes = ScopesColumn(numbers);
    token_.Blob(token.id.bytes())
        .Blob(token.digest->bytes())
        .Text(token.owner->id)
        .Text(token.owner->email)
        .Text(token.description)
        .Blob(scopes)
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

// An open database with the statements that read more than one token.
struct Session {
  Session(const std::string& file, const std::string& settings)
      : connection(file, settings) {}

  Connection connection;
  Statement expiring{
      connection,
      "SELECT id FROM token WHERE expires_at > ? AND expires_at < ?"
      " AND revoked_at IS NULL ORDER BY expires_at, id"};
  Statement of_owner{connection,
                     "SELECT id FROM token WHERE owner = ? AND expires_at > ?"
                     " AND expires_at < ? AND revoked_at IS NULL"
                     " ORDER BY expires_at, id"};
  Statement of_scope{
      connection,
      "SELECT id FROM token_scope WHERE scope = ? AND expires_at > ?"
      " AND expires_at < ? ORDER BY expires_at, id"};
  Statement of_both{
      connection,
      "SELECT id FROM token AS t WHERE owner = ? AND expires_at > ?"
      " AND expires_at < ? AND revoked_at IS NULL AND EXISTS("
      "  SELECT 1 FROM token_scope AS s WHERE s.scope = ?"
      "  AND s.expires_at = t.expires_at AND s.id = t.id)"
      " ORDER BY expires_at, id"};
  Statement last_of_owner{
      connection,
      "SELECT id, digest, owner, email, description, scopes, created_at,"
      " expires_at FROM token WHERE owner = ? AND expires_at > ?"
      " AND revoked_at IS NULL ORDER BY expires_at DESC, id DESC LIMIT ?"};
  Statement last_use{connection, "SELECT last_used_at FROM token WHERE id = ?"};
  Statement nth_expired{connection,
                        "SELECT expires_at FROM token WHERE expires_at <= ?"
                        " ORDER BY expires_at LIMIT 1 OFFSET ?"};
  Statement erase{connection, "DELETE FROM token WHERE expires_at <= ?"};
  Statement erase_scope{
      connection,
      "DELETE FROM token_scope WHERE scope = ? AND expires_at <= ?"};
};

class SqliteCaller final : public Caller {
 public:
  SqliteCaller(const std::string& file, const std::string& settings,
               const Clock& clock, const EntrySource& entries)
      : connection_(file, settings), clock_(clock), entries_(entries) {}

  Answer Lookup(const Digest& digest) override {
    const int64_t now = FloorToMillis(clock_.Now());
    Answer answer;
    if (by_digest_.Blob(digest.bytes()).Step() &&
        by_digest_.NumberAt(1) > now && by_digest_.IsNullAt(2)) {
      answer = {
          .live = true,
          .id = IdFromBytes(by_digest_.BytesAt(0)),
          .scopes = ScopeSets::MakeSet(ScopesOfColumn(by_digest_.BytesAt(3)))};
    }
    by_digest_.Reset();
    return answer;
  }

  // One transaction, so that the file is locked once.
  void LookupMany(absl::Span<const Digest> digests,
                  absl::Span<Answer> answers) override {
    begin_.Step();
    Caller::LookupMany(digests, answers);
    commit_.Step();
  }

  void Issue(absl::Span<const Token> tokens) override {
    begin_immediate_.Step();
    for (const Token& token : tokens) {
      const ScopeNumbers scopes = entries_.NumbersOf(token);
      writer_.AddToken(token, scopes);
      for (const uint32_t scope : scopes) {
        writer_.AddScope(scope, ExpiryColumn(token), token.id);
      }
    }
    commit_.Step();
  }

  void Revoke(const TokenId& id) override {
    begin_immediate_.Step();
    revoke_.Number(FloorToMillis(clock_.Now())).Blob(id.bytes());
    if (revoke_.Step()) {
      const int64_t expires_at = revoke_.NumberAt(0);
      const ScopeNumbers scopes = ScopesOfColumn(revoke_.BytesAt(1));
      revoke_.Step();
      for (const uint32_t scope : scopes) {
        erase_scope_.Number(scope).Number(expires_at).Blob(id.bytes()).Step();
      }
    }
    commit_.Step();
  }

  void Touch(const TokenId& id, absl::Time time,
             const std::string& ip) override {
    touch_.Number(FloorToMillis(time)).Text(ip).Blob(id.bytes()).Step();
  }

 private:
  Connection connection_;
  const Clock& clock_;
  const EntrySource& entries_;
  TokenWriter writer_{connection_};
  Statement begin_{connection_, "BEGIN"};
  Statement begin_immediate_{connection_, "BEGIN IMMEDIATE"};
  Statement commit_{connection_, "COMMIT"};
  Statement by_digest_{connection_,
                       "SELECT id, expires_at, revoked_at, scopes FROM token"
                       " WHERE digest = ?"};
  Statement touch_{connection_,
                   "UPDATE token SET last_used_at = ?, ip = ? WHERE id = ?"};
  Statement revoke_{connection_,
                    "UPDATE token SET revoked_at = ? WHERE id = ?"
                    " AND revoked_at IS NULL RETURNING expires_at, scopes"};
  Statement erase_scope_{connection_,
                         "DELETE FROM token_scope"
                         " WHERE scope = ? AND expires_at = ? AND id = ?"};
};

// Sorting for the indexes has as much memory as tokendb's bulk load.
constexpr size_t kLoadCacheBytes = size_t{512} << 20;

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(const StoreOptions& options)
      : Store(options),
        file_(options.path + "/tokens.sqlite"),
        settings_(Settings(options.writes == Surviving::kPower
                               ? "journal_mode=WAL; PRAGMA synchronous=FULL"
                               : "journal_mode=WAL; PRAGMA synchronous=NORMAL",
                           options.cache_bytes)),
        entries_(options.entries) {
    std::filesystem::create_directory(options.path);
    if (std::filesystem::exists(file_)) Open();
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
    Open();
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

  std::vector<TokenId> ExpiringOfOwnerWithScope(const std::string& owner,
                                                const std::string& scope,
                                                absl::Time before) override {
    return session_->of_both.Text(owner)
        .Number(NowMillis())
        .Number(FloorToMillis(before))
        .Number(entries_->NumberOf(scope))
        .Ids();
  }

  std::vector<Token> LastOfOwner(const std::string& owner,
                                 size_t limit) override {
    Statement& row = session_->last_of_owner;
    row.Text(owner).Number(NowMillis()).Number(static_cast<int64_t>(limit));
    std::vector<Token> tokens;
    while (row.Step()) {
      Token& token = tokens.emplace_back();
      token.id = IdFromBytes(row.BytesAt(0));
      token.digest = DigestFromBytes(row.BytesAt(1));
      token.owner = Owner{.id = std::string(row.BytesAt(2)),
                          .email = std::string(row.BytesAt(3))};
      token.description = row.BytesAt(4);
      token.scopes = entries_->NamesOf(ScopesOfColumn(row.BytesAt(5)));
      token.created_at = FromMillis(row.NumberAt(6));
      token.expires_at = ExpiryOfColumn(row.NumberAt(7));
    }
    return tokens;
  }

  std::unique_ptr<Caller> NewCaller() override {
    return std::make_unique<SqliteCaller>(file_, settings_, *options().clock,
                                          *entries_);
  }

  void Flush() override {
    session_->connection.Run("PRAGMA wal_checkpoint(TRUNCATE)");
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
      for (const Token& token : chunk) {
        writer.AddToken(token, input.entries->NumbersOf(token));
      }
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

  void Open() { session_ = std::make_unique<Session>(file_, settings_); }

  const std::string file_;
  const std::string settings_;
  const EntrySource* entries_;
  std::unique_ptr<Session> session_;
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
