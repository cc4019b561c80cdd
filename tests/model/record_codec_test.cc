#include "src/model/record_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flatbuffers/flatbuffers.h"
#include "src/base/coding.h"
#include "src/base/crc32c.h"
#include "src/base/text.h"
#include "src/model/millis.h"
#include "tests/model/sample_token.h"
#include "tests/support/status_matchers.h"
#include "token_generated.h"

namespace tokendb {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::tokendb::testing::BareToken;
using ::tokendb::testing::FullToken;
using ::tokendb::testing::IdOf;
using ::tokendb::testing::IsOk;
using ::tokendb::testing::IsOkAndHolds;
using ::tokendb::testing::StatusIs;

constexpr size_t kCrcOffset = 4;
constexpr size_t kExpiryOffset = 8;

std::string RecordOf(const Token& token) {
  RecordEncoder encoder;
  const absl::StatusOr<std::string_view> record = encoder.Encode(token);
  EXPECT_THAT(record, IsOk());
  return record.ok() ? std::string(*record) : std::string();
}

uint32_t ChecksumOf(const TokenId& id, std::string_view record) {
  std::string covered(id.bytes());
  covered += record.substr(0, kCrcOffset);
  covered += record.substr(kExpiryOffset);
  return ExtendCrc32c(0, covered);
}

// Gives a changed record the checksum that belongs to it.
std::string Sealed(const TokenId& id, std::string record) {
  const uint32_t crc = ChecksumOf(id, record);
  std::memcpy(&record[kCrcOffset], &crc, sizeof(crc));
  return record;
}

std::string WithByte(std::string record, size_t position, char byte) {
  record[position] = byte;
  return record;
}

// A sealed record with this FlatBuffer, which never expires.
std::string RecordAround(const TokenId& id, std::string_view body,
                         char revision = kSchemaRevision) {
  std::string record(kRecordHeaderBytes, '\0');
  record[0] = kRecordFormat;
  record[1] = revision;
  StoreBig64(&record[kExpiryOffset], OrderedMillis(kNever));
  return Sealed(id, record.append(body));
}

std::string_view BodyOf(const flatbuffers::FlatBufferBuilder& builder) {
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()),
          builder.GetSize()};
}

TEST(RecordCodecTest, FullTokenRoundTrips) {
  const Token token = FullToken();
  EXPECT_THAT(DecodeRecord(token.id, RecordOf(token)), IsOkAndHolds(token));
}

TEST(RecordCodecTest, BareTokenRoundTrips) {
  const Token token = BareToken();
  EXPECT_THAT(DecodeRecord(token.id, RecordOf(token)), IsOkAndHolds(token));
}

TEST(RecordCodecTest, EncoderKeepsNothingOfTheTokenBefore) {
  RecordEncoder encoder;
  Token large = FullToken();
  large.metadata.assign(100000, 'x');
  for (const Token& token : {large, BareToken(), FullToken(), BareToken()}) {
    const absl::StatusOr<std::string_view> record = encoder.Encode(token);
    ASSERT_THAT(record, IsOk());
    EXPECT_EQ(*record, RecordOf(token));
    EXPECT_THAT(DecodeRecord(token.id, *record), IsOkAndHolds(token));
  }
}

TEST(RecordCodecTest, HeaderIsAsDocumented) {
  const Token token = FullToken();
  const std::string record = RecordOf(token);
  EXPECT_EQ(record[0], 1);
  EXPECT_EQ(record[1], 1);
  EXPECT_EQ(record[2], 1);  // Revoked.
  EXPECT_EQ(record[3], 0);
  uint32_t crc = 0;
  std::memcpy(&crc, &record[kCrcOffset], sizeof(crc));
  EXPECT_EQ(crc, ChecksumOf(token.id, record));
  EXPECT_EQ(LoadBig64(&record[kExpiryOffset]),
            OrderedMillis(FloorToMillis(*token.expires_at)));
  EXPECT_EQ(RecordOf(BareToken()).substr(kExpiryOffset, 8),
            std::string(8, '\xFF'));
}

