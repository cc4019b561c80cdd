#ifndef TOKENDB_SRC_DB_DATABASE_IMPL_H_
#define TOKENDB_SRC_DB_DATABASE_IMPL_H_

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "src/db/change_log.h"
#include "src/db/hot_writer.h"
#include "src/db/index_catalog.h"
#include "src/db/monotone_clock.h"
#include "src/db/reclaimer.h"
#include "src/db/retention.h"
#include "src/db/touches.h"
#include "src/db/writer.h"
#include "src/index/scope_dictionary.h"
#include "src/query/hit_stream.h"
#include "src/storage/store.h"
#include "src/storage/stripes.h"
#include "src/verify/verify_index.h"
#include "tokendb/db.h"

namespace tokendb {

// The parts of a database, in the order in which they are made.
class Database::Impl {
 public:
  Impl(std::unique_ptr<Store> opened, const Clock& wall_clock)
      : store(std::move(opened)),
        clock(wall_clock, *store),
        retention(*store, clock),
        hot_writer(*store, stripes, clock, retention),
        changes(*store, clock) {}

  Snapshot TakeSnapshot() { return store->TakeSnapshot(clock.Now()); }

  IndexedSnapshot TakeIndexed() {
    return TakeIndexedSnapshot(*store, indexes->sets(), clock.Now());
  }

  // A snapshot, and a time that is not earlier than what it holds.
  struct Moment {
    IndexedSnapshot taken;
    Millis now;
    ReadView view;

    explicit Moment(Impl& impl)
        : taken(impl.TakeIndexed()),
          now(impl.clock.Now()),
          view{*impl.store, *impl.scopes, taken.snapshot,
               impl.retention.At(now), taken.indexes} {}
    Moment(const Moment&) = delete;
    Moment& operator=(const Moment&) = delete;
  };

  // For reads of records: a snapshot if last uses are read as well, so that
  // both are of one state; else none, which costs less.
  std::optional<Snapshot> SnapshotForRecords() {
    std::optional<Snapshot> snapshot;
    if (store->MayHold(Family::kHot)) snapshot.emplace(TakeSnapshot());
    return snapshot;
  }

  // So that a change of what `query` finds unused hits nothing that was used.
  absl::Status FlushTouchesFor(const Query& query) {
    const bool asks = query.unused_since.has_value() ||
                      query.last_accessed.from.has_value() ||
                      query.last_accessed.before.has_value();
    return asks ? touches->Flush() : absl::OkStatus();
  }

  // Whether a token that was read is forgotten by now.
  bool IsForgottenNow(const Validity& validity) {
    return validity.expires_at != kNever &&
           tokendb::IsForgotten(validity, retention.At(clock.Now()));
  }

  // Returns the token whose digest this is, if the row and the record agree.
  absl::StatusOr<std::optional<Token>> FindByDigest(const Snapshot* snapshot,
                                                    const Digest& digest);

  // Says what a digest's row, read after TicketOf(), holds `now`, and lets the
  // verify index know it.
  uint64_t TicketOf(const Digest& digest) const;
  absl::Status AnswerFromRow(const Digest& digest, std::string_view value,
                             uint64_t ticket, Millis now,
                             Authentication& result);

  // Reads the row of a digest.
  absl::StatusOr<Authentication> AuthenticateFromStore(const Digest& digest,
                                                       Millis now);
  // The same for those of `digests` whose positions are in `rest`.
  absl::Status AuthenticateRest(absl::Span<const Digest> digests,
                                absl::Span<const size_t> rest, Millis now,
                                absl::Span<Authentication> results);

  // Makes the counters of a database that was written without them.
  absl::Status CountIfUncounted();

  std::unique_ptr<Store> store;
  MonotoneClock clock;
  Retention retention;
  Stripes stripes;
  HotWriter hot_writer;
  ChangeLog changes;
  std::unique_ptr<ScopeDictionary> scopes;
  std::unique_ptr<IndexCatalog> indexes;
  std::unique_ptr<VerifyIndex> verify;  // Null if it is off.
  std::unique_ptr<Writer> writer;
  std::unique_ptr<Touches> touches;
  std::unique_ptr<Reclaimer> reclaimer;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_DATABASE_IMPL_H_
