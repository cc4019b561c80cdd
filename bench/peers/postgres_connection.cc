#include "bench/peers/postgres_connection.h"

#include <chrono>
#include <thread>

#include "bench/synthetic.h"
#include "src/base/coding.h"
#include "src/index/keys.h"

namespace tokendb::bench::postgres {
namespace {

constexpr int kBinary = 1;
constexpr int kConnectAttempts = 300;
constexpr auto kBetweenAttempts = std::chrono::milliseconds(100);

// Signature, flags, and the length of the header's extension.
constexpr std::string_view kCopyHeader = {"PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0",
                                          19};

}  // namespace

int64_t Rows::Number(int row, int column) const {
  return static_cast<int64_t>(LoadBig64(Bytes(row, column).data()));
}

std::vector<TokenId> Rows::Ids() const {
  std::vector<TokenId> ids;
  ids.reserve(static_cast<size_t>(size()));
  for (int row = 0; row < size(); ++row) {
    ids.push_back(IdFromBytes(Bytes(row, 0)));
  }
  return ids;
}

std::string Int8(int64_t number) {
  std::string bytes;
  AppendBig64(bytes, static_cast<uint64_t>(number));
  return bytes;
}

std::string Array(uint32_t type, const std::vector<std::string>& elements) {
  std::string bytes;
  AppendBig32(bytes, elements.empty() ? 0 : 1);  // Dimensions.
  AppendBig32(bytes, 0);                         // No nulls.
  AppendBig32(bytes, type);
  if (elements.empty()) return bytes;
  AppendBig32(bytes, static_cast<uint32_t>(elements.size()));
  AppendBig32(bytes, 1);  // Of the first one.
  for (const std::string& element : elements) {
    AppendBig32(bytes, static_cast<uint32_t>(element.size()));
    bytes.append(element);
  }
  return bytes;
}

Connection::Connection(const std::string& parameters) {
  for (int attempt = 0; attempt < kConnectAttempts; ++attempt) {
    connection_ = PQconnectdb(parameters.c_str());
    if (PQstatus(connection_) == CONNECTION_OK) return;
    if (attempt + 1 == kConnectAttempts) break;
    PQfinish(connection_);
    std::this_thread::sleep_for(kBetweenAttempts);
  }
  Check(false, "connecting");
}

void Connection::Check(bool ok, std::string_view what) const {
  if (ok) return;
  CheckOk(absl::InternalError(PQerrorMessage(connection_)),
          std::string("postgres: ").append(what));
}

void Connection::Run(const std::string& sql) {
  const Rows rows(PQexec(connection_, sql.c_str()));
  const ExecStatusType status = PQresultStatus(rows.get());
  Check(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, sql);
}

void Connection::Prepare(const char* name, const char* sql) {
  const Rows rows(PQprepare(connection_, name, sql, 0, nullptr));
  Check(PQresultStatus(rows.get()) == PGRES_COMMAND_OK, sql);
}

Rows Connection::Execute(const char* name,
                         const std::vector<std::string_view>& values) {
  std::vector<const char*> data;
  std::vector<int> lengths;
  const std::vector<int> formats(values.size(), kBinary);
  for (const std::string_view value : values) {
    data.push_back(value.data());
    lengths.push_back(static_cast<int>(value.size()));
  }
  PGresult* const result =
      PQexecPrepared(connection_, name, static_cast<int>(values.size()),
                     data.data(), lengths.data(), formats.data(), kBinary);
  const ExecStatusType status = PQresultStatus(result);
  Check(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, name);
  return Rows(result);
}

void Connection::BeginCopy(const std::string& sql) {
  const Rows rows(PQexec(connection_, sql.c_str()));
  Check(PQresultStatus(rows.get()) == PGRES_COPY_IN, sql);
}

void Connection::CopyData(std::string_view data) {
  Check(PQputCopyData(connection_, data.data(),
                      static_cast<int>(data.size())) == 1,
        "copy");
}

void Connection::EndCopy() {
  CopyData(CopyRows::Trailer());
  Check(PQputCopyEnd(connection_, nullptr) == 1, "end of copy");
  while (PGresult* const result = PQgetResult(connection_)) {
    const Rows rows(result);
    Check(PQresultStatus(result) == PGRES_COMMAND_OK, "end of copy");
  }
}

CopyRows::CopyRows() : data_(kCopyHeader) {}

void CopyRows::BeginRow(uint16_t columns) {
  data_.push_back(static_cast<char>(columns >> 8));
  data_.push_back(static_cast<char>(columns & 0xFF));
}

void CopyRows::Column(std::string_view bytes) {
  AppendBig32(data_, static_cast<uint32_t>(bytes.size()));
  data_.append(bytes);
}

void CopyRows::Null() { AppendBig32(data_, 0xFFFFFFFF); }

}  // namespace tokendb::bench::postgres
