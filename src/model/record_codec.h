// The value of a token's record: a 16-byte header and a FlatBuffer
// (schemas/token.fbs). docs/file_format.md shows it byte by byte.
//
//   0  format version, u8
//   1  schema revision of the writer, u8
//   2  flags, u8: 1 revoked_at is set; the others zero
//   3  zero, u8
//   4  crc32c of id, bytes 0..3, bytes 8..end; u32 little-endian
//   8  expiry: OrderedMillis, u64 big-endian; FF..FF: never
//  16  FlatBuffer
#ifndef TOKENDB_SRC_MODEL_RECORD_CODEC_H_
#define TOKENDB_SRC_MODEL_RECORD_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/model/millis.h"
#include "tokendb/token.h"

namespace tokendb {

inline constexpr size_t kRecordHeaderBytes = 16;
inline constexpr uint8_t kRecordFormat = 1;

// Raised by one with every field added to the schema.
inline constexpr uint8_t kSchemaRevision = 1;

// Makes records. Keeps its buffers from one record to the next; not
// thread-safe.
class RecordEncoder {
 public:
  RecordEncoder();
  ~RecordEncoder();

  // Returns the record of a normalized token, valid until the next call.
  // InvalidArgument naming Limits::kRecordBytes if it is too large.
  absl::StatusOr<std::string_view> Encode(const Token& token);

 private:
  class Builder;
  std::unique_ptr<Builder> builder_;
};

// Reads a record. DataLoss, naming the id, if any bit of it or of its id
// changed since it was written; FailedPrecondition if its format is newer.
absl::StatusOr<Token> DecodeRecord(const TokenId& id, std::string_view value);

// What the header says of a record, unchecked: for deciding whether a closer
// look is worth it. Nothing if it is too short.
struct RecordHeader {
  Millis expires_at = kNever;
  bool revoked = false;
};
std::optional<RecordHeader> PeekRecord(std::string_view value);

// Whether the record is whole: its checksum and format are right.
bool IsIntactRecord(const TokenId& id, std::string_view value);

// Whether the record may have fields this library does not know, which a
// rewrite would lose. `value` passed DecodeRecord().
bool WrittenByNewerSchema(std::string_view value);

}  // namespace tokendb

#endif  // TOKENDB_SRC_MODEL_RECORD_CODEC_H_
