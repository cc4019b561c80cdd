#include "src/model/record_codec.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/utility/utility.h"
#include "flatbuffers/flatbuffers.h"
#include "src/base/coding.h"
#include "src/base/crc32c.h"
#include "src/base/status_macros.h"
#include "src/model/liveness.h"
#include "token_generated.h"

namespace tokendb {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

constexpr size_t kRevisionOffset = 1;
constexpr size_t kFlagsOffset = 2;
constexpr size_t kZeroOffset = 3;
constexpr size_t kCrcOffset = 4;
constexpr size_t kExpiryOffset = 8;
constexpr uint8_t kRevokedFlag = 1;
constexpr size_t kBuilderBytes = 1024;

// Records up to this size are read from an aligned buffer on the stack.
constexpr size_t kStackBytes = 1024;

// Covers the id too, so that a record under another's key is found out.
uint32_t CrcOf(const TokenId& id, std::string_view value) {
  uint32_t crc = ExtendCrc32c(0, id.bytes());
  crc = ExtendCrc32c(crc, value.substr(0, kCrcOffset));
  return ExtendCrc32c(crc, value.substr(kExpiryOffset));
}

absl::Status Damaged(const TokenId& id, const char* what) {
  return absl::DataLossError(
      absl::StrCat("record of token ", id.ToString(), ": ", what));
}

Offset<flatbuffers::String> TextOrNull(FlatBufferBuilder& builder,
                                       const std::string& text) {
  return text.empty() ? Offset<flatbuffers::String>()
                      : builder.CreateString(text);
}

using Texts = flatbuffers::Vector<Offset<flatbuffers::String>>;

Offset<Texts> TextsOrNull(FlatBufferBuilder& builder,
                          const std::vector<std::string>& texts) {
  return texts.empty() ? Offset<Texts>() : builder.CreateVectorOfStrings(texts);
}

template <typename Struct>
Struct StructOf(std::string_view bytes) {
  Struct result;
  static_assert(sizeof(Struct) == 16 || sizeof(Struct) == 32);
  std::memcpy(&result, bytes.data(), sizeof(result));
  return result;
}

template <typename Id, typename Struct>
std::optional<Id> IdOrNone(const Struct* bytes) {
  if (bytes == nullptr) return std::nullopt;
  std::array<char, Id::kSize> copy;
  std::memcpy(copy.data(), bytes, copy.size());
  return Id(copy);
}

// Sets `out`, which is empty, to a text that may be absent.
void ReadText(const flatbuffers::String* text, std::string& out) {
  if (text != nullptr) out.assign(text->data(), text->size());
}

std::vector<std::string> TextsOf(const Texts* texts) {
  std::vector<std::string> result;
  if (texts == nullptr) return result;
  result.reserve(texts->size());
  for (const flatbuffers::String* text : *texts) {
    result.emplace_back(text->data(), text->size());
  }
  return result;
}

std::optional<absl::Time> TimeOf(flatbuffers::Optional<int64_t> millis) {
  if (!millis.has_value()) return std::nullopt;
  return FromMillis(*millis);
}

// Sets `token`, a new one, in place: a token takes long to move.
void ReadToken(const TokenId& id, const schema::Token& in, Token& token) {
  token.id = id;
  ReadText(in.node_id(), token.node_id);
  token.digest = IdOrNone<Digest>(in.digest());
  if (const schema::Owner* const owner = in.owner(); owner != nullptr) {
    token.owner.emplace();
    ReadText(owner->id(), token.owner->id);
    ReadText(owner->name(), token.owner->name);
    ReadText(owner->email(), token.owner->email);
  }
  ReadText(in.description(), token.description);
  token.scopes = TextsOf(in.scopes());
  token.created_at = FromMillis(in.created_at());
  token.expires_at = TimeOf(in.expires_at());
  token.last_accessed_at = TimeOf(in.last_accessed_at());
  ReadText(in.ip_address(), token.ip_address);
  ReadText(in.organization(), token.organization);
  ReadText(in.kind(), token.kind);
  ReadText(in.name(), token.name);
  token.not_before = TimeOf(in.not_before());
  token.revoked_at = TimeOf(in.revoked_at());
  ReadText(in.revoked_reason(), token.revoked_reason);
  token.enabled = in.enabled();
  token.family_id = IdOrNone<TokenId>(in.family_id());
  token.parent_id = IdOrNone<TokenId>(in.parent_id());
  ReadText(in.created_by(), token.created_by);
  token.allowed_cidrs = TextsOf(in.allowed_cidrs());
  token.pepper_version = in.pepper_version();
  if (in.metadata() != nullptr) {
    token.metadata.assign(in.metadata()->begin(), in.metadata()->end());
  }
  token.version = in.version();
}

absl::Status CheckHeader(const TokenId& id, std::string_view value) {
  if (value.size() <= kRecordHeaderBytes) return Damaged(id, "it is cut off");
  uint32_t crc = 0;
  std::memcpy(&crc, &value[kCrcOffset], sizeof(crc));
  if (crc != CrcOf(id, value)) return Damaged(id, "its checksum is wrong");
  const auto format = static_cast<uint8_t>(value[0]);
  if (format > kRecordFormat) {
    return absl::FailedPreconditionError(
        absl::StrCat("record of token ", id.ToString(), " has format ", format,
                     "; this library knows formats up to ", kRecordFormat));
  }
  const auto flags = static_cast<uint8_t>(value[kFlagsOffset]);
  if (format != kRecordFormat || (flags & ~kRevokedFlag) != 0 ||
      value[kZeroOffset] != 0) {
    return Damaged(id, "its header is malformed");
  }
  return absl::OkStatus();
}

}  // namespace

