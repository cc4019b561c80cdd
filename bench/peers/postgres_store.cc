// PostgreSQL over a socket: a cluster of its own, made and removed with the
// store. README.md says how it is set up and why so.
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "bench/peers/machine.h"
#include "bench/peers/postgres_connection.h"
#include "bench/peers/server_process.h"
#include "bench/peers/sql.h"
#include "bench/peers/store.h"
#include "src/base/coding.h"
#include "src/index/scope_sets.h"

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
    "  email text NOT NULL, description text NOT NULL, scopes bytea NOT NULL,"
    "  created_at bigint NOT NULL, expires_at bigint NOT NULL,"
    "  last_used_at bigint, ip text, revoked_at bigint);"
    "CREATE TABLE token_scope("
    "  scope bigint NOT NULL, expires_at bigint NOT NULL, id uuid NOT NULL);";

constexpr char kIndexes[] =
    "ALTER TABLE token ADD PRIMARY KEY (id);"
    "ALTER TABLE token_scope ADD PRIMARY KEY (scope, expires_at, id);"
    "CREATE INDEX ON token(expires_at, id) INCLUDE (revoked_at);"
    "CREATE INDEX ON token(owner, expires_at, id) INCLUDE (revoked_at);"
    "CREATE INDEX ON token(digest)"
    "  INCLUDE (id, expires_at, revoked_at, scopes);";

// Tokens that are revoked are not in token_scope.
constexpr std::pair<const char*, const char*> kStoreStatements[] = {
    {"expiring",
     "SELECT id FROM token WHERE expires_at > $1 AND expires_at < $2"
     " AND revoked_at IS NULL ORDER BY expires_at, id"},
    {"of_owner",
     "SELECT id FROM token WHERE owner = $1 AND expires_at > $2"
     " AND expires_at < $3 AND revoked_at IS NULL ORDER BY expires_at, id"},
    {"of_scope",
     "SELECT id FROM token_scope WHERE scope = $1 AND expires_at > $2"
     " AND expires_at < $3 ORDER BY expires_at, id"},
    {"of_both",
     "SELECT id FROM token AS t WHERE owner = $1 AND expires_at > $2"
     " AND expires_at < $3 AND revoked_at IS NULL AND EXISTS("
     "SELECT 1 FROM token_scope AS s WHERE s.scope = $4"
     " AND s.expires_at = t.expires_at AND s.id = t.id)"
     " ORDER BY expires_at, id"},
    {"last_of_owner",
     "SELECT id, digest, owner, email, description, scopes, created_at,"
     " expires_at FROM token WHERE owner = $1 AND expires_at > $2"
     " AND revoked_at IS NULL ORDER BY expires_at DESC, id DESC LIMIT $3"},
    {"last_use", "SELECT last_used_at FROM token WHERE id = $1"}};

// Each one statement, and thus one transaction and one round trip.
constexpr std::pair<const char*, const char*> kCallerStatements[] = {
    {"by_digest",
     "SELECT id, expires_at, revoked_at, scopes FROM token WHERE digest = $1"},
    {"by_digests",
     "SELECT id, expires_at, revoked_at, scopes, d.position"
     " FROM unnest($1::bytea[]) WITH ORDINALITY AS d(digest, position)"
     " JOIN token USING (digest)"},
    {"issue",
     "WITH new AS (INSERT INTO token SELECT * FROM unnest($1::uuid[],"
     " $2::bytea[], $3::text[], $4::text[], $5::text[], $6::bytea[],"
     " $7::bigint[], $8::bigint[]))"
     " INSERT INTO token_scope SELECT * FROM unnest($9::bigint[],"
     " $10::bigint[], $11::uuid[])"},
    {"revoke",
     "WITH old AS (UPDATE token SET revoked_at = $1 WHERE id = $2"
     " AND revoked_at IS NULL RETURNING id, expires_at, scopes)"
     " DELETE FROM token_scope AS s USING old, generate_series(0,"
     " length(old.scopes) / 4 - 1) AS n WHERE s.scope ="
     " get_byte(old.scopes, n * 4 + 2) * 256 + get_byte(old.scopes, n * 4 + 3)"
     " AND s.expires_at = old.expires_at AND s.id = old.id"},
    {"touch", "UPDATE token SET last_used_at = $1, ip = $2 WHERE id = $3"}};