// What a released version wrote must be read for ever.
TEST(RecordCodecTest, ReadsARecordOfTheFirstRelease) {
  constexpr char kRecord[] =
      "01010100e8476288800001a3185c50023c0000000000000000003200b000a400"
      "78009c007400700084006c0068004800440040003c0094008c00380007002800"
      "1800140010000c0008007c003200000000000000a800000003000000a8000000"
      "d400000001000000000000000000000000000009010000000000000000000000"
      "00000008bc000000c4000000c8000000d0000000646464646464646464646464"
      "6464646464646464646464646464646464646464c400000034010000ec000000"
      "f80000000c0100000c0000000000000003dc207497010000056c50c4a0010000"
      "fcffffffffffffff02505c18a30100000168e5cf8b0100000000000004000000"
      "00ff7b7d020000001c000000040000000d000000323030313a6462383a3a2f33"
      "320000000a00000031302e302e302e302f38000006000000757365723a310000"
      "07000000726f7461746564000200000063690000060000006163636573730000"
      "12000000616e616c79746963616c2d656e67696e65730000020000001c000000"
      "040000000c00000077726974655f6275696c6473000000000b00000072656164"
      "5f6275696c6473000b000000323030313a6462383a3a31001000000054334a6e"
      "59573570656d463061573975000000000a0000006465706c6f79006b65790000"
      "00000a001000040008000c000a000000340000001c000000040000000f000000"
      "616461406578616d706c652e636f6d000c000000416461204c6f76656c616365"
      "0000000007000000757365723a343200";
  const Token token = FullToken();
  EXPECT_THAT(DecodeRecord(token.id, absl::HexStringToBytes(kRecord)),
              IsOkAndHolds(token));
}

// Scenario 27.
TEST(RecordCodecTest, AbsentTimesAreNotTheEpoch) {
  Token token = BareToken();
  token.expires_at = absl::UnixEpoch();
  token.last_accessed_at = absl::UnixEpoch();
  token.not_before = absl::UnixEpoch();
  token.revoked_at = absl::UnixEpoch();
  EXPECT_THAT(DecodeRecord(token.id, RecordOf(token)), IsOkAndHolds(token));
}

// Scenario 20.
TEST(RecordCodecTest, TimesAreRoundedAsNormalizeRoundsThem) {
  Token token = BareToken();
  const absl::Time fine =
      absl::FromUnixMillis(-1'700'000'000'123) + absl::Nanoseconds(1);
  token.created_at = fine;
  token.expires_at = fine;
  token.last_accessed_at = fine;
  token.not_before = fine;
  token.revoked_at = fine;
  EXPECT_THAT(DecodeRecord(token.id, RecordOf(token)),
              IsOkAndHolds(Normalize(token)));
}

TEST(RecordCodecTest, FirstAndLastTimesRoundTrip) {
  Token token = BareToken();
  token.created_at = FromMillis(kMinMillis);
  token.not_before = FromMillis(kMinMillis);
  token.expires_at = FromMillis(kMaxMillis);
  EXPECT_THAT(DecodeRecord(token.id, RecordOf(token)), IsOkAndHolds(token));
}

// RocksDB hands out values at any address.
TEST(RecordCodecTest, ReadsAtAnyAlignment) {
  const Token token = FullToken();
  const std::string record = RecordOf(token);
  for (size_t shift = 0; shift < 16; ++shift) {
    const std::string shifted = std::string(shift, 'x') + record;
    EXPECT_THAT(DecodeRecord(token.id, std::string_view(shifted).substr(shift)),
                IsOkAndHolds(token));
  }
}

