#include "src/db/change_rows.h"

#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"

namespace tokendb {

absl::StatusOr<std::optional<uint64_t>> ReadChangesRow(const Store& store,
                                                       const Snapshot* snapshot,
                                                       std::string_view key) {
  PinnedValue value;
  ASSIGN_OR_RETURN(const bool found,
                   store.Get(snapshot, Family::kMeta, key, value));
  if (!found) return std::nullopt;
  if (value.view().size() != sizeof(uint64_t)) {
    return absl::DataLossError(
        absl::StrCat("the kept ", AbslView(key), " is malformed"));
  }
  return LoadBig64(value.view().data());
}

}  // namespace tokendb
