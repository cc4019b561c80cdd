#include "tokendb/bulk_load.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/db/database_impl.h"
#include "src/db/prepare.h"
#include "src/index/counters.h"
#include "src/index/entries.h"
#include "src/index/keys.h"
#include "src/model/record_codec.h"
#include "src/storage/add_operator.h"
#include "src/storage/store_loader.h"
#include "tokendb/db.h"

namespace tokendb {
namespace {

constexpr uint64_t kTokensPerProgress = 4096;

// What is sorted apart, so that two threads share the work: each index, too,
// has keys that lie within no other. Those of optional ones follow all others.
enum Section : size_t {
  kRecords,
  kDigests,
  kOwners,
  kScopes,
  kExpiries,
  kCreations,
  kOptionals,
  kCounters,
};
constexpr std::array kSectionFamilies = {
    Family::kToken, Family::kDigest, Family::kIndex, Family::kIndex,
    Family::kIndex, Family::kIndex,  Family::kIndex, Family::kStat};

Section SectionOf(Family family, std::string_view key) {
  if (family == Family::kDigest) return kDigests;
  switch (static_cast<IndexKind>(key[kIndexPrefixBytes - 1])) {
    case IndexKind::kOwner:
      return kOwners;
    case IndexKind::kScope:
      return kScopes;
    case IndexKind::kExpiry:
      return kExpiries;
    case IndexKind::kCreation:
      return kCreations;
    case IndexKind::kOrganization:
    case IndexKind::kKind:
      return kOptionals;
  }
  return kOptionals;
}

absl::Status CheckEmpty(const Store& store) {
  Cursor records = store.NewCursor(nullptr, Family::kToken, {});
  records.SeekToFirst();
  RETURN_IF_ERROR(records.status());
  return records.Valid()
             ? absl::FailedPreconditionError(
                   "the database holds tokens; a bulk load needs an empty one")
             : absl::OkStatus();
}

}  // namespace

class BulkLoader::Impl {
 public:
  Impl(std::unique_ptr<Database> database, BulkLoadOptions options)
      : options_(std::move(options)), database_(std::move(database)) {}

  absl::Status Start();
  absl::Status Add(const Token& token, uint64_t label);
  absl::StatusOr<BulkLoadReport> Finish();
  const Database& database() const { return *database_; }

 private:
  Database::Impl& parts() { return *database_->impl_; }
  absl::Status AddEntries(const Token& token, std::string_view record,
                          Millis now, uint64_t label);
  absl::StatusOr<StoreLoader::Result> Publish();
  absl::Status Duplicate(Family family, std::string_view key, uint64_t label,
                         uint64_t other_label) const;
  void Report(BulkLoadProgress::Phase phase, uint64_t built);
  std::string TextOf(uint64_t label) const {
    return options_.label_text ? options_.label_text(label)
                               : absl::StrCat("token ", label);
  }