// Scenario 18.
TEST(RecordCodecTest, RecordUpToItsLimitRoundTripsAndALargerOneIsRefused) {
  Token token = FullToken();
  token.metadata.clear();
  token.metadata.assign(Limits::kRecordBytes - RecordOf(token).size() - 16,
                        '\xA5');
  RecordEncoder encoder;
  absl::StatusOr<std::string_view> record = encoder.Encode(token);
  ASSERT_THAT(record, IsOk());
  EXPECT_GT(record->size(), Limits::kRecordBytes - 64);
  EXPECT_THAT(DecodeRecord(token.id, *record), IsOkAndHolds(token));
  token.metadata.append(64, '\xA5');
  ASSERT_LE(token.metadata.size(), Limits::kRecordBytes);
  EXPECT_THAT(encoder.Encode(token),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("Limits::kRecordBytes")));
}

TEST(RecordCodecTest, EveryChangeOfAByteIsDataLoss) {
  for (const Token& token : {FullToken(), BareToken()}) {
    std::string record = RecordOf(token);
    for (size_t i = 0; i < record.size(); ++i) {
      for (int mask = 1; mask < 256; ++mask) {
        record[i] = static_cast<char>(record[i] ^ mask);
        ASSERT_THAT(DecodeRecord(token.id, record),
                    StatusIs(absl::StatusCode::kDataLoss))
            << "byte " << i << " mask " << mask;
        record[i] = static_cast<char>(record[i] ^ mask);
      }
    }
    ASSERT_THAT(DecodeRecord(token.id, record), IsOkAndHolds(token));
  }
}

TEST(RecordCodecTest, EveryTruncationAndEveryLongerRecordIsDataLoss) {
  for (const Token& token : {FullToken(), BareToken()}) {
    const std::string record = RecordOf(token);
    for (size_t size = 0; size < record.size(); ++size) {
      // On the heap, so that a sanitizer sees a read beyond the end.
      const std::vector<char> cut(record.begin(), record.begin() + size);
      ASSERT_THAT(
          DecodeRecord(token.id, {cut.data(), cut.size()}),
          StatusIs(absl::StatusCode::kDataLoss, HasSubstr(token.id.ToString())))
          << size;
    }
    for (const char extra : {'\0', '\x01', '\xFF'}) {
      EXPECT_THAT(DecodeRecord(token.id, record + extra),
                  StatusIs(absl::StatusCode::kDataLoss));
    }
  }
}

TEST(RecordCodecTest, RecordUnderAnotherIdIsDataLoss) {
  const Token token = FullToken();
  const std::string record = RecordOf(token);
  std::array<char, TokenId::kSize> bytes;
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::memcpy(bytes.data(), token.id.bytes().data(), bytes.size());
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const TokenId other(bytes);
    EXPECT_THAT(
        DecodeRecord(other, record),
        StatusIs(absl::StatusCode::kDataLoss, HasSubstr(other.ToString())));
  }
}

// A malformed FlatBuffer behind a good checksum is a bug of a writer; it must
// be refused or read, but nothing may be read outside of it.
TEST(RecordCodecTest, ChangedBodyBehindAGoodChecksumIsHarmless) {
  const Token token = FullToken();
  const std::string record = RecordOf(token);
  int refused = 0;
  for (size_t i = kRecordHeaderBytes; i < record.size(); ++i) {
    for (int mask = 1; mask < 256; mask = 2 * mask + 1) {
      const auto byte = static_cast<char>(record[i] ^ mask);
      const std::string changed = Sealed(token.id, WithByte(record, i, byte));
      const absl::StatusOr<Token> read = DecodeRecord(token.id, changed);
      if (read.ok()) continue;
      ++refused;
      EXPECT_THAT(read, StatusIs(absl::StatusCode::kDataLoss));
    }
  }
  EXPECT_GT(refused, 0);
}

