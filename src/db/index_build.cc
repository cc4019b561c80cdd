// One step of adding an index.
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/status_macros.h"
#include "src/db/index_catalog.h"
#include "src/index/entries.h"
#include "src/index/keys.h"
#include "src/model/liveness.h"
#include "src/model/record_codec.h"

namespace tokendb {
namespace {

// The ids of up to `most` records behind `last`.
absl::StatusOr<std::vector<TokenId>> IdsAfter(const Store& store,
                                              const TokenId& last,
                                              size_t most) {
  std::string lower(last.bytes());
  lower.push_back('\0');
  Cursor cursor =
      store.NewCursor(nullptr, Family::kToken, {std::move(lower), {}},
                      ScanKind::kWholeDatabase);
  std::vector<TokenId> ids;
  for (cursor.SeekToFirst(); cursor.Valid() && ids.size() < most;
       cursor.Next()) {
    // A record under another key has no id that an entry could name.
    if (cursor.key().size() != TokenId::kSize) continue;
    ids.push_back(IdFromBytes(cursor.key()));
  }
  RETURN_IF_ERROR(cursor.status());
  return ids;
}

}  // namespace

absl::StatusOr<bool> IndexCatalog::BuildStep(OptionalIndex index, size_t most) {
  Row row = RowOf(index);
  ASSIGN_OR_RETURN(const std::vector<TokenId> ids,
                   IdsAfter(store_, row.last, most));
  if (ids.empty()) return false;
  std::vector<std::string_view> keys;
  keys.reserve(ids.size());
  for (const TokenId& id : ids) keys.push_back(id.bytes());
  Batch batch = store_.NewBatch();
  const StripeLock lock(sources_.stripes, keys);
  const std::shared_ptr<const IndexSet> indexes = sets_.Get();
  const std::string prefix = indexes->PrefixOf(index);
  // The one on disk: what is forgotten by it will always be.
  const Cutoff cutoff = sources_.retention.kept();
  ValueBatch records;
  store_.GetMany(nullptr, Family::kToken, keys, records);
  for (size_t i = 0; i < ids.size(); ++i) {
    ASSIGN_OR_RETURN(const auto record, records.Value(i));
    if (!record.has_value()) continue;
    // What an unreadable record would be indexed under is not known: leaving it
    // out would answer queries without it.
    ASSIGN_OR_RETURN(const Token token, DecodeRecord(ids[i], *record));
    if (IsForgotten(ValidityOf(token), cutoff)) continue;
    ASSIGN_OR_RETURN(const ScopeNumbers scopes,
                     sources_.scopes.NumbersOf(token.scopes));
    ForEachEntry(
        token, scopes, *indexes,
        [&](Family family, std::string_view key, std::string_view value) {
          if (family != Family::kIndex || !key.starts_with(prefix)) return;
          batch.Put(family, key, value);
        });
  }
  row.last = ids.back();
  row.built += ids.size();
  RETURN_IF_ERROR(Commit(batch, index, row, Durability::kBuffered));
  return ids.size() == most;
}

}  // namespace tokendb
