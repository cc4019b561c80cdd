#include "src/index/entry_expiry.h"

#include <string>
#include <utility>

#include "src/index/counters.h"
#include "src/index/cover.h"
#include "src/index/digest_row.h"
#include "src/index/hot_row.h"
#include "src/index/keys.h"
#include "src/model/record_codec.h"

namespace tokendb {
namespace {

using Revoked = EntryExpiry::Revoked;

Revoked RevokedIf(bool revoked) {
  return revoked ? Revoked::kYes : Revoked::kNo;
}

absl::StatusOr<DigestRow> ReadDigestRow(std::string_view key,
                                        std::string_view value) {
  if (key.size() != Digest::kSize) {
    return absl::DataLossError("a key is not a digest");
  }
  return ParseDigestRow(DigestFromBytes(key), value);
}

absl::StatusOr<HotRow> ReadHotRow(std::string_view key,
                                  std::string_view value) {
  if (key.size() != TokenId::kSize) {
    return absl::DataLossError("a key is not an id");
  }
  return ParseHotRow(IdFromBytes(key), value);
}

std::optional<EntryExpiry> ReadExpiry(Family family, std::string_view key,
                                      std::string_view value) {
  switch (family) {
    case Family::kToken: {
      const std::optional<RecordHeader> header = PeekRecord(value);
      if (!header.has_value()) return std::nullopt;
      return EntryExpiry{header->expires_at, RevokedIf(header->revoked)};
    }
    case Family::kDigest: {
      const absl::StatusOr<DigestRow> row = ReadDigestRow(key, value);
      if (!row.ok()) return std::nullopt;
      return EntryExpiry{row->validity.expires_at,
                         RevokedIf(row->validity.revoked_at != kNever)};
    }
    case Family::kIndex: {
      Cover cover;
      if (!IsIndexKey(key) || !ParseCover(value, cover)) return std::nullopt;
      return EntryExpiry{ExpiryOf(key),
                         RevokedIf(cover.validity.revoked_at != kNever)};
    }
    case Family::kStat: {
      const std::optional<Millis> expires_at = CounterExpiry(key);
      if (!expires_at.has_value()) return std::nullopt;
      return EntryExpiry{*expires_at, Revoked::kUnknown};
    }
    case Family::kHot: {
      const absl::StatusOr<HotRow> row = ReadHotRow(key, value);
      if (!row.ok()) return std::nullopt;
      return EntryExpiry{row->expires_at, RevokedIf(row->revoked)};
    }
    case Family::kMeta:
    case Family::kChange:  // Dropped by their numbers.
      return std::nullopt;
  }
  return std::nullopt;
}

bool IsIntact(Family family, std::string_view key, std::string_view value) {
  switch (family) {
    case Family::kToken:
      return key.size() == TokenId::kSize &&
             IsIntactRecord(IdFromBytes(key), value);
    case Family::kDigest:  // Read whole, checksum and all, for its expiry.
    case Family::kHot:     // Likewise.
    case Family::kMeta:
    case Family::kIndex:
    case Family::kStat:
    case Family::kChange:
      return true;
  }
  return false;
}

// All entries of a term share what precedes the expiry.
std::string FirstRemembered(std::string_view index_key, const Cutoff& cutoff) {
  std::string key(index_key.substr(0, index_key.size() - kKeyTailBytes));
  AppendBig64(key, OrderedMillis(cutoff.Earlier() + 1));
  return key > index_key ? key : std::string(index_key) + '\0';
}

}  // namespace

const EntryReader kEntryReader = {.expiry = ReadExpiry,
                                  .intact = IsIntact,
                                  .first_remembered = FirstRemembered};

std::vector<KeyRange> ForgottenRanges(const Cutoff& cutoff, uint32_t scopes) {
  std::vector<std::string> terms = {IndexPrefix(IndexKind::kExpiry)};
  for (uint32_t scope = kNoScope; scope <= scopes; ++scope) {
    terms.push_back(ScopePrefix(scope));
  }
  std::vector<KeyRange> ranges;
  ranges.reserve(terms.size());
  for (std::string& term : terms) {
    std::string upper = term;
    AppendBig64(upper, OrderedMillis(cutoff.Earlier() + 1));
    ranges.push_back({std::move(term), std::move(upper)});
  }
  return ranges;
}

}  // namespace tokendb