  const BulkLoadOptions options_;
  const std::string one_ = EncodeCount(1);
  RecordEncoder encoder_;
  uint64_t tokens_ = 0;
  uint64_t forgotten_ = 0;
  uint64_t entries_ = 0;
  absl::Status ended_;  // Why there is nothing to go on with.
  std::unique_ptr<Database> database_;
  std::shared_ptr<const IndexSet> indexes_;  // Nobody can change them.
  std::unique_ptr<StoreLoader> loader_;      // Goes before the database.
};

absl::Status BulkLoader::Impl::Start() {
  RETURN_IF_ERROR(CheckEmpty(*parts().store));
  indexes_ = parts().indexes->sets().Get();
  ASSIGN_OR_RETURN(
      loader_,
      StoreLoader::Create(
          *parts().store,
          {.memory_bytes = options_.memory_bytes,
           .sections = {kSectionFamilies.begin(), kSectionFamilies.end()},
           .duplicate =
               [this](Family family, std::string_view key, uint64_t label,
                      uint64_t other_label) {
                 return Duplicate(family, key, label, other_label);
               },
           .stop = options_.stop}));
  return absl::OkStatus();
}

void BulkLoader::Impl::Report(BulkLoadProgress::Phase phase, uint64_t built) {
  if (!options_.progress) return;
  options_.progress({.phase = phase,
                     .tokens = tokens_,
                     .built_entries = built,
                     .entries = std::max(entries_, built)});
}

absl::Status BulkLoader::Impl::AddEntries(const Token& token,
                                          std::string_view record, Millis now,
                                          uint64_t label) {
  if (options_.stop != nullptr && options_.stop->load()) {
    return absl::CancelledError("the load was interrupted");
  }
  ASSIGN_OR_RETURN(const ScopeNumbers scopes,
                   parts().scopes->NumbersOf(token.scopes));
  absl::Status status =
      loader_->Add(kRecords, {token.id.bytes(), record, label});
  ++entries_;
  ForEachEntry(
      token, scopes, *indexes_,
      [&](Family family, std::string_view key, std::string_view value) {
        status.Update(
            loader_->Add(SectionOf(family, key), {key, value, label}));
        ++entries_;
      });
  // Summed when they are merged: sums in memory before that would take longer.
  ForEachCounter(token, scopes, now, [&](std::string_view key) {
    status.Update(loader_->Add(kCounters, {key, one_, label}));
  });
  return status;
}

absl::Status BulkLoader::Impl::Add(const Token& token, uint64_t label) {
  RETURN_IF_ERROR(ended_);
  const Millis now = parts().clock.Now();
  const absl::StatusOr<Token> prepared =
      PrepareToken(token, now, parts().retention.At(now));
  if (absl::IsOutOfRange(prepared.status())) {
    ++forgotten_;
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(prepared.status());
  ASSIGN_OR_RETURN(const std::string_view record, encoder_.Encode(*prepared));
  ended_ = AddEntries(*prepared, record, now, label);
  RETURN_IF_ERROR(ended_);
  if (++tokens_ % kTokensPerProgress == 0) {
    Report(BulkLoadProgress::Phase::kReading, 0);
  }
  return absl::OkStatus();
}

absl::Status BulkLoader::Impl::Duplicate(Family family, std::string_view key,
                                         uint64_t label,
                                         uint64_t other_label) const {
  // A digest is named as far as it is anywhere.
  constexpr size_t kShownBytes = 4;
  const std::string what =
      family == Family::kDigest
          ? absl::StrCat("the digest ", Hex(key.substr(0, kShownBytes)), "...")
          : absl::StrCat("the id ", IdOf(key).ToString());
  return absl::AlreadyExistsError(absl::StrCat(
      what, " came twice: ", TextOf(label), " and ", TextOf(other_label)));
}

absl::StatusOr<StoreLoader::Result> BulkLoader::Impl::Publish() {
  // The feed does not tell of loaded tokens: who follows it must read them.
  RETURN_IF_ERROR(parts().changes.BeginAnew());
  uint64_t built = 0;
  return loader_->Finish(
      [&](uint64_t entries) {
        built = entries;
        Report(BulkLoadProgress::Phase::kBuilding, built);
      },
      [&] { Report(BulkLoadProgress::Phase::kPublishing, built); });
}

absl::StatusOr<BulkLoadReport> BulkLoader::Impl::Finish() {
  RETURN_IF_ERROR(ended_);
  ended_ = absl::FailedPreconditionError("the load has ended");
  const absl::StatusOr<StoreLoader::Result> result = Publish();
  loader_.reset();
  RETURN_IF_ERROR(result.status());
  return BulkLoadReport{.tokens = tokens_,
                        .forgotten = forgotten_,
                        .entries = result->entries,
                        .files = result->files,
                        .bytes = result->bytes};
}

BulkLoader::BulkLoader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

BulkLoader::~BulkLoader() = default;

absl::StatusOr<std::unique_ptr<BulkLoader>> BulkLoader::Open(
    std::string_view path, const OpenOptions& open_options,
    const BulkLoadOptions& options) {
  OpenOptions only_to_load = open_options;
  only_to_load.reclaim.automatic = false;
  only_to_load.verify.mode = VerifyMode::kOff;
  ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                   Database::Open(path, only_to_load));
  auto impl = std::make_unique<Impl>(std::move(database), options);
  RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<BulkLoader>(new BulkLoader(std::move(impl)));
}

absl::Status BulkLoader::Add(const Token& token, uint64_t label) {
  return impl_->Add(token, label);
}

absl::StatusOr<BulkLoadReport> BulkLoader::Finish() { return impl_->Finish(); }

absl::Time BulkLoader::Now() const { return impl_->database().Now(); }

}  // namespace tokendb
