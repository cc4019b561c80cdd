// PostgreSQL over a socket: a cluster of its own, made and removed with the
// store. README.md says how it is set up and why so.
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "bench/expiry/machine.h"
#include "bench/expiry/postgres_connection.h"
#include "bench/expiry/server_process.h"
#include "bench/expiry/sql.h"
#include "bench/expiry/store.h"
#include "src/base/coding.h"

namespace tokendb::bench {
namespace {

using postgres::CopyRows;
using postgres::Int8;

constexpr char kBinaries[] = "/usr/lib/postgresql/15/bin/";
constexpr char kUser[] = "postgres";
constexpr int kStopFast = SIGINT;

constexpr char kTables[] =
    "CREATE TABLE token("
    "  id uuid NOT NULL, digest bytea NOT NULL, owner text NOT NULL,"
    "  email text NOT NULL, description text NOT NULL, scopes text NOT NULL,"
    "  created_at bigint NOT NULL, expires_at bigint NOT NULL,"
    "  last_used_at bigint, ip text);"
    "CREATE TABLE token_scope("
    "  scope bigint NOT NULL, expires_at bigint NOT NULL, id uuid NOT NULL);";

constexpr char kIndexes[] =
    "ALTER TABLE token ADD PRIMARY KEY (id);"
    "ALTER TABLE token_scope ADD PRIMARY KEY (scope, expires_at, id);"
    "CREATE INDEX ON token(expires_at, id);"
    "CREATE INDEX ON token(owner, expires_at, id);"
    "CREATE INDEX ON token(digest) INCLUDE (expires_at);";

constexpr char kInsertToken[] =
    "INSERT INTO token VALUES($1, $2, $3, $4, $5, $6, $7, $8)";

// The superuser must not run the server; others run it as themselves.
std::string ServerUser() { return geteuid() == 0 ? kUser : ""; }

class PostgresStore final : public Store {
 public:
  explicit PostgresStore(const StoreOptions& options)
      : Store(options), log_(options.path + "/log") {
    MakeDirectory();
    const std::string data = options.path + "/data";
    RunOrDie({absl::StrCat(kBinaries, "initdb"), "-D", data, "-U", kUser, "-E",
              "UTF8", "--locale=C", "--auth=trust", "-N"},
             options.path, ServerUser(), log_);
    server_ = std::make_unique<ServerProcess>(ServerCommand(data), options.path,
                                              ServerUser(), log_, kStopFast);
    connection_ = std::make_unique<postgres::Connection>(absl::StrCat(
        "host=", options.path, " user=", kUser, " dbname=postgres"));
  }

  double Load(const LoadInput& input) override {
    entries_ = input.entries;
    Stopwatch watch;
    watch.Resume();
    // What is loaded into tables of the same transaction needs no log.
    connection_->Run("BEGIN");
    connection_->Run(kTables);
    watch.Pause();
    CopyTokens(input.tokens, watch);
    CopyScopes(watch);
    watch.Resume();
    connection_->Run(kIndexes);
    connection_->Run("COMMIT");
    watch.Pause();
    PrepareStatements();
    return watch.Seconds();
  }

  std::string Settle() override {
    connection_->Run("VACUUM (ANALYZE, FREEZE)");
    Flush();
    return "vacuumed and analyzed";
  }

  std::vector<TokenId> Expiring(absl::Time before) override {
    return connection_
        ->Execute("expiring", {Now(), Int8(FloorToMillis(before))})
        .Ids();
  }
  std::vector<TokenId> ExpiringOfOwner(const std::string& owner,
                                       absl::Time before) override {
    return connection_
        ->Execute("of_owner", {owner, Now(), Int8(FloorToMillis(before))})
        .Ids();
  }
  std::vector<TokenId> ExpiringOfScope(const std::string& scope,
                                       absl::Time before) override {
    return connection_
        ->Execute("of_scope", {Int8(entries_->NumberOf(scope)), Now(),
                               Int8(FloorToMillis(before))})
        .Ids();
  }

  bool IsLive(const Digest& digest) override {
    const postgres::Rows rows =
        connection_->Execute("by_digest", {digest.bytes()});
    return rows.size() == 1 && rows.Number(0, 0) > NowMillis();
  }

  void Issue(absl::Span<const Token> tokens) override {
    connection_->Run("BEGIN");
    for (const Token& token : tokens) {
      const std::string scopes = ScopesColumn(token);
      const std::string created = Int8(FloorToMillis(token.created_at));
      const std::string expires = Int8(ExpiryColumn(token));
      connection_->Execute(
          "insert",
          {token.id.bytes(), token.digest->bytes(), token.owner->id,
           token.owner->email, token.description, scopes, created, expires});
    }
    InsertScopes(tokens);
    connection_->Run("COMMIT");
  }

  void Flush() override { connection_->Run("CHECKPOINT"); }

  void Touch(const TokenId& id, absl::Time time,
             const std::string& ip) override {
    connection_->Execute("touch", {Int8(FloorToMillis(time)), ip, id.bytes()});
  }
  std::optional<absl::Time> LastUse(const TokenId& id) override {
    const postgres::Rows rows = connection_->Execute("last_use", {id.bytes()});
    if (rows.size() != 1 || rows.IsNull(0, 0)) return std::nullopt;
    return FromMillis(rows.Number(0, 0));
  }

  uint64_t BytesWritten() override {
    return ProcessTreeBytesWritten(server_->pid());
  }

