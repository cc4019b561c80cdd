// A thin layer over SQLite's C interface.
#ifndef TOKENDB_BENCH_PEERS_SQLITE_CONNECTION_H_
#define TOKENDB_BENCH_PEERS_SQLITE_CONNECTION_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/synthetic.h"
#include "sqlite3.h"
#include "src/index/keys.h"
#include "tokendb/token.h"

namespace tokendb::bench::sqlite {

class Connection {
 public:
  // Runs `settings` at first.
  Connection(const std::string& file, const std::string& settings) {
    Check(sqlite3_open_v2(
              file.c_str(), &db_,
              SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
              nullptr),
          "opening");
    Check(sqlite3_busy_timeout(db_, 60000), "timeout");
    Run(settings);
  }
  ~Connection() { sqlite3_close(db_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  sqlite3* get() const { return db_; }
  void Run(const std::string& sql) {
    Check(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr), sql);
  }
  void Check(int code, std::string_view what) const {
    if (code == SQLITE_OK) return;
    CheckOk(absl::InternalError(sqlite3_errmsg(db_)),
            std::string("sqlite: ").append(what));
  }

 private:
  sqlite3* db_ = nullptr;
};

// A prepared statement; parameters are bound in order, by reference.
class Statement {
 public:
  Statement(const Connection& connection, std::string_view sql)
      : connection_(connection) {
    connection.Check(
        sqlite3_prepare_v3(connection.get(), sql.data(),
                           static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &statement_, nullptr),
        sql);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Number(int64_t number) {
    connection_.Check(sqlite3_bind_int64(statement_, ++bound_, number), "bind");
    return *this;
  }
  Statement& Text(std::string_view text) {
    connection_.Check(
        sqlite3_bind_text(statement_, ++bound_, text.data(),
                          static_cast<int>(text.size()), SQLITE_STATIC),
        "bind");
    return *this;
  }
  Statement& Blob(std::string_view bytes) {
    connection_.Check(
        sqlite3_bind_blob(statement_, ++bound_, bytes.data(),
                          static_cast<int>(bytes.size()), SQLITE_STATIC),
        "bind");
    return *this;
  }

  // True for a row; at the end the statement is ready for the next use.
  bool Step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    Reset();
    if (code != SQLITE_DONE) connection_.Check(code, "step");
    return false;
  }
  void Reset() {
    sqlite3_reset(statement_);
    bound_ = 0;
  }
  int64_t NumberAt(int column) const {
    return sqlite3_column_int64(statement_, column);
  }
  bool IsNullAt(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  std::string_view BytesAt(int column) const {
    return {static_cast<const char*>(sqlite3_column_blob(statement_, column)),
            static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
  }
  std::vector<TokenId> Ids() {
    std::vector<TokenId> ids;
    while (Step()) ids.push_back(IdFromBytes(BytesAt(0)));
    return ids;
  }

 private:
  const Connection& connection_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

}  // namespace tokendb::bench::sqlite

#endif  // TOKENDB_BENCH_PEERS_SQLITE_CONNECTION_H_