// The superuser must not run the server; others run it as themselves.
std::string ServerUser() { return geteuid() == 0 ? kUser : ""; }

class PostgresCaller final : public Caller {
 public:
  PostgresCaller(const std::string& parameters, const Clock& clock,
                 const EntrySource& entries)
      : connection_(parameters), clock_(clock), entries_(entries) {
    for (const auto& [name, sql] : kCallerStatements) {
      connection_.Prepare(name, sql);
    }
    // Costs of a plan for all parameters are known without trying.
    connection_.Run("SET plan_cache_mode = force_generic_plan");
  }

  Answer Lookup(const Digest& digest) override {
    const postgres::Rows rows =
        connection_.Execute("by_digest", {digest.bytes()});
    return rows.size() == 1 ? AnswerOf(rows, 0) : Answer();
  }

  void LookupMany(absl::Span<const Digest> digests,
                  absl::Span<Answer> answers) override {
    std::vector<std::string> elements;
    for (const Digest& digest : digests) elements.emplace_back(digest.bytes());
    const postgres::Rows rows = connection_.Execute(
        "by_digests", {postgres::Array(postgres::kBytea, elements)});
    for (Answer& answer : answers) answer.live = false;
    for (int row = 0; row < rows.size(); ++row) {
      answers[static_cast<size_t>(rows.Number(row, 4) - 1)] =
          AnswerOf(rows, row);
    }
  }

  void Issue(absl::Span<const Token> tokens) override {
    std::vector<std::string> columns[11];
    for (const Token& token : tokens) {
      const ScopeNumbers scopes = entries_.NumbersOf(token);
      const std::string expires = Int8(ExpiryColumn(token));
      columns[0].emplace_back(token.id.bytes());
      columns[1].emplace_back(token.digest->bytes());
      columns[2].push_back(token.owner->id);
      columns[3].push_back(token.owner->email);
      columns[4].push_back(token.description);
      columns[5].push_back(ScopesColumn(scopes));
      columns[6].push_back(Int8(FloorToMillis(token.created_at)));
      columns[7].push_back(expires);
      for (const uint32_t scope : scopes) {
        columns[8].push_back(Int8(scope));
        columns[9].push_back(expires);
        columns[10].emplace_back(token.id.bytes());
      }
    }
    using namespace postgres;
    const uint32_t types[] = {kUuid, kBytea, kText, kText, kText, kBytea,
                              kInt8, kInt8,  kInt8, kInt8, kUuid};
    std::vector<std::string> arrays;
    for (size_t i = 0; i < std::size(columns); ++i) {
      arrays.push_back(Array(types[i], columns[i]));
    }
    connection_.Execute("issue", {arrays.begin(), arrays.end()});
  }

  void Revoke(const TokenId& id) override {
    connection_.Execute("revoke",
                        {Int8(FloorToMillis(clock_.Now())), id.bytes()});
  }

  void Touch(const TokenId& id, absl::Time time,
             const std::string& ip) override {
    connection_.Execute("touch", {Int8(FloorToMillis(time)), ip, id.bytes()});
  }

 private:
  Answer AnswerOf(const postgres::Rows& rows, int row) const {
    if (!rows.IsNull(row, 2) ||
        rows.Number(row, 1) <= FloorToMillis(clock_.Now())) {
      return {};
    }
    return {.live = true,
            .id = IdFromBytes(rows.Bytes(row, 0)),
            .scopes = ScopeSets::MakeSet(ScopesOfColumn(rows.Bytes(row, 3)))};
  }

  postgres::Connection connection_;
  const Clock& clock_;
  const EntrySource& entries_;
};

