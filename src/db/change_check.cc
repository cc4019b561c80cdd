#include "src/db/change_check.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/db/change_rows.h"
#include "src/index/change_row.h"

namespace tokendb {

absl::Status FindWrongChanges(
    const Store& store, const Snapshot& snapshot,
    absl::FunctionRef<absl::Status(std::string_view key, std::string detail)>
        report) {
  ASSIGN_OR_RETURN(const auto kept,
                   ReadChangesRow(store, &snapshot, kChangesReservedKey));
  const uint64_t reserved = kept.value_or(0);
  Cursor cursor =
      store.NewCursor(&snapshot, Family::kChange, {}, ScanKind::kWholeDatabase);
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    const absl::Status status =
        ParseChangeRow(cursor.key(), cursor.value()).status();
    if (!status.ok()) {
      RETURN_IF_ERROR(report(cursor.key(), status.ToString()));
      continue;
    }
    ASSIGN_OR_RETURN(const uint64_t number, ParseChangeKey(cursor.key()));
    if (number <= reserved) continue;
    RETURN_IF_ERROR(
        report(cursor.key(),
               absl::StrCat("change ", number,
                            " is above the reserved numbers, ", reserved)));
  }
  return cursor.status();
}

}  // namespace tokendb