class RecordEncoder::Builder {
 public:
  void Build(const Token& token);

  FlatBufferBuilder body{kBuilderBytes};
  std::string record;
};

void RecordEncoder::Builder::Build(const Token& token) {
  body.Clear();
  Offset<schema::Owner> owner;
  if (token.owner.has_value()) {
    const auto id = body.CreateString(token.owner->id);
    const auto name = TextOrNull(body, token.owner->name);
    const auto email = TextOrNull(body, token.owner->email);
    owner = schema::CreateOwner(body, id, name, email);
  }
  const auto description = TextOrNull(body, token.description);
  const auto node_id = TextOrNull(body, token.node_id);
  const auto ip_address = TextOrNull(body, token.ip_address);
  const auto scopes = TextsOrNull(body, token.scopes);
  const auto organization = TextOrNull(body, token.organization);
  const auto kind = TextOrNull(body, token.kind);
  const auto name = TextOrNull(body, token.name);
  const auto reason = TextOrNull(body, token.revoked_reason);
  const auto created_by = TextOrNull(body, token.created_by);
  const auto cidrs = TextsOrNull(body, token.allowed_cidrs);
  Offset<flatbuffers::Vector<uint8_t>> metadata;
  if (!token.metadata.empty()) {
    metadata = body.CreateVector(
        reinterpret_cast<const uint8_t*>(token.metadata.data()),
        token.metadata.size());
  }
  const Validity validity = ValidityOf(token);

  schema::TokenBuilder out(body);
  out.add_created_at(FloorToMillis(token.created_at));
  if (token.expires_at.has_value()) out.add_expires_at(validity.expires_at);
  if (token.not_before.has_value()) out.add_not_before(validity.not_before);
  if (token.revoked_at.has_value()) out.add_revoked_at(validity.revoked_at);
  if (token.last_accessed_at.has_value()) {
    out.add_last_accessed_at(FloorToMillis(*token.last_accessed_at));
  }
  out.add_version(token.version);
  out.add_description(description);
  out.add_node_id(node_id);
  out.add_ip_address(ip_address);
  out.add_owner(owner);
  out.add_scopes(scopes);
  if (token.digest.has_value()) {
    const auto digest = StructOf<schema::Sha256>(token.digest->bytes());
    out.add_digest(&digest);
  }
  out.add_organization(organization);
  out.add_kind(kind);
  out.add_name(name);
  out.add_revoked_reason(reason);
  if (token.family_id.has_value()) {
    const auto family = StructOf<schema::Uuid>(token.family_id->bytes());
    out.add_family_id(&family);
  }
  if (token.parent_id.has_value()) {
    const auto parent = StructOf<schema::Uuid>(token.parent_id->bytes());
    out.add_parent_id(&parent);
  }
  out.add_created_by(created_by);
  out.add_allowed_cidrs(cidrs);
  out.add_pepper_version(token.pepper_version);
  out.add_metadata(metadata);
  out.add_enabled(token.enabled);
  body.Finish(out.Finish());
}

