#include "src/db/check.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/db/change_check.h"
#include "src/db/counter_check.h"
#include "src/index/digest_row.h"
#include "src/index/entries.h"
#include "src/index/entry_expiry.h"
#include "src/index/keys.h"
#include "src/model/record_codec.h"

namespace tokendb {
namespace {

constexpr size_t kMaxProblems = 1000;
constexpr size_t kEntriesPerRead = 1024;
constexpr uint64_t kRecordsPerProgress = 10000;

// Two passes: records to entries, then entries to records. The keys of all
// derived entries differ, so that when each was found and the families hold no
// more than those, no stray one can be there and the second pass only counts.
class Checker {
 public:
  Checker(const ReadView& view, Millis now,
          const std::function<void(uint64_t)>& progress)
      : view_(view),
        now_(now),
        store_(view.store),
        scopes_(view.scopes),
        progress_(progress),
        snapshot_(view.snapshot),
        cutoff_(view.cutoff) {}

  absl::StatusOr<CheckReport> Run() {
    RETURN_IF_ERROR(CheckRecords());
    RETURN_IF_ERROR(CountEntries());
    if (report_.entries != found_) {
      RETURN_IF_ERROR(FindStrays(Family::kIndex));
      RETURN_IF_ERROR(FindStrays(Family::kDigest));
    }
    RETURN_IF_ERROR(CompareCounters());
    RETURN_IF_ERROR(FindWrongChanges(
        store_, snapshot_, [this](std::string_view key, std::string detail) {
          Report(CheckProblem::Kind::kWrongEntry, Family::kChange, key,
                 std::move(detail));
        }));
    return std::move(report_);
  }

 private:
  void Report(CheckProblem::Kind kind, Family family, std::string_view key,
              std::string detail) {
    if (kind == CheckProblem::Kind::kUnreadableRecord) ++unreadable_;
    if (++report_.problems_found > kMaxProblems) return;
    report_.problems.push_back(
        {kind, std::string(FamilyName(family)), Hex(key), std::move(detail)});
  }

  Cursor WholeFamily(Family family) const {
    return store_.NewCursor(&snapshot_, family, {}, ScanKind::kWholeDatabase);
  }

  // Records and entries that may be dropped at any time: some are, others are
  // not yet. They must not be held against each other.
  bool IsForgotten(Family family, const Cursor& cursor) const {
    const std::optional<EntryExpiry> expiry =
        kEntryReader.expiry(family, cursor.key(), cursor.value());
    return expiry.has_value() && expiry->IsForgotten(cutoff_) &&
           kEntryReader.intact(family, cursor.key(), cursor.value());
  }

  absl::Status CheckRecords();
  void DeriveEntries(const TokenId& id, std::string_view value);
  absl::Status CompareDerived();
  absl::Status CompareFamily(Family family);
  absl::Status CountEntries();
  absl::Status CompareCounters();
  absl::Status FindStrays(Family family);

  const ReadView& view_;
  const Millis now_;
  const Store& store_;
  const ScopeDictionary& scopes_;
  const std::function<void(uint64_t)>& progress_;
  const Snapshot& snapshot_;
  const Cutoff cutoff_;
  CheckReport report_;
  std::vector<Entry> derived_;  // Not yet compared.
  uint64_t unreadable_ = 0;     // Records.
  uint64_t found_ = 0;          // Derived entries that are there.
};

absl::Status Checker::CheckRecords() {
  Cursor cursor = WholeFamily(Family::kToken);
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    if (IsForgotten(Family::kToken, cursor)) continue;
    ++report_.records;
    if (cursor.key().size() != TokenId::kSize) {
      Report(CheckProblem::Kind::kUnreadableRecord, Family::kToken,
             cursor.key(), "the key is not an id");
      continue;
    }
    DeriveEntries(IdFromBytes(cursor.key()), cursor.value());
    if (derived_.size() >= kEntriesPerRead) RETURN_IF_ERROR(CompareDerived());
    if (progress_ && report_.records % kRecordsPerProgress == 0) {
      progress_(report_.records);
    }
  }
  RETURN_IF_ERROR(cursor.status());
  RETURN_IF_ERROR(CompareDerived());
  if (progress_) progress_(report_.records);
  return absl::OkStatus();
}

void Checker::DeriveEntries(const TokenId& id, std::string_view value) {
  const absl::StatusOr<Token> token = DecodeRecord(id, value);
  if (!token.ok()) {
    Report(CheckProblem::Kind::kUnreadableRecord, Family::kToken, id.bytes(),
           token.status().ToString());
    return;
  }
  const ScopeNumbers numbers = scopes_.Known(token->scopes);
  if (numbers.size() != token->scopes.size()) {
    Report(CheckProblem::Kind::kUnknownScope, Family::kToken, id.bytes(),
           "a scope of the record is not in the dictionary");
    return;
  }
  for (Entry& entry : EntriesOf(*token, numbers)) {
    derived_.push_back(std::move(entry));
  }
}

absl::Status Checker::CompareDerived() {
  RETURN_IF_ERROR(CompareFamily(Family::kIndex));
  RETURN_IF_ERROR(CompareFamily(Family::kDigest));
  derived_.clear();
  return absl::OkStatus();
}

absl::Status Checker::CompareFamily(Family family) {
  std::vector<const Entry*> entries;
  std::vector<std::string_view> keys;
  for (const Entry& entry : derived_) {
    if (entry.family != family) continue;
    entries.push_back(&entry);
    keys.push_back(entry.key);
  }
  ValueBatch values;
  store_.GetMany(&snapshot_, family, keys, values);
  for (size_t i = 0; i < entries.size(); ++i) {
    ASSIGN_OR_RETURN(const auto value, values.Value(i));
    if (!value.has_value()) {
      Report(CheckProblem::Kind::kMissingEntry, family, keys[i],
             "a record has this entry, the index does not");
      continue;
    }
    ++found_;
    if (*value != entries[i]->value) {
      Report(CheckProblem::Kind::kWrongEntry, family, keys[i],
             absl::StrCat("holds ", Hex(*value), ", its record says ",
                          Hex(entries[i]->value)));
    }
  }
  return absl::OkStatus();
}

absl::Status Checker::CountEntries() {
  for (const Family family : {Family::kIndex, Family::kDigest}) {
    Cursor cursor = WholeFamily(family);
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
      if (!IsForgotten(family, cursor)) ++report_.entries;
    }
    RETURN_IF_ERROR(cursor.status());
  }
  return absl::OkStatus();
}