class PostgresStore final : public Store {
 public:
  explicit PostgresStore(const StoreOptions& options)
      : Store(options),
        log_(options.path + "/log"),
        parameters_(absl::StrCat("host=", options.path, " user=", kUser,
                                 " dbname=postgres")),
        entries_(options.entries) {
    const std::string data = options.path + "/data";
    const bool is_new = !std::filesystem::exists(data);
    if (is_new) {
      MakeDirectory();
      RunOrDie({absl::StrCat(kBinaries, "initdb"), "-D", data, "-U", kUser,
                "-E", "UTF8", "--locale=C", "--auth=trust", "-N"},
               options.path, ServerUser(), log_);
    }
    server_ = std::make_unique<ServerProcess>(ServerCommand(data), options.path,
                                              ServerUser(), log_, kStopFast);
    connection_ = std::make_unique<postgres::Connection>(parameters_);
    if (!is_new) PrepareStatements();
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

  std::vector<TokenId> ExpiringOfOwnerWithScope(const std::string& owner,
                                                const std::string& scope,
                                                absl::Time before) override {
    return connection_
        ->Execute("of_both", {owner, Now(), Int8(FloorToMillis(before)),
                              Int8(entries_->NumberOf(scope))})
        .Ids();
  }

  std::vector<Token> LastOfOwner(const std::string& owner,
                                 size_t limit) override {
    const postgres::Rows rows = connection_->Execute(
        "last_of_owner", {owner, Now(), Int8(static_cast<int64_t>(limit))});
    std::vector<Token> tokens;
    for (int row = 0; row < rows.size(); ++row) {
      Token& token = tokens.emplace_back();
      token.id = IdFromBytes(rows.Bytes(row, 0));
      token.digest = DigestFromBytes(rows.Bytes(row, 1));
      token.owner = Owner{.id = std::string(rows.Bytes(row, 2)),
                          .email = std::string(rows.Bytes(row, 3))};
      token.description = rows.Bytes(row, 4);
      token.scopes = entries_->NamesOf(ScopesOfColumn(rows.Bytes(row, 5)));
      token.created_at = FromMillis(rows.Number(row, 6));
      token.expires_at = ExpiryOfColumn(rows.Number(row, 7));
    }
    return tokens;
  }

  std::unique_ptr<Caller> NewCaller() override {
    return std::make_unique<PostgresCaller>(parameters_, *options().clock,
                                            *entries_);
  }

  void Flush() override { connection_->Run("CHECKPOINT"); }

  std::optional<absl::Time> LastUse(const TokenId& id) override {
    const postgres::Rows rows = connection_->Execute("last_use", {id.bytes()});
    if (rows.size() != 1 || rows.IsNull(0, 0)) return std::nullopt;
    return FromMillis(rows.Number(0, 0));
  }

  uint64_t BytesWritten() override {
    return ProcessTreeBytesWritten(server_->pid());
  }
  double ServerSeconds() override { return ProcessTreeSeconds(server_->pid()); }

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
          absl::StrCat("synchronous_commit=",
                       options().writes == Surviving::kPower ? "on" : "off"),
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
    for (const auto& [name, sql] : kStoreStatements) {
      connection_->Prepare(name, sql);
    }
  }

  void CopyTokens(const TokenSource& tokens, Stopwatch& watch) {
    CopyRows rows;
    connection_->BeginCopy("COPY token FROM STDIN (FORMAT binary)");
    tokens.ForEachChunk([&](absl::Span<const Token> chunk) {
      watch.Resume();
      for (const Token& token : chunk) {
        rows.BeginRow(11);
        rows.Column(token.id.bytes());
        rows.Column(token.digest->bytes());
        rows.Column(token.owner->id);
        rows.Column(token.owner->email);
        rows.Column(token.description);
        rows.Column(ScopesColumn(entries_->NumbersOf(token)));
        rows.Column(Int8(FloorToMillis(token.created_at)));
        rows.Column(Int8(ExpiryColumn(token)));
        rows.Null();
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

  std::string Now() const { return Int8(NowMillis()); }

  const std::string log_;
  const std::string parameters_;
  const EntrySource* entries_;
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
