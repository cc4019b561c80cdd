#include "src/db/hot_writer.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/status_macros.h"
#include "src/model/liveness.h"
#include "src/model/record_codec.h"

namespace tokendb {
namespace {

// The row of `token`, or a new one. A damaged row is replaced: that is how it
// is mended.
HotRow RowOf(const Token& token, std::optional<std::string_view> value) {
  if (value.has_value()) {
    absl::StatusOr<HotRow> row = ParseHotRow(token.id, *value);
    if (row.ok() && row->IsOf(token)) return *std::move(row);
  }
  return HotRow::Of(token);
}

std::optional<Millis> LastUseOf(const Token& token, const HotRow& row) {
  std::optional<Millis> last = row.last_used;
  if (token.last_accessed_at.has_value()) {
    const Millis of_record = FloorToMillis(*token.last_accessed_at);
    last = std::max(last.value_or(of_record), of_record);
  }
  return last;
}

}  // namespace

absl::StatusOr<uint64_t> HotWriter::ChangeGroup(absl::Span<const TokenId> ids,
                                                Durability durability,
                                                Change change) {
  std::vector<std::string_view> keys;
  keys.reserve(ids.size());
  for (const TokenId& id : ids) keys.push_back(id.bytes());
  const StripeLock lock(stripes_, keys);
  const Millis now = clock_.Now();
  const Cutoff cutoff = retention_.At(now);
  ValueBatch records;
  store_.GetMany(nullptr, Family::kToken, keys, records);
  ValueBatch rows;
  store_.GetMany(nullptr, Family::kHot, keys, rows);
  Batch batch = store_.NewBatch();
  uint64_t changed = 0;
  std::string bytes;
  for (size_t i = 0; i < ids.size(); ++i) {
    ASSIGN_OR_RETURN(const auto record, records.Value(i));
    if (!record.has_value()) continue;
    // A damaged record is reported by whoever reads it.
    const absl::StatusOr<Token> token = DecodeRecord(ids[i], *record);
    if (!token.ok() || IsForgotten(ValidityOf(*token), cutoff)) continue;
    ASSIGN_OR_RETURN(const auto value, rows.Value(i));
    HotRow row = RowOf(*token, value);
    if (!change(i, *token, now, row)) continue;
    bytes.clear();
    AppendHotRow(bytes, ids[i], row);
    batch.Put(Family::kHot, ids[i].bytes(), bytes);
    ++changed;
  }
  if (changed > 0) RETURN_IF_ERROR(store_.Commit(batch, durability));
  return changed;
}

absl::StatusOr<uint64_t> HotWriter::WriteUses(absl::Span<const Use> uses,
                                              Millis resolution) {
  std::vector<TokenId> ids;
  ids.reserve(uses.size());
  for (const Use& use : uses) ids.push_back(use.id);
  return ChangeGroup(
      ids, Durability::kBuffered,
      [&](size_t i, const Token& token, Millis now, HotRow& row) {
        if (StateAt(ValidityOf(token), now) != TokenState::kLive) return false;
        const Millis at = std::min(uses[i].at, now);
        const std::optional<Millis> last = LastUseOf(token, row);
        if (last.has_value() && (at <= *last || at - *last < resolution)) {
          return false;
        }
        row.last_used = at;
        row.ip_address = uses[i].ip_address;
        return true;
      });
}

absl::StatusOr<uint64_t> HotWriter::MarkNotified(absl::Span<const TokenId> ids,
                                                 Millis window,
                                                 Durability durability) {
  std::vector<TokenId> unique(ids.begin(), ids.end());
  std::sort(unique.begin(), unique.end());
  unique.erase(std::unique(unique.begin(), unique.end()), unique.end());
  uint64_t marked = 0;
  for (absl::Span<const TokenId> rest = unique; !rest.empty();) {
    const auto group = rest.first(std::min(rest.size(), kGroup));
    ASSIGN_OR_RETURN(
        const uint64_t count,
        ChangeGroup(
            group, durability,
            [&](size_t /*i*/, const Token& token, Millis /*now*/, HotRow& row) {
              if (!token.expires_at.has_value() || row.IsNotifiedFor(window)) {
                return false;
              }
              row.notified = Notified{row.expires_at, window};
              return true;
            }));
    marked += count;
    rest.remove_prefix(group.size());
  }
  return marked;
}

}  // namespace tokendb
