#include "src/db/repair.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/db/check.h"
#include "src/db/counter_check.h"
#include "src/index/entries.h"
#include "src/index/hot_row.h"
#include "src/model/record_codec.h"

namespace tokendb {
namespace {

constexpr size_t kStepEntries = 256;

using Kind = CheckProblem::Kind;

// Takes differences, and puts them right a step at a time. The comparison that
// found them is of an earlier moment: under the locks that changes take,
// records and entries are read again, and what they say then is done.
class Repairer {
 public:
  explicit Repairer(const RepairTarget& target)
      : target_(target), store_(target.store) {}

  absl::Status Add(const Difference& difference);
  // The differences taken so far.
  absl::Status Finish() { return RepairStep(); }

  RepairReport& report() { return report_; }

 private:
  // A difference that waits for its step.
  struct Waiting {
    Kind kind;
    Family family;
    std::string key;
    TokenId id;
    std::string detail;
  };
  enum class Outcome : uint8_t { kNothingToDo, kRepaired, kCannotBe };

  // Reports it as not repaired, and `why`, if that is not empty.
  void Leave(const Waiting& waiting, std::string_view why);
  absl::Status RepairStep();
  absl::StatusOr<Outcome> RepairEntry(const Waiting& waiting, Batch& batch);
  absl::StatusOr<Outcome> RepairHotRow(const Token& token, Batch& batch);
  absl::StatusOr<Outcome> RemoveEntry(const Waiting& waiting, Batch& batch);
  absl::StatusOr<Outcome> PutEntry(const Entry& entry, const TokenId& id,
                                   Batch& batch);
  absl::StatusOr<bool> MayTakeDigest(std::string_view digest,
                                     std::string_view row, const TokenId& id);
  absl::Status RepairRecord(const Waiting& waiting);

  // Nothing if there is no such record, DataLoss if it cannot be read.
  absl::StatusOr<std::optional<Token>> ReadRecord(const TokenId& id);
  absl::StatusOr<std::vector<Entry>> Derive(const Token& token);

  const RepairTarget& target_;
  Store& store_;
  RepairReport report_;
  bool any_unreadable_ = false;  // Known before strays are.
  std::vector<Waiting> step_;
  absl::flat_hash_set<std::string> keys_in_step_;
};

void Repairer::Leave(const Waiting& waiting, std::string_view why) {
  if (++report_.unrepaired_found > kMaxProblems) return;
  report_.unrepaired.push_back(ProblemOf(
      {waiting.kind, waiting.family, waiting.key, waiting.id, waiting.detail}));
  if (why.empty()) return;
  absl::StrAppend(&report_.unrepaired.back().detail, "; ", AbslView(why));
}

absl::Status Repairer::Add(const Difference& difference) {
  Waiting waiting{difference.kind, difference.family,
                  std::string(difference.key), difference.id,
                  difference.detail};
  switch (difference.family) {
    case Family::kToken:
      if (difference.kind == Kind::kUnknownScope) return RepairRecord(waiting);
      any_unreadable_ = true;
      Leave(waiting, "");
      return absl::OkStatus();
    case Family::kIndex:
      break;
    case Family::kDigest:
      if (difference.id.IsNil() && any_unreadable_ &&
          difference.key.size() == Digest::kSize) {
        Leave(waiting, "it may be of a record that cannot be read");
        return absl::OkStatus();
      }
      break;
    case Family::kHot:
      break;
    case Family::kMeta:
    case Family::kStat:
    case Family::kChange:
      // Nothing here is derived from one record. A family that is gets its
      // repair in RepairEntry().
      Leave(waiting, "");
      return absl::OkStatus();
  }
  // A step reads what the one before has written, but nothing of its own.
  const bool again = !keys_in_step_.insert(waiting.key).second;
  if (again || step_.size() == kStepEntries) {
    RETURN_IF_ERROR(RepairStep());
    keys_in_step_.insert(waiting.key);
  }
  step_.push_back(std::move(waiting));
  return absl::OkStatus();
}

absl::Status Repairer::RepairStep() {
  const std::vector<Waiting> step = std::exchange(step_, {});
  keys_in_step_.clear();
  if (step.empty()) return absl::OkStatus();
  std::vector<std::string_view> keys;
  for (const Waiting& waiting : step) {
    keys.push_back(waiting.id.bytes());
    if (waiting.family == Family::kDigest) keys.push_back(waiting.key);
  }
  const StripeLock lock(target_.stripes, keys);
  Batch batch = store_.NewBatch();
  uint64_t repaired = 0;
  for (const Waiting& waiting : step) {
    ASSIGN_OR_RETURN(const Outcome outcome, RepairEntry(waiting, batch));
    if (outcome == Outcome::kRepaired) ++repaired;
    if (outcome == Outcome::kCannotBe) {
      Leave(waiting, "another record has it, or cannot be read");
    }
  }
  if (batch.IsEmpty()) return absl::OkStatus();
  RETURN_IF_ERROR(store_.Commit(batch, Durability::kSync));
  report_.repaired += repaired;
  return absl::OkStatus();
}

absl::StatusOr<Repairer::Outcome> Repairer::RepairEntry(const Waiting& waiting,
                                                        Batch& batch) {
  if (waiting.id.IsNil()) return RemoveEntry(waiting, batch);
  const absl::StatusOr<std::optional<Token>> token = ReadRecord(waiting.id);
  if (absl::IsDataLoss(token.status())) return Outcome::kCannotBe;
  RETURN_IF_ERROR(token.status());
  if (!token->has_value()) return RemoveEntry(waiting, batch);
  if (waiting.family == Family::kHot) return RepairHotRow(**token, batch);
  ASSIGN_OR_RETURN(const std::vector<Entry> entries, Derive(**token));
  const auto entry =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& each) {
        return each.family == waiting.family && each.key == waiting.key;
      });
  if (entry == entries.end()) return RemoveEntry(waiting, batch);
  return PutEntry(*entry, waiting.id, batch);
}