RecordEncoder::RecordEncoder() : builder_(std::make_unique<Builder>()) {}
RecordEncoder::~RecordEncoder() = default;

absl::StatusOr<std::string_view> RecordEncoder::Encode(const Token& token) {
  builder_->Build(token);
  const std::string_view body(
      reinterpret_cast<const char*>(builder_->body.GetBufferPointer()),
      builder_->body.GetSize());
  if (kRecordHeaderBytes + body.size() > Limits::kRecordBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the record has ", kRecordHeaderBytes + body.size(),
        " bytes, more than Limits::kRecordBytes (", Limits::kRecordBytes, ")"));
  }
  std::string& record = builder_->record;
  record.assign(kRecordHeaderBytes, '\0');
  record[0] = static_cast<char>(kRecordFormat);
  record[kRevisionOffset] = static_cast<char>(kSchemaRevision);
  const Validity validity = ValidityOf(token);
  if (validity.revoked_at != kNever) {
    record[kFlagsOffset] = static_cast<char>(kRevokedFlag);
  }
  StoreBig64(&record[kExpiryOffset], OrderedMillis(validity.expires_at));
  record.append(body);
  const uint32_t crc = CrcOf(token.id, record);
  std::memcpy(&record[kCrcOffset], &crc, sizeof(crc));
  return record;
}

absl::StatusOr<Token> DecodeRecord(const TokenId& id, std::string_view value) {
  RETURN_IF_ERROR(CheckHeader(id, value));
  // FlatBuffers reads numbers in place: they must be aligned, which RocksDB
  // does not promise and the verifier does not test.
  const std::string_view body = value.substr(kRecordHeaderBytes);
  alignas(std::max_align_t) std::array<uint8_t, kStackBytes> stack;
  std::unique_ptr<uint8_t[]> heap;
  uint8_t* aligned = stack.data();
  if (body.size() > stack.size()) {
    heap.reset(new uint8_t[body.size()]);
    aligned = heap.get();
  }
  std::memcpy(aligned, body.data(), body.size());
  flatbuffers::Verifier verifier(aligned, body.size());
  if (!verifier.VerifyBuffer<schema::Token>(nullptr)) {
    return Damaged(id, "its FlatBuffer is malformed");
  }
  absl::StatusOr<Token> token{absl::in_place};
  ReadToken(id, *flatbuffers::GetRoot<schema::Token>(aligned), *token);
  const Validity validity = ValidityOf(*token);
  const std::optional<RecordHeader> header = PeekRecord(value);
  if (header->expires_at != validity.expires_at ||
      header->revoked != (validity.revoked_at != kNever)) {
    return Damaged(id, "its header contradicts it");
  }
  return token;
}

std::optional<RecordHeader> PeekRecord(std::string_view value) {
  if (value.size() < kRecordHeaderBytes) return std::nullopt;
  const auto flags = static_cast<uint8_t>(value[kFlagsOffset]);
  return RecordHeader{
      .expires_at = FromOrderedMillis(LoadBig64(&value[kExpiryOffset])),
      .revoked = (flags & kRevokedFlag) != 0};
}

bool IsIntactRecord(const TokenId& id, std::string_view value) {
  return CheckHeader(id, value).ok();
}

bool WrittenByNewerSchema(std::string_view value) {
  return static_cast<uint8_t>(value[kRevisionOffset]) > kSchemaRevision;
}

}  // namespace tokendb
