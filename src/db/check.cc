#include "src/db/check.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/db/change_check.h"
#include "src/db/counter_check.h"
#include "src/db/hot_check.h"
#include "src/index/digest_row.h"
#include "src/index/entries.h"
#include "src/index/entry_expiry.h"
#include "src/index/keys.h"
#include "src/model/record_codec.h"

namespace tokendb {
namespace {

constexpr size_t kEntriesPerRead = 1024;
constexpr uint64_t kRecordsPerProgress = 10000;

using Sink = absl::FunctionRef<absl::Status(const Difference&)>;

// Two passes: records to entries, then entries to records. The keys of all
// derived entries differ, so that when each was found and the families hold no
// more than those, no stray one can be there and the second pass only counts.
class Checker {
 public:
  Checker(const ReadView& view, const std::function<void(uint64_t)>& progress,
          Sink report)
      : view_(view),
        store_(view.store),
        scopes_(view.scopes),
        progress_(progress),
        report_(report),
        snapshot_(view.snapshot),
        cutoff_(view.cutoff) {}

  absl::StatusOr<Compared> Run() {
    RETURN_IF_ERROR(CheckRecords());
    RETURN_IF_ERROR(CountEntries());
    if (compared_.entries != found_) {
      RETURN_IF_ERROR(FindStrays(Family::kIndex));
      RETURN_IF_ERROR(FindStrays(Family::kDigest));
    }
    RETURN_IF_ERROR(CheckHotRows(view_, report_));
    RETURN_IF_ERROR(FindWrongChanges(
        store_, snapshot_, [this](std::string_view key, std::string detail) {
          return report_({CheckProblem::Kind::kWrongEntry, Family::kChange, key,
                          TokenId(), std::move(detail)});
        }));
    return compared_;
  }

 private:
  // An entry that the record of a token has.
  struct Derived {
    Entry entry;
    TokenId id;
  };

  absl::Status Unreadable(std::string_view key, const TokenId& id,
                          std::string detail) {
    ++compared_.unreadable;
    return report_({CheckProblem::Kind::kUnreadableRecord, Family::kToken, key,
                    id, std::move(detail)});
  }

  Cursor WholeFamily(Family family) const {
    return store_.NewCursor(&snapshot_, family, {}, ScanKind::kWholeDatabase);
  }

  // Of an index that was dropped: compactions take it away some time.
  bool IsRetired(Family family, std::string_view key) const {
    return family == Family::kIndex && view_.indexes->IsRetired(key);
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
  absl::Status DeriveEntries(const TokenId& id, std::string_view value);
  absl::Status CompareDerived();
  absl::Status CompareFamily(Family family);
  absl::Status CompareValue(const Derived& derived, std::string_view value);
  absl::Status CountEntries();
  absl::Status FindStrays(Family family);
  absl::Status CheckEntry(Family family, const Cursor& cursor);

  const ReadView& view_;
  const Store& store_;
  const ScopeDictionary& scopes_;
  const std::function<void(uint64_t)>& progress_;
  const Sink report_;
  const Snapshot& snapshot_;
  const Cutoff cutoff_;
  Compared compared_;
  std::vector<Derived> derived_;  // Not yet compared.
  uint64_t found_ = 0;            // Derived entries that are there.
};

absl::Status Checker::CheckRecords() {
  Cursor cursor = WholeFamily(Family::kToken);
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    if (IsForgotten(Family::kToken, cursor)) continue;
    ++compared_.records;
    if (cursor.key().size() != TokenId::kSize) {
      RETURN_IF_ERROR(
          Unreadable(cursor.key(), TokenId(), "the key is not an id"));
      continue;
    }
    RETURN_IF_ERROR(DeriveEntries(IdFromBytes(cursor.key()), cursor.value()));
    if (derived_.size() >= kEntriesPerRead) RETURN_IF_ERROR(CompareDerived());
    if (progress_ && compared_.records % kRecordsPerProgress == 0) {
      progress_(compared_.records);
    }
  }
  RETURN_IF_ERROR(cursor.status());
  RETURN_IF_ERROR(CompareDerived());
  if (progress_) progress_(compared_.records);
  return absl::OkStatus();
}

absl::Status Checker::DeriveEntries(const TokenId& id, std::string_view value) {
  const absl::StatusOr<Token> token = DecodeRecord(id, value);
  if (!token.ok()) {
    return Unreadable(id.bytes(), id, token.status().ToString());
  }
  const ScopeNumbers numbers = scopes_.Known(token->scopes);
  if (numbers.size() != token->scopes.size()) {
    return report_({CheckProblem::Kind::kUnknownScope, Family::kToken,
                    id.bytes(), id,
                    "a scope of the record is not in the dictionary"});
  }
  for (Entry& entry : EntriesOf(*token, numbers, *view_.indexes)) {
    derived_.push_back({std::move(entry), id});
  }
  return absl::OkStatus();
}

absl::Status Checker::CompareDerived() {
  RETURN_IF_ERROR(CompareFamily(Family::kIndex));
  RETURN_IF_ERROR(CompareFamily(Family::kDigest));
  derived_.clear();
  return absl::OkStatus();
}

absl::Status Checker::CompareFamily(Family family) {
  std::vector<const Derived*> wanted;
  std::vector<std::string_view> keys;
  for (const Derived& derived : derived_) {
    if (derived.entry.family != family) continue;
    wanted.push_back(&derived);
    keys.push_back(derived.entry.key);
  }
  ValueBatch values;
  store_.GetMany(&snapshot_, family, keys, values);
  for (size_t i = 0; i < wanted.size(); ++i) {
    ASSIGN_OR_RETURN(const auto value, values.Value(i));
    if (value.has_value()) {
      RETURN_IF_ERROR(CompareValue(*wanted[i], *value));
      continue;
    }
    // An index that is being built has it or not.
    if (family == Family::kIndex && view_.indexes->IsIncomplete(keys[i])) {
      continue;
    }
    RETURN_IF_ERROR(report_({CheckProblem::Kind::kMissingEntry, family, keys[i],
                             wanted[i]->id,
                             "a record has this entry, the index does not"}));
  }
  return absl::OkStatus();
}

absl::Status Checker::CompareValue(const Derived& derived,
                                   std::string_view value) {
  const auto& [family, key, expected] = derived.entry;
  // Another record may have the same digest, against the rule.
  const std::optional<TokenId> named = IdNamedBy(family, key, value);
  if (!named.has_value() || *named == derived.id) ++found_;
  if (value == expected) return absl::OkStatus();
  return report_({CheckProblem::Kind::kWrongEntry, family, key, derived.id,
                  absl::StrCat("holds ", Hex(value), ", its record says ",
                               Hex(expected))});
}

absl::Status Checker::CountEntries() {
  for (const Family family : {Family::kIndex, Family::kDigest}) {
    Cursor cursor = WholeFamily(family);
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
      if (IsRetired(family, cursor.key()) || IsForgotten(family, cursor)) {
        continue;
      }
      ++compared_.entries;
    }
    RETURN_IF_ERROR(cursor.status());
  }
  return absl::OkStatus();
}

absl::Status Checker::FindStrays(Family family) {
  Cursor cursor = WholeFamily(family);
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    if (IsRetired(family, cursor.key()) || IsForgotten(family, cursor)) {
      continue;
    }
    RETURN_IF_ERROR(CheckEntry(family, cursor));
  }
  return cursor.status();
}