// What it repeats of its record is put right. A damaged row proves no use, and
// goes.
absl::StatusOr<Repairer::Outcome> Repairer::RepairHotRow(const Token& token,
                                                         Batch& batch) {
  PinnedValue value;
  ASSIGN_OR_RETURN(const bool found,
                   store_.Get(nullptr, Family::kHot, token.id.bytes(), value));
  if (!found) return Outcome::kNothingToDo;
  absl::StatusOr<HotRow> row = ParseHotRow(token.id, value.view());
  if (!row.ok()) {
    batch.Delete(Family::kHot, token.id.bytes());
    return Outcome::kRepaired;
  }
  if (row->IsOf(token)) return Outcome::kNothingToDo;
  const HotRow bare = HotRow::Of(token);
  row->expires_at = bare.expires_at;
  row->revoked = bare.revoked;
  std::string bytes;
  AppendHotRow(bytes, token.id, *row);
  batch.Put(Family::kHot, token.id.bytes(), bytes);
  return Outcome::kRepaired;
}

// The record that `waiting` is of does not have the entry: if it is there and
// names that record, or none, it is nobody's.
absl::StatusOr<Repairer::Outcome> Repairer::RemoveEntry(const Waiting& waiting,
                                                        Batch& batch) {
  PinnedValue value;
  ASSIGN_OR_RETURN(const bool found,
                   store_.Get(nullptr, waiting.family, waiting.key, value));
  if (!found) return Outcome::kNothingToDo;
  const TokenId named =
      IdNamedBy(waiting.family, waiting.key, value.view()).value_or(TokenId());
  // A change since has put a row of another token there.
  if (!named.IsNil() && named != waiting.id) return Outcome::kNothingToDo;
  batch.Delete(waiting.family, waiting.key);
  return Outcome::kRepaired;
}

