#ifndef TOKENDB_SRC_DB_WRITER_H_
#define TOKENDB_SRC_DB_WRITER_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "src/db/change_log.h"
#include "src/db/monotone_clock.h"
#include "src/db/retention.h"
#include "src/db/token_batch.h"
#include "src/index/index_set.h"
#include "src/index/scope_dictionary.h"
#include "src/query/conditions.h"
#include "src/storage/store.h"
#include "src/storage/stripes.h"
#include "tokendb/db.h"

namespace tokendb {

// Makes all changes. Each one takes the locks of the ids and digests it
// touches, reads what is there, and commits the records together with the
// difference of their index entries in one batch.
//
// Invariants: a digest's row belongs to exactly one record, the one that has
// this digest; the entries in the store are those of EntriesOf() for each
// record; the counters that are still read are the sums of ForEachCounter()
// over all records.
//
// Thread-safe.
class Writer {
 public:
  // All must outlive the writer.
  Writer(Store& store, Stripes& stripes, ScopeDictionary& scopes,
         MonotoneClock& clock, const Retention& retention,
         const SharedIndexSet& indexes, ChangeLog& changes)
      : store_(store),
        stripes_(stripes),
        scopes_(scopes),
        clock_(clock),
        retention_(retention),
        indexes_(indexes),
        changes_(changes) {}

  absl::StatusOr<std::vector<TokenId>> Issue(absl::Span<const Token> tokens,
                                             const WriteOptions& options);
  absl::StatusOr<Token> Update(const TokenId& id, const TokenPatch& patch,
                               const UpdateOptions& options);
  absl::StatusOr<Revocation> Revoke(const TokenId& id,
                                    const RevokeOptions& options);
  absl::Status Delete(const TokenId& id, const DeleteOptions& options);
  absl::StatusOr<uint64_t> RevokeAll(const Query& query,
                                     const RevokeAllOptions& options);
  absl::StatusOr<uint64_t> DeleteAll(const Query& query,
                                     const DeleteAllOptions& options);

 private:
  // A token ready to be written.
  struct Prepared {
    Token token;
    ScopeNumbers scopes;
    bool new_id = false;
  };
  // What a change makes of a token; the same token means no change.
  using Changer = absl::FunctionRef<Token(const Token&)>;

  absl::StatusOr<std::vector<Prepared>> Prepare(absl::Span<const Token> tokens,
                                                Millis now);
  absl::Status CheckIdsAreFree(absl::Span<const Prepared> prepared,
                               const Cutoff& cutoff) const;

  // Of the digests that `wanted` wants: AlreadyExists if an unexpired token
  // has one; otherwise sets `holders` to the expired tokens that have them.
  struct DigestClaim {
    Digest digest;
    // Of the token that wants it, for errors.
    size_t position = 0;
    size_t batch_size = 1;
  };
  absl::Status FindHolders(absl::Span<const DigestClaim> claims, Millis now,
                           std::vector<TokenId>& holders) const;
  // Takes their digests away.
  absl::Status Disown(absl::Span<const TokenId> holders,
                      TokenBatch& batch) const;

  absl::StatusOr<Token> ReadForChange(const TokenId& id) const;
  absl::StatusOr<Token> Change(const TokenId& id,
                               const Precondition& precondition,
                               Durability durability, Changer changer);

  // Calls `step` with each match, up to 256 of them in one batch and under
  // their locks, until `max_tokens` were changed; returns how many.
  using Step = absl::FunctionRef<absl::Status(const Token&, TokenBatch&)>;
  absl::StatusOr<uint64_t> ForAllMatches(const Query& query, Millis now,
                                         uint64_t max_tokens,
                                         Durability durability, Step step);
  absl::StatusOr<std::vector<Token>> StillMatching(
      absl::Span<const TokenId> ids, const Conditions& conditions) const;

  Store& store_;
  Stripes& stripes_;
  ScopeDictionary& scopes_;
  MonotoneClock& clock_;
  const Retention& retention_;
  const SharedIndexSet& indexes_;
  ChangeLog& changes_;
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_WRITER_H_