// What an unreadable record counts for is not known.
absl::Status Checker::CompareCounters() {
  if (unreadable_ > 0) return absl::OkStatus();
  return FindWrongCounters(
      view_, now_, [this](const WrongCounter& wrong) -> absl::Status {
        Report(CheckProblem::Kind::kWrongCounter, Family::kStat, wrong.key,
               absl::StrCat("counts ", wrong.actual, ", the records ",
                            wrong.expected));
        return absl::OkStatus();
      });
}

absl::Status Checker::FindStrays(Family family) {
  Cursor cursor = WholeFamily(family);
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    if (IsForgotten(family, cursor)) continue;
    TokenId id;
    if (family == Family::kIndex && IsIndexKey(cursor.key())) {
      id = IdOf(cursor.key());
    } else if (family == Family::kDigest &&
               cursor.key().size() == Digest::kSize) {
      std::array<char, Digest::kSize> bytes;
      std::copy(cursor.key().begin(), cursor.key().end(), bytes.begin());
      const absl::StatusOr<DigestRow> row =
          ParseDigestRow(Digest(bytes), cursor.value());
      // A damaged row of a record has been reported as a wrong entry.
      if (row.ok()) id = row->id;
    }
    PinnedValue record;
    ASSIGN_OR_RETURN(const bool found, store_.Get(&snapshot_, Family::kToken,
                                                  id.bytes(), record));
    if (!found) {
      Report(CheckProblem::Kind::kStrayEntry, family, cursor.key(),
             id.IsNil() ? "it names no record"
                        : absl::StrCat("there is no token ", id.ToString()));
      continue;
    }
    const absl::StatusOr<Token> token = DecodeRecord(id, record.view());
    if (!token.ok()) continue;  // Reported with the record.
    const std::vector<Entry> entries =
        EntriesOf(*token, scopes_.Known(token->scopes));
    const bool derived =
        std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) {
          return entry.family == family && entry.key == cursor.key();
        });
    if (!derived) {
      Report(CheckProblem::Kind::kStrayEntry, family, cursor.key(),
             absl::StrCat("the record of token ", id.ToString(),
                          " has no such entry"));
    }
  }
  return cursor.status();
}

}  // namespace

std::string_view CheckProblemKindName(CheckProblem::Kind kind) {
  switch (kind) {
    case CheckProblem::Kind::kUnreadableRecord:
      return "unreadable_record";
    case CheckProblem::Kind::kMissingEntry:
      return "missing_entry";
    case CheckProblem::Kind::kWrongEntry:
      return "wrong_entry";
    case CheckProblem::Kind::kStrayEntry:
      return "stray_entry";
    case CheckProblem::Kind::kWrongCounter:
      return "wrong_counter";
    case CheckProblem::Kind::kUnknownScope:
      return "unknown_scope";
  }
  return "unknown";
}

absl::StatusOr<CheckReport> CheckStore(
    const ReadView& view, Millis now,
    const std::function<void(uint64_t)>& progress) {
  return Checker(view, now, progress).Run();
}

}  // namespace tokendb