absl::StatusOr<Repairer::Outcome> Repairer::PutEntry(const Entry& entry,
                                                     const TokenId& id,
                                                     Batch& batch) {
  PinnedValue value;
  ASSIGN_OR_RETURN(const bool found,
                   store_.Get(nullptr, entry.family, entry.key, value));
  if (found && value.view() == entry.value) return Outcome::kNothingToDo;
  if (found && entry.family == Family::kDigest) {
    ASSIGN_OR_RETURN(const bool may,
                     MayTakeDigest(entry.key, value.view(), id));
    if (!may) return Outcome::kCannotBe;
  }
  batch.Put(entry.family, entry.key, entry.value);
  return Outcome::kRepaired;
}

// Whether the present row of a digest may become that of `id`, whose record has
// the digest: not if it names another record that has it too, or that cannot be
// read. The lock of the digest keeps it from getting there meanwhile.
absl::StatusOr<bool> Repairer::MayTakeDigest(std::string_view digest,
                                             std::string_view row,
                                             const TokenId& id) {
  const std::optional<TokenId> named = IdNamedBy(Family::kDigest, digest, row);
  if (!named.has_value() || *named == id) return true;
  const absl::StatusOr<std::optional<Token>> other = ReadRecord(*named);
  if (absl::IsDataLoss(other.status())) return false;
  RETURN_IF_ERROR(other.status());
  return !other->has_value() || !(*other)->digest.has_value() ||
         (*other)->digest->bytes() != digest;
}

// A record with a scope that had no number. None of its entries were compared.
absl::Status Repairer::RepairRecord(const Waiting& waiting) {
  RETURN_IF_ERROR(RepairStep());
  std::string digest;  // The record's, once it is known.
  while (true) {
    const std::vector<std::string_view> keys = {waiting.id.bytes(), digest};
    const StripeLock lock(target_.stripes, keys);
    const auto read = ReadRecord(waiting.id);
    if (absl::IsDataLoss(read.status())) {
      Leave(waiting, "its record cannot be read");
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(read.status());
    const std::optional<Token>& token = *read;
    if (!token.has_value()) return absl::OkStatus();
    if (token->digest.has_value() && !lock.Covers(token->digest->bytes())) {
      digest = token->digest->bytes();
      continue;
    }
    ASSIGN_OR_RETURN(const std::vector<Entry> entries, Derive(*token));
    Batch batch = store_.NewBatch();
    bool complete = true;
    for (const Entry& entry : entries) {
      ASSIGN_OR_RETURN(const Outcome outcome,
                       PutEntry(entry, waiting.id, batch));
      complete &= outcome != Outcome::kCannotBe;
    }
    if (!complete) Leave(waiting, "another record has its digest");
    if (batch.IsEmpty()) return absl::OkStatus();
    RETURN_IF_ERROR(store_.Commit(batch, Durability::kSync));
    ++report_.repaired;
    return absl::OkStatus();
  }
}

absl::StatusOr<std::optional<Token>> Repairer::ReadRecord(const TokenId& id) {
  PinnedValue value;
  ASSIGN_OR_RETURN(const bool found,
                   store_.Get(nullptr, Family::kToken, id.bytes(), value));
  if (!found) return std::nullopt;
  ASSIGN_OR_RETURN(Token token, DecodeRecord(id, value.view()));
  return token;
}

absl::StatusOr<std::vector<Entry>> Repairer::Derive(const Token& token) {
  ASSIGN_OR_RETURN(const ScopeNumbers numbers,
                   target_.scopes.NumbersOf(token.scopes));
  return EntriesOf(token, numbers, *target_.indexes.Get());
}

}  // namespace

absl::StatusOr<RepairReport> RepairStore(
    const RepairTarget& target, const ReadView& view, Millis now,
    const std::function<void(uint64_t)>& progress) {
  Repairer repairer(target);
  ASSIGN_OR_RETURN(
      const Compared compared,
      FindDifferences(view, progress, [&](const Difference& difference) {
        return repairer.Add(difference);
      }));
  RETURN_IF_ERROR(repairer.Finish());
  RepairReport& report = repairer.report();
  report.records = compared.records;
  // What an unreadable record counts for is not known.
  if (compared.unreadable == 0) {
    ASSIGN_OR_RETURN(report.counters, RepairCounters(target.store, view, now));
  }
  return std::move(report);
}

}  // namespace tokendb
