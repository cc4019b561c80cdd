#ifndef TOKENDB_SRC_DB_DATABASE_IMPL_H_
#define TOKENDB_SRC_DB_DATABASE_IMPL_H_

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "src/db/change_log.h"
#include "src/db/monotone_clock.h"
#include "src/db/reclaimer.h"
#include "src/db/retention.h"
#include "src/db/writer.h"
#include "src/index/scope_dictionary.h"
#include "src/query/hit_stream.h"
#include "src/storage/store.h"
#include "tokendb/db.h"

namespace tokendb {

// The parts of a database, in the order in which they are made.
class Database::Impl {
 public:
  Impl(std::unique_ptr<Store> opened, const Clock& wall_clock)
      : store(std::move(opened)),
        clock(wall_clock, *store),
        retention(*store, clock),
        changes(*store, clock) {}

  Snapshot TakeSnapshot() { return store->TakeSnapshot(clock.Now()); }

  // A snapshot, and a time that is not earlier than what it holds.
  struct Moment {
    Snapshot snapshot;
    Millis now;
    ReadView view;

    explicit Moment(Impl& impl)
        : snapshot(impl.TakeSnapshot()),
          now(impl.clock.Now()),
          view{*impl.store, *impl.scopes, snapshot, impl.retention.At(now)} {}
    Moment(const Moment&) = delete;
    Moment& operator=(const Moment&) = delete;
  };

  // Whether a token that was read is forgotten by now.
  bool IsForgottenNow(const Validity& validity) {
    return validity.expires_at != kNever &&
           tokendb::IsForgotten(validity, retention.At(clock.Now()));
  }

  // Returns the token whose digest this is, if the row and the record agree.
  absl::StatusOr<std::optional<Token>> FindByDigest(const Snapshot* snapshot,
                                                    const Digest& digest);

  // Makes the counters of a database that was written without them.
  absl::Status CountIfUncounted();

  std::unique_ptr<Store> store;
  MonotoneClock clock;
  Retention retention;
  ChangeLog changes;
  std::unique_ptr<ScopeDictionary> scopes;
  std::unique_ptr<Writer> writer;
  std::unique_ptr<Reclaimer> reclaimer;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_DATABASE_IMPL_H_
