#include "src/index/index_set.h"

namespace tokendb {

std::string_view OptionalIndexName(OptionalIndex index) {
  switch (index) {
    case OptionalIndex::kOrganization:
      return "organization";
    case OptionalIndex::kKind:
      return "kind";
  }
  return "unknown";
}

std::string_view IndexStateName(IndexState state) {
  switch (state) {
    case IndexState::kDisabled:
      return "disabled";
    case IndexState::kWriteOnly:
      return "write-only";
    case IndexState::kReadable:
      return "readable";
  }
  return "unknown";
}

IndexKind KindOf(OptionalIndex index) {
  return index == OptionalIndex::kOrganization ? IndexKind::kOrganization
                                               : IndexKind::kKind;
}

std::string IndexSet::PrefixOf(OptionalIndex index) const {
  return IndexPrefix(KindOf(index), Of(index).generation);
}

std::string IndexSet::TermPrefix(OptionalIndex index,
                                 std::string_view text) const {
  std::string prefix = PrefixOf(index);
  AppendTextTerm(prefix, text);
  return prefix;
}

std::optional<OptionalIndex> IndexSet::OptionalOf(std::string_view key) {
  if (key.size() < kIndexPrefixBytes) return std::nullopt;
  for (const OptionalIndex index : kOptionalIndexes) {
    if (key[1] == static_cast<char>(KindOf(index))) return index;
  }
  return std::nullopt;
}

bool IndexSet::IsRetired(std::string_view key) const {
  const std::optional<OptionalIndex> index = OptionalOf(key);
  if (!index.has_value()) return false;
  const auto generation = static_cast<uint8_t>(key[0]);
  return generation > 0 && generation < Of(*index).FirstInUse();
}

bool IndexSet::IsIncomplete(std::string_view key) const {
  const std::optional<OptionalIndex> index = OptionalOf(key);
  return index.has_value() && Of(*index).state == IndexState::kWriteOnly &&
         static_cast<uint8_t>(key[0]) == Of(*index).generation;
}

// An index that becomes readable between the two looks may be incomplete in
// the snapshot, and one that is dropped there may no longer be written: only
// if the set is the same before and after does it hold for the snapshot.
IndexedSnapshot TakeIndexedSnapshot(const Store& store,
                                    const SharedIndexSet& shared,
                                    Millis as_of) {
  while (true) {
    std::shared_ptr<const IndexSet> indexes = shared.Get();
    Snapshot snapshot = store.TakeSnapshot(as_of);
    if (shared.Get() == indexes) {
      return {std::move(indexes), std::move(snapshot)};
    }
  }
}

}  // namespace tokendb