TEST(RecordCodecTest, TruncatedBodyBehindAGoodChecksumIsDataLoss) {
  const Token token = FullToken();
  const std::string record = RecordOf(token);
  // The last bytes may be padding, which no reader needs.
  for (size_t size = kRecordHeaderBytes; size + 8 < record.size(); ++size) {
    EXPECT_THAT(
        DecodeRecord(token.id, Sealed(token.id, record.substr(0, size))),
        StatusIs(absl::StatusCode::kDataLoss))
        << size;
  }
}

TEST(RecordCodecTest, OwnerWithoutIdIsDataLoss) {
  flatbuffers::FlatBufferBuilder builder;
  const auto name = builder.CreateString("Ada");
  const flatbuffers::uoffset_t start = builder.StartTable();
  builder.AddOffset(schema::Owner::VT_NAME, name);
  const flatbuffers::Offset<schema::Owner> owner(builder.EndTable(start));
  schema::TokenBuilder token(builder);
  token.add_owner(owner);
  builder.Finish(token.Finish());
  EXPECT_THAT(DecodeRecord(IdOf(1), RecordAround(IdOf(1), BodyOf(builder))),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("FlatBuffer")));
}

TEST(RecordCodecTest, HeaderThatContradictsTheBodyIsDataLoss) {
  const Token token = FullToken();
  std::string record = RecordOf(token);
  StoreBig64(&record[kExpiryOffset], OrderedMillis(kNever));
  EXPECT_THAT(DecodeRecord(token.id, Sealed(token.id, record)),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(token.id.ToString()),
                             HasSubstr("header contradicts"))));
}

TEST(RecordCodecTest, NewerFormatIsRefusedAsSuch) {
  const Token token = FullToken();
  for (const char format : {'\x02', '\x7F', '\xFF'}) {
    const std::string record = WithByte(RecordOf(token), 0, format);
    EXPECT_THAT(DecodeRecord(token.id, Sealed(token.id, record)),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         AllOf(HasSubstr(token.id.ToString()),
                               HasSubstr(absl::StrCat(
                                   "format ", static_cast<uint8_t>(format))))));
    EXPECT_THAT(DecodeRecord(token.id, record),
                StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST(RecordCodecTest, MalformedHeaderBehindAGoodChecksumIsDataLoss) {
  const Token token = FullToken();
  for (const auto& [position, byte] :
       {std::pair<size_t, char>{0, 0}, {2, 0}, {2, 2}, {2, 3}, {3, 1}}) {
    const std::string record = WithByte(RecordOf(token), position, byte);
    EXPECT_THAT(DecodeRecord(token.id, Sealed(token.id, record)),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("header")));
  }
}

// A later version's record: one field more than this library knows.
TEST(RecordCodecTest, RecordOfANewerSchemaIsReadAndKnownAsSuch) {
  constexpr flatbuffers::voffset_t kNextField = schema::Token::VT_VERSION + 2;
  flatbuffers::FlatBufferBuilder builder;
  const flatbuffers::uoffset_t start = builder.StartTable();
  builder.AddElement<int64_t>(schema::Token::VT_CREATED_AT, 1234, 0);
  builder.AddElement<uint64_t>(kNextField, 5678, 0);
  builder.Finish(flatbuffers::Offset<schema::Token>(builder.EndTable(start)));

  Token token = BareToken();
  token.created_at = absl::FromUnixMillis(1234);
  const std::string record =
      RecordAround(token.id, BodyOf(builder), kSchemaRevision + 1);
  EXPECT_THAT(DecodeRecord(token.id, record), IsOkAndHolds(token));
  EXPECT_TRUE(WrittenByNewerSchema(record));
  EXPECT_FALSE(WrittenByNewerSchema(RecordOf(token)));
}

// Fields at their defaults are not in the record at all.
TEST(RecordCodecTest, EmptyBodyReadsAsDefaults) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(schema::TokenBuilder(builder).Finish());
  Token token = BareToken();
  EXPECT_THAT(DecodeRecord(token.id, RecordAround(token.id, BodyOf(builder))),
              IsOkAndHolds(token));
}

}  // namespace
}  // namespace tokendb
