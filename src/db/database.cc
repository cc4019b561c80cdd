// The facade: each method takes the time and a snapshot, and calls down.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "src/base/status_macros.h"
#include "src/db/change_feed.h"
#include "src/db/check.h"
#include "src/db/counter_check.h"
#include "src/db/database_impl.h"
#include "src/db/expiry_feed.h"
#include "src/db/repair.h"
#include "src/index/digest_row.h"
#include "src/index/entry_expiry.h"
#include "src/index/hot_row.h"
#include "src/index/scope_dictionary.h"
#include "src/model/record_codec.h"
#include "src/query/run.h"
#include "src/storage/store.h"
#include "tokendb/db.h"

namespace tokendb {
namespace {

constexpr std::string_view kFormatKey = "format";
constexpr uint32_t kFormatVersion = 1;

// There once the counters have been.
constexpr std::string_view kCountersKey = "counters";

// Tells the format of a new, empty store, and tests that of another.
absl::Status CheckFormat(Store& store) {
  PinnedValue value;
  ASSIGN_OR_RETURN(const bool found,
                   store.Get(nullptr, Family::kMeta, kFormatKey, value));
  if (!found) {
    Cursor records = store.NewCursor(nullptr, Family::kToken, {});
    records.SeekToFirst();
    RETURN_IF_ERROR(records.status());
    if (records.Valid()) {
      return absl::DataLossError("the database does not say its format");
    }
    std::string version;
    AppendBig32(version, kFormatVersion);
    Batch batch = store.NewBatch();
    batch.Put(Family::kMeta, kFormatKey, version);
    return store.Commit(batch, Durability::kSync);
  }
  if (value.view().size() != sizeof(uint32_t)) {
    return absl::DataLossError("the database's format is malformed");
  }
  const uint32_t version = LoadBig32(value.view().data());
  if (version == kFormatVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the database has format ", version,
                   "; this library knows format ", kFormatVersion));
}

absl::Status CheckId(const TokenId& id) {
  return id.IsNil() ? absl::InvalidArgumentError("the id is nil")
                    : absl::OkStatus();
}

}  // namespace

absl::Status Database::Impl::CountIfUncounted() {
  PinnedValue value;
  ASSIGN_OR_RETURN(const bool counted,
                   store->Get(nullptr, Family::kMeta, kCountersKey, value));
  if (counted) return absl::OkStatus();
  const Moment moment(*this);
  RETURN_IF_ERROR(RepairCounters(*store, moment.view, moment.now).status());
  Batch batch = store->NewBatch();
  batch.Put(Family::kMeta, kCountersKey, "");
  return store->Commit(batch, Durability::kSync);
}

