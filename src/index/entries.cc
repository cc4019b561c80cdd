#include "src/index/entries.h"

#include <algorithm>
#include <tuple>

#include "src/index/cover.h"
#include "src/index/digest_row.h"
#include "src/index/keys.h"

namespace tokendb {
namespace {

const std::string& TextOf(const Token& token, OptionalIndex index) {
  return index == OptionalIndex::kOrganization ? token.organization
                                               : token.kind;
}

}  // namespace

void ForEachEntry(const Token& token, absl::Span<const uint32_t> scopes,
                  const IndexSet& indexes,
                  absl::FunctionRef<void(Family, std::string_view key,
                                         std::string_view value)>
                      emit) {
  const Millis expires_at = ValidityOf(token).expires_at;
  std::string cover;
  AppendCover(cover, token, scopes, CoverScopes::kUpToMaximum);
  std::string key;
  const auto emit_index = [&](IndexKind kind, auto append_term,
                              uint8_t generation = kFirstGeneration) {
    key.clear();
    AppendIndexPrefix(key, kind, generation);
    append_term();
    AppendKeyTail(key, expires_at, token.id);
    emit(Family::kIndex, key, cover);
  };

  emit_index(IndexKind::kOwner, [&] {
    AppendOwnerTerm(key, token.owner.has_value()
                             ? std::optional<std::string_view>(token.owner->id)
                             : std::nullopt);
  });
  if (scopes.empty()) {
    emit_index(IndexKind::kScope, [&] { AppendBig32(key, kNoScope); });
  }
  for (const uint32_t scope : scopes) {
    emit_index(IndexKind::kScope, [&] { AppendBig32(key, scope); });
  }
  emit_index(IndexKind::kExpiry, [] {});
  emit_index(IndexKind::kCreation, [&] {
    AppendCreationTerm(key, FloorToMillis(token.created_at), token.id);
  });
  for (const OptionalIndex index : kOptionalIndexes) {
    if (!indexes.IsWritten(index)) continue;
    const std::string& text = TextOf(token, index);
    emit_index(
        KindOf(index), [&] { AppendTextTerm(key, text); },
        indexes.Of(index).generation);
  }
  if (token.digest.has_value()) {
    std::string row;
    AppendDigestRow(row, token, scopes);
    emit(Family::kDigest, token.digest->bytes(), row);
  }
}

std::vector<Entry> EntriesOf(const Token& token,
                             absl::Span<const uint32_t> scopes,
                             const IndexSet& indexes) {
  std::vector<Entry> entries;
  entries.reserve(scopes.size() + 5 + kOptionalIndexes.size());
  ForEachEntry(
      token, scopes, indexes,
      [&](Family family, std::string_view key, std::string_view value) {
        entries.push_back({family, std::string(key), std::string(value)});
      });
  std::sort(entries.begin(), entries.end());
  return entries;
}

void WriteDifference(absl::Span<const Entry> before,
                     absl::Span<const Entry> after, Batch& batch) {
  const auto place = [](const Entry& entry) {
    return std::tie(entry.family, entry.key);
  };
  size_t i = 0;
  for (const Entry& entry : after) {
    for (; i < before.size() && place(before[i]) < place(entry); ++i) {
      batch.Delete(before[i].family, before[i].key);
    }
    const bool same_place =
        i < before.size() && place(before[i]) == place(entry);
    if (!same_place || before[i].value != entry.value) {
      batch.Put(entry.family, entry.key, entry.value);
    }
    if (same_place) ++i;
  }
  for (; i < before.size(); ++i) batch.Delete(before[i].family, before[i].key);
}

}  // namespace tokendb
