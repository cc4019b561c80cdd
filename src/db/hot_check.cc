#include "src/db/hot_check.h"

#include <optional>
#include <utility>
#include <vector>

#include "src/base/status_macros.h"
#include "src/index/hot_row.h"
#include "src/index/keys.h"
#include "src/model/record_codec.h"

namespace tokendb {
namespace {

constexpr size_t kRowsPerRead = 1024;

using Kind = CheckProblem::Kind;
using Report = absl::FunctionRef<absl::Status(const Difference&)>;

struct Row {
  TokenId id;
  HotRow row;
};

bool IsForgotten(const HotRow& row, const Cutoff& cutoff) {
  return row.expires_at <= (row.revoked ? cutoff.revoked : cutoff.expired);
}

absl::Status CompareWithRecords(const ReadView& view,
                                const std::vector<Row>& rows, Report report) {
  std::vector<std::string_view> keys;
  keys.reserve(rows.size());
  for (const Row& row : rows) keys.push_back(row.id.bytes());
  ValueBatch records;
  view.store.GetMany(&view.snapshot, Family::kToken, keys, records);
  for (size_t i = 0; i < rows.size(); ++i) {
    ASSIGN_OR_RETURN(const auto record, records.Value(i));
    if (!record.has_value()) {
      RETURN_IF_ERROR(report({Kind::kStrayEntry, Family::kHot, keys[i],
                              rows[i].id, "it is of no record"}));
      continue;
    }
    // A record that is damaged has been reported itself.
    if (!IsIntactRecord(rows[i].id, *record)) continue;
    const std::optional<RecordHeader> header = PeekRecord(*record);
    if (!header.has_value() || header->expires_at != rows[i].row.expires_at ||
        header->revoked != rows[i].row.revoked) {
      RETURN_IF_ERROR(
          report({Kind::kWrongEntry, Family::kHot, keys[i], rows[i].id,
                  "its record has another expiry or revocation"}));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckHotRows(const ReadView& view, Report report) {
  if (!view.store.MayHold(Family::kHot)) return absl::OkStatus();
  Cursor cursor = view.store.NewCursor(&view.snapshot, Family::kHot, {},
                                       ScanKind::kWholeDatabase);
  std::vector<Row> rows;
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    if (cursor.key().size() != TokenId::kSize) {
      RETURN_IF_ERROR(report({Kind::kStrayEntry, Family::kHot, cursor.key(),
                              TokenId(), "the key is not an id"}));
      continue;
    }
    const TokenId id = IdFromBytes(cursor.key());
    absl::StatusOr<HotRow> row = ParseHotRow(id, cursor.value());
    if (!row.ok()) {
      RETURN_IF_ERROR(report({Kind::kWrongEntry, Family::kHot, cursor.key(), id,
                              row.status().ToString()}));
      continue;
    }
    if (IsForgotten(*row, view.cutoff)) continue;
    rows.push_back({id, *std::move(row)});
    if (rows.size() < kRowsPerRead) continue;
    RETURN_IF_ERROR(CompareWithRecords(view, rows, report));
    rows.clear();
  }
  RETURN_IF_ERROR(cursor.status());
  return CompareWithRecords(view, rows, report);
}

}  // namespace tokendb