absl::StatusOr<std::optional<Token>> Database::Impl::FindByDigest(
    const Snapshot* snapshot, const Digest& digest) {
  PinnedValue value;
  ASSIGN_OR_RETURN(const bool known, store->Get(snapshot, Family::kDigest,
                                                digest.bytes(), value));
  if (!known) return std::nullopt;
  ASSIGN_OR_RETURN(const DigestRow row, ParseDigestRow(digest, value.view()));
  if (IsForgottenNow(row.validity)) return std::nullopt;
  ASSIGN_OR_RETURN(const bool found,
                   store->Get(snapshot, Family::kToken, row.id.bytes(), value));
  if (!found) return std::nullopt;
  ASSIGN_OR_RETURN(Token token, DecodeRecord(row.id, value.view()));
  if (token.digest != digest) return std::nullopt;
  RETURN_IF_ERROR(OverlayHotRow(*store, snapshot, token).status());
  return token;
}

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Database::~Database() {
  impl_->touches.reset();
  impl_->reclaimer.reset();
  // If it fails, the time kept is at most a second older.
  impl_->clock.Save().IgnoreError();
  // If that fails, the next opening reads all rows.
  if (impl_->verify != nullptr) impl_->verify->Save().IgnoreError();
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(
    std::string_view path, const OpenOptions& options) {
  RETURN_IF_ERROR(CheckTouchOptions(options.touch));
  ASSIGN_OR_RETURN(std::unique_ptr<Store> store,
                   Store::Open(path, options, kEntryReader));
  absl::StatusOr<VerifyFile> kept =
      VerifyFile::Take(store->VerifyFilePath(), store->opened_state());
  RETURN_IF_ERROR(CheckFormat(*store));
  auto impl = std::make_unique<Impl>(std::move(store), options.clock == nullptr
                                                           ? *Clock::System()
                                                           : *options.clock);
  RETURN_IF_ERROR(impl->clock.Load());
  RETURN_IF_ERROR(impl->retention.Load(options));
  RETURN_IF_ERROR(impl->changes.Load(options));
  ASSIGN_OR_RETURN(impl->scopes, ScopeDictionary::Load(*impl->store));
  ASSIGN_OR_RETURN(
      impl->indexes,
      IndexCatalog::Load(*impl->store,
                         {impl->stripes, *impl->scopes, impl->retention}));
  if (options.verify.mode != VerifyMode::kOff) {
    ASSIGN_OR_RETURN(
        impl->verify,
        VerifyIndex::Create(*impl->store, options.verify,
                            [&clock = impl->clock] { return clock.Now(); }));
    impl->verify->StartFilling(std::move(kept));
  }
  impl->writer = std::make_unique<Writer>(
      *impl->store, impl->stripes, *impl->scopes, impl->clock, impl->retention,
      impl->indexes->sets(), impl->changes);
  RETURN_IF_ERROR(impl->CountIfUncounted());
  impl->touches = std::make_unique<Touches>(impl->hot_writer, options.touch);
  impl->reclaimer = std::make_unique<Reclaimer>(
      *impl->store, impl->retention, impl->clock, *impl->scopes, *impl->indexes,
      impl->changes, options.reclaim);
  return std::unique_ptr<Database>(new Database(std::move(impl)));
}

// --- Changes ---

absl::StatusOr<TokenId> Database::Issue(const Token& token,
                                        const WriteOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<TokenId> ids,
                   impl_->writer->Issue({&token, 1}, options));
  return ids.front();
}

absl::StatusOr<std::vector<TokenId>> Database::IssueBatch(
    absl::Span<const Token> tokens, const WriteOptions& options) {
  return impl_->writer->Issue(tokens, options);
}

absl::StatusOr<Token> Database::Update(const TokenId& id,
                                       const TokenPatch& patch,
                                       const UpdateOptions& options) {
  return impl_->writer->Update(id, patch, options);
}

absl::StatusOr<Revocation> Database::Revoke(const TokenId& id,
                                            const RevokeOptions& options) {
  return impl_->writer->Revoke(id, options);
}

absl::StatusOr<uint64_t> Database::RevokeAll(const Query& query,
                                             const RevokeAllOptions& options) {
  RETURN_IF_ERROR(impl_->FlushTouchesFor(query));
  return impl_->writer->RevokeAll(query, options);
}

absl::Status Database::Delete(const TokenId& id, const DeleteOptions& options) {
  return impl_->writer->Delete(id, options);
}

absl::StatusOr<uint64_t> Database::DeleteAll(const Query& query,
                                             const DeleteAllOptions& options) {
  RETURN_IF_ERROR(impl_->FlushTouchesFor(query));
  return impl_->writer->DeleteAll(query, options);
}

// --- Use ---

absl::Status Database::Touch(const TokenId& id, absl::Time at,
                             std::string_view ip_address) {
  return impl_->touches->Note(id, at, ip_address);
}

absl::Status Database::FlushTouches() { return impl_->touches->Flush(); }

// --- Single tokens ---

absl::StatusOr<Token> Database::Get(const TokenId& id) const {
  RETURN_IF_ERROR(CheckId(id));
  const std::optional<Snapshot> taken = impl_->SnapshotForRecords();
  const Snapshot* const snapshot = taken.has_value() ? &*taken : nullptr;
  PinnedValue value;
  ASSIGN_OR_RETURN(const bool found, impl_->store->Get(snapshot, Family::kToken,
                                                       id.bytes(), value));
  if (!found) {
    return absl::NotFoundError(
        absl::StrCat("there is no token ", id.ToString()));
  }
  ASSIGN_OR_RETURN(Token token, DecodeRecord(id, value.view()));
  if (impl_->IsForgottenNow(ValidityOf(token))) {
    return absl::NotFoundError(
        absl::StrCat("token ", id.ToString(), " expired and is forgotten"));
  }
  RETURN_IF_ERROR(OverlayHotRow(*impl_->store, snapshot, token).status());
  return token;
}

