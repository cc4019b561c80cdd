// A thin layer over libpq: prepared statements with binary parameters and
// results, and COPY in its binary format.
#ifndef TOKENDB_BENCH_PEERS_POSTGRES_CONNECTION_H_
#define TOKENDB_BENCH_PEERS_POSTGRES_CONNECTION_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libpq-fe.h"
#include "tokendb/token.h"

namespace tokendb::bench::postgres {

// The rows of an answer.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result) {}
  ~Rows() { PQclear(result_); }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  PGresult* get() const { return result_; }
  int size() const { return PQntuples(result_); }
  bool IsNull(int row, int column) const {
    return PQgetisnull(result_, row, column) != 0;
  }
  std::string_view Bytes(int row, int column) const {
    return {PQgetvalue(result_, row, column),
            static_cast<size_t>(PQgetlength(result_, row, column))};
  }
  int64_t Number(int row, int column) const;
  std::vector<TokenId> Ids() const;

 private:
  PGresult* result_;
};

// An int8 in binary.
std::string Int8(int64_t number);

// An array in binary; elements are of the type with this oid.
constexpr uint32_t kBytea = 17;
constexpr uint32_t kInt8 = 20;
constexpr uint32_t kText = 25;
constexpr uint32_t kUuid = 2950;
std::string Array(uint32_t type, const std::vector<std::string>& elements);

class Connection {
 public:
  // Waits until the server answers. Ends the program if it does not.
  explicit Connection(const std::string& parameters);
  ~Connection() { PQfinish(connection_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Run(const std::string& sql);
  void Prepare(const char* name, const char* sql);

  // Runs a prepared statement with binary parameters.
  Rows Execute(const char* name, const std::vector<std::string_view>& values);

  // Sends `data` to the COPY begun by `sql`, and ends it.
  void BeginCopy(const std::string& sql);
  void CopyData(std::string_view data);
  void EndCopy();

 private:
  void Check(bool ok, std::string_view what) const;

  PGconn* connection_ = nullptr;
};

// Makes rows in COPY's binary format.
class CopyRows {
 public:
  CopyRows();
  void BeginRow(uint16_t columns);
  void Column(std::string_view bytes);
  void Null();
  // The rows so far, which are taken out.
  std::string Take() { return std::exchange(data_, {}); }
  // What ends the data.
  static std::string_view Trailer() { return {"\xFF\xFF", 2}; }

 private:
  std::string data_;
};

}  // namespace tokendb::bench::postgres

#endif  // TOKENDB_BENCH_PEERS_POSTGRES_CONNECTION_H_