absl::Status Checker::CheckEntry(Family family, const Cursor& cursor) {
  const auto stray = [&](const TokenId& id, std::string detail) {
    return report_({CheckProblem::Kind::kStrayEntry, family, cursor.key(), id,
                    std::move(detail)});
  };
  // A damaged row of a record has been reported as a wrong entry.
  const std::optional<TokenId> id =
      IdNamedBy(family, cursor.key(), cursor.value());
  if (!id.has_value()) return stray(TokenId(), "it names no record");
  PinnedValue record;
  ASSIGN_OR_RETURN(const bool found,
                   store_.Get(&snapshot_, Family::kToken, id->bytes(), record));
  if (!found) {
    return stray(*id, absl::StrCat("there is no token ", id->ToString()));
  }
  const absl::StatusOr<Token> token = DecodeRecord(*id, record.view());
  if (!token.ok()) return absl::OkStatus();  // Reported with the record.
  const std::vector<Entry> entries =
      EntriesOf(*token, scopes_.Known(token->scopes), *view_.indexes);
  const bool derived =
      std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) {
        return entry.family == family && entry.key == cursor.key();
      });
  if (derived) return absl::OkStatus();
  return stray(*id, absl::StrCat("the record of token ", id->ToString(),
                                 " has no such entry"));
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

std::optional<TokenId> IdNamedBy(Family family, std::string_view key,
                                 std::string_view value) {
  if (family == Family::kIndex && IsIndexKey(key)) return IdOf(key);
  if (family != Family::kDigest || key.size() != Digest::kSize) {
    return std::nullopt;
  }
  const absl::StatusOr<DigestRow> row =
      ParseDigestRow(DigestFromBytes(key), value);
  if (!row.ok()) return std::nullopt;
  return row->id;
}

CheckProblem ProblemOf(const Difference& difference) {
  return {difference.kind, std::string(FamilyName(difference.family)),
          Hex(difference.key), difference.detail};
}

absl::StatusOr<Compared> FindDifferences(
    const ReadView& view, const std::function<void(uint64_t)>& progress,
    absl::FunctionRef<absl::Status(const Difference&)> report) {
  return Checker(view, progress, report).Run();
}

absl::StatusOr<CheckReport> CheckStore(
    const ReadView& view, Millis now,
    const std::function<void(uint64_t)>& progress) {
  CheckReport report;
  const auto keep = [&](const Difference& difference) {
    if (++report.problems_found <= kMaxProblems) {
      report.problems.push_back(ProblemOf(difference));
    }
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(const Compared compared,
                   FindDifferences(view, progress, keep));
  report.records = compared.records;
  report.entries = compared.entries;
  // What an unreadable record counts for is not known.
  if (compared.unreadable > 0) return report;
  RETURN_IF_ERROR(FindWrongCounters(view, now, [&](const WrongCounter& wrong) {
    return keep({CheckProblem::Kind::kWrongCounter, Family::kStat, wrong.key,
                 TokenId(),
                 absl::StrCat("counts ", wrong.actual, ", the records ",
                              wrong.expected)});
  }));
  return report;
}

}  // namespace tokendb