absl::StatusOr<Token> Database::GetByUuid(std::string_view uuid) const {
  ASSIGN_OR_RETURN(const TokenId id, TokenId::Parse(uuid));
  return Get(id);
}

absl::StatusOr<Token> Database::GetByDigest(const Digest& digest,
                                            std::string_view kind) const {
  const std::optional<Snapshot> taken = impl_->SnapshotForRecords();
  ASSIGN_OR_RETURN(
      std::optional<Token> token,
      impl_->FindByDigest(taken.has_value() ? &*taken : nullptr, digest));
  if (!token.has_value() && !taken.has_value()) {
    // Between the two reads the digest may have passed to another token. A
    // snapshot, which costs more, tells that from an unknown digest.
    const Snapshot snapshot = impl_->TakeSnapshot();
    ASSIGN_OR_RETURN(token, impl_->FindByDigest(&snapshot, digest));
  }
  if (token.has_value() && (kind.empty() || kind == token->kind)) {
    return *std::move(token);
  }
  return absl::NotFoundError("there is no token of this digest");
}

absl::StatusOr<std::vector<std::optional<Token>>> Database::GetMany(
    absl::Span<const TokenId> ids) const {
  std::vector<std::string_view> keys;
  keys.reserve(ids.size());
  for (const TokenId& id : ids) {
    RETURN_IF_ERROR(CheckId(id));
    keys.push_back(id.bytes());
  }
  const std::optional<Snapshot> taken = impl_->SnapshotForRecords();
  const Snapshot* const snapshot = taken.has_value() ? &*taken : nullptr;
  ValueBatch values;
  // One batched read is of one state.
  impl_->store->GetMany(snapshot, Family::kToken, keys, values);
  std::vector<std::optional<Token>> tokens(ids.size());
  std::vector<Token*> found;
  for (size_t i = 0; i < ids.size(); ++i) {
    ASSIGN_OR_RETURN(const auto value, values.Value(i));
    if (!value.has_value()) continue;
    ASSIGN_OR_RETURN(Token token, DecodeRecord(ids[i], *value));
    if (impl_->IsForgottenNow(ValidityOf(token))) continue;
    found.push_back(&tokens[i].emplace(std::move(token)));
  }
  RETURN_IF_ERROR(OverlayHotRows(*impl_->store, snapshot, found).status());
  return tokens;
}

bool Database::IsForgotten(const Token& token) const {
  return impl_->IsForgottenNow(ValidityOf(token));
}

// --- Queries ---

absl::StatusOr<Page> Database::List(const Query& query) const {
  const Impl::Moment moment(*impl_);
  return ListTokens(moment.view, moment.now, query);
}

absl::StatusOr<IdPage> Database::ListIds(const Query& query) const {
  const Impl::Moment moment(*impl_);
  return ListTokenIds(moment.view, moment.now, query);
}

absl::StatusOr<CountResult> Database::Count(const Query& query) const {
  const Impl::Moment moment(*impl_);
  return CountTokens(moment.view, moment.now, query);
}

absl::StatusOr<GroupedCount> Database::CountBy(const Query& query,
                                               Grouping grouping) const {
  const Impl::Moment moment(*impl_);
  return CountTokensBy(moment.view, moment.now, query, grouping);
}

absl::StatusOr<std::unique_ptr<TokenReader>> Database::Read(
    const Query& query) const {
  IndexedSnapshot taken = impl_->TakeIndexed();
  const Millis now = impl_->clock.Now();
  return MakeReader(*impl_->store, *impl_->scopes, std::move(taken), now,
                    impl_->retention.At(now), query);
}

absl::StatusOr<Explanation> Database::Explain(const Query& query) const {
  const Impl::Moment moment(*impl_);
  return ExplainQuery(moment.view, moment.now, query);
}

absl::StatusOr<Explanation> Database::ExplainAnalyze(const Query& query) const {
  const Impl::Moment moment(*impl_);
  ASSIGN_OR_RETURN(Explanation explanation,
                   ExplainQuery(moment.view, moment.now, query));
  ASSIGN_OR_RETURN(const Page page, ListTokens(moment.view, moment.now, query));
  explanation.actual = page.stats;
  return explanation;
}