 private:
  // The server's user must be able to reach and own the directory.
  void MakeDirectory() const {
    std::filesystem::create_directory(options().path);
    if (geteuid() != 0) return;
    const passwd* const user = getpwnam(kUser);
    const std::string parent =
        std::filesystem::path(options().path).parent_path();
    if (chown(options().path.c_str(), user->pw_uid, user->pw_gid) != 0 ||
        chmod(parent.c_str(), 0711) != 0) {
      CheckOk(absl::ErrnoToStatus(errno, options().path), "postgres");
    }
  }

  std::vector<std::string> ServerCommand(const std::string& data) const {
    std::vector<std::string> command = {absl::StrCat(kBinaries, "postgres"),
                                        "-D", data, "-k", options().path};
    for (const std::string& setting :
         {std::string("listen_addresses="),
          absl::StrCat("shared_buffers=", options().cache_bytes >> 20, "MB"),
          std::string("synchronous_commit=off"),
          std::string("wal_level=minimal"), std::string("max_wal_senders=0"),
          std::string("max_wal_size=4GB"),
          std::string("checkpoint_timeout=30min"),
          std::string("maintenance_work_mem=512MB"),
          std::string("autovacuum=off"), std::string("jit=off"),
          std::string("random_page_cost=1.1")}) {
      command.insert(command.end(), {"-c", setting});
    }
    return command;
  }

  void PrepareStatements() {
    const std::pair<const char*, const char*> statements[] = {
        {"expiring",
         "SELECT id FROM token WHERE expires_at > $1 AND expires_at < $2"
         " ORDER BY expires_at, id"},
        {"of_owner",
         "SELECT id FROM token WHERE owner = $1 AND expires_at > $2"
         " AND expires_at < $3 ORDER BY expires_at, id"},
        {"of_scope",
         "SELECT id FROM token_scope WHERE scope = $1 AND expires_at > $2"
         " AND expires_at < $3 ORDER BY expires_at, id"},
        {"by_digest", "SELECT expires_at FROM token WHERE digest = $1"},
        {"insert", kInsertToken},
        {"insert_scope", "INSERT INTO token_scope VALUES($1, $2, $3)"},
        {"touch", "UPDATE token SET last_used_at = $1, ip = $2 WHERE id = $3"},
        {"last_use", "SELECT last_used_at FROM token WHERE id = $1"}};
    for (const auto& [name, sql] : statements) connection_->Prepare(name, sql);
  }

  void CopyTokens(const TokenSource& tokens, Stopwatch& watch) {
    CopyRows rows;
    connection_->BeginCopy("COPY token FROM STDIN (FORMAT binary)");
    tokens.ForEachChunk([&](absl::Span<const Token> chunk) {
      watch.Resume();
      for (const Token& token : chunk) {
        rows.BeginRow(10);
        rows.Column(token.id.bytes());
        rows.Column(token.digest->bytes());
        rows.Column(token.owner->id);
        rows.Column(token.owner->email);
        rows.Column(token.description);
        rows.Column(ScopesColumn(token));
        rows.Column(Int8(FloorToMillis(token.created_at)));
        rows.Column(Int8(ExpiryColumn(token)));
        rows.Null();
        rows.Null();
      }
      connection_->CopyData(rows.Take());
      watch.Pause();
    });
    watch.Resume();
    connection_->EndCopy();
    watch.Pause();
  }

  void CopyScopes(Stopwatch& watch) {
    CopyRows rows;
    connection_->BeginCopy("COPY token_scope FROM STDIN (FORMAT binary)");
    entries_->ForEachChunk(Family::kIndex, IndexPrefix(IndexKind::kScope),
                           [&](absl::Span<const Entry> chunk) {
                             watch.Resume();
                             for (const Entry& entry : chunk) {
                               const ScopeKey key(entry.key);
                               rows.BeginRow(3);
                               rows.Column(Int8(key.scope));
                               rows.Column(Int8(key.expires_at));
                               rows.Column(key.id.bytes());
                             }
                             connection_->CopyData(rows.Take());
                             watch.Pause();
                           });
    watch.Resume();
    connection_->EndCopy();
    watch.Pause();
  }

  void InsertScopes(absl::Span<const Token> tokens) {
    for (const Token& token : tokens) {
      const std::string expires = Int8(ExpiryColumn(token));
      for (const uint32_t scope : entries_->NumbersOf(token)) {
        connection_->Execute("insert_scope",
                             {Int8(scope), expires, token.id.bytes()});
      }
    }
  }

  std::string Now() const { return Int8(NowMillis()); }

  const std::string log_;
  const EntrySource* entries_ = nullptr;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<postgres::Connection> connection_;
};

}  // namespace

StoreKind PostgresKind() {
  StoreKind kind{
      .name = "postgres",
      .version = FirstLineOf(
          absl::StrCat(kBinaries, "postgres --version 2>/dev/null")),
      .is_server = true,
      .make = [](const StoreOptions& options) -> std::unique_ptr<Store> {
        return std::make_unique<PostgresStore>(options);
      }};
  if (kind.version.empty()) {
    kind.why_not = absl::StrCat("no server in ", kBinaries);
  } else if (geteuid() == 0 && getpwnam(kUser) == nullptr) {
    kind.why_not = absl::StrCat("there is no user ", kUser);
  }
  return kind;
}

}  // namespace tokendb::bench