// --- Indexes ---

absl::Status Database::AddIndex(OptionalIndex index,
                                const AddIndexOptions& options) {
  return impl_->indexes->Add(index, options);
}

absl::Status Database::DropIndex(OptionalIndex index) {
  return impl_->indexes->Drop(index);
}

std::vector<IndexInfo> Database::Indexes() const {
  return impl_->indexes->List();
}

// --- Expiry ---

absl::StatusOr<ExpiredPage> Database::ExpiredBetween(
    absl::Time from, absl::Time before, const ExpiredOptions& options) const {
  const Impl::Moment moment(*impl_);
  return ListExpired(moment.view, moment.now, from, before, options);
}

absl::StatusOr<Page> Database::ExpiringSoon(absl::Duration within,
                                            const Query& query) const {
  Query soon = query;
  soon.states = TokenState::kLive;
  soon.order = Order::kExpiry;
  soon.direction = Direction::kAscending;
  soon.expires_within = within;
  soon.not_notified_within = within;
  return List(soon);
}

absl::StatusOr<uint64_t> Database::MarkNotified(absl::Span<const TokenId> ids,
                                                absl::Duration within,
                                                const WriteOptions& options) {
  for (const TokenId& id : ids) RETURN_IF_ERROR(CheckId(id));
  if (within < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("within is negative");
  }
  return impl_->hot_writer.MarkNotified(ids, absl::ToInt64Milliseconds(within),
                                        options.durability);
}

absl::StatusOr<std::optional<absl::Time>> Database::NextExpiry() const {
  return FindNextExpiry(*impl_->store, impl_->clock.Now());
}

// --- Change feed ---

absl::StatusOr<ChangePage> Database::Changes(std::string_view continuation,
                                             size_t limit) const {
  return ReadChanges(*impl_->store, impl_->changes, continuation, limit);
}

absl::StatusOr<std::string> Database::ChangesFromNow() const {
  return EndOfChanges(*impl_->store, impl_->changes);
}

// --- Upkeep ---

absl::Time Database::Now() const { return FromMillis(impl_->clock.Now()); }

absl::StatusOr<DatabaseStats> Database::Stats() const {
  DatabaseStats stats{.scopes = impl_->scopes->size(),
                      .format_version = kFormatVersion,
                      .clock = Now(),
                      .engine = Store::EngineName()};
  for (const Family family : kFamilies) {
    const Store::FamilySize size = impl_->store->SizeOf(family);
    stats.families.push_back({.name = std::string(FamilyName(family)),
                              .estimated_entries = size.estimated_entries,
                              .file_bytes = size.file_bytes,
                              .memory_bytes = size.memory_bytes});
  }
  stats.retain_changes = impl_->changes.retain();
  stats.changes = impl_->store->SizeOf(Family::kChange).estimated_entries;
  ASSIGN_OR_RETURN(stats.reclaim, impl_->reclaimer->Stats());
  stats.touches = impl_->touches->Stats();
  if (impl_->verify != nullptr) stats.verify = impl_->verify->Stats();
  return stats;
}

absl::StatusOr<CheckReport> Database::Check(
    const std::function<void(uint64_t)>& progress) const {
  const Impl::Moment moment(*impl_);
  return CheckStore(moment.view, moment.now, progress);
}

absl::StatusOr<RepairReport> Database::Repair(
    const std::function<void(uint64_t)>& progress) {
  const Impl::Moment moment(*impl_);
  return RepairStore(
      {*impl_->store, *impl_->scopes, impl_->indexes->sets(), impl_->stripes},
      moment.view, moment.now, progress);
}

absl::Status Database::Flush() { return impl_->store->Flush(); }

absl::StatusOr<ReclaimReport> Database::Reclaim() {
  return impl_->reclaimer->RunOnce();
}

void Database::PauseReclaim() { impl_->reclaimer->Pause(); }

void Database::ResumeReclaim() { impl_->reclaimer->Resume(); }

absl::Status Database::Compact() {
  RETURN_IF_ERROR(impl_->retention.Advance());
  impl_->indexes->ReleaseRetired();
  RETURN_IF_ERROR(impl_->changes.Advance());
  return impl_->store->Compact();
}

}  // namespace tokendb
