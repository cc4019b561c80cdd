#ifndef TOKENDB_SRC_DB_TOKEN_BATCH_H_
#define TOKENDB_SRC_DB_TOKEN_BATCH_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "src/db/change_log.h"
#include "src/index/cover.h"
#include "src/index/index_set.h"
#include "src/index/scope_dictionary.h"
#include "src/model/millis.h"
#include "src/model/record_codec.h"
#include "src/storage/store.h"
#include "tokendb/changes.h"
#include "tokendb/options.h"
#include "tokendb/token.h"

namespace tokendb {

// Changes to tokens that take effect together: for each one its record, all its
// index entries and its counters, what its hot row repeats of the record, and
// its row in the change feed. The one place that puts these into a batch.
//
// The caller holds the locks of all tokens and digests in it, from before it
// read them until Commit() has returned. Not thread-safe.
class TokenBatch {
 public:
  // `store`, `scopes` and `log` must outlive the batch. `indexes` is the set
  // that holds since the locks were taken: whoever adds an index counts on it.
  // Counters are kept right as of `now`.
  TokenBatch(Store& store, ScopeDictionary& scopes,
             std::shared_ptr<const IndexSet> indexes, ChangeLog& log,
             Millis now)
      : store_(store),
        scopes_(scopes),
        indexes_(std::move(indexes)),
        log_(log),
        now_(now),
        batch_(store.NewBatch()) {}

  // Adds a new token, normalized, whose scopes have these numbers.
  // InvalidArgument if its record is too large.
  absl::Status Add(const Token& token, const ScopeNumbers& scopes);

  // Makes `after`, normalized, of the token `before`. Writes only the entries
  // that differ.
  absl::Status Replace(const Token& before, const Token& after);

  // Takes its digest away from `token`, which has one. The digest's row is left
  // to whoever adds the digest's new token to this batch.
  absl::Status Disown(Token token);

  void Remove(const Token& token);

  // Makes the changes, if there are any.
  absl::Status Commit(Durability durability);

 private:
  absl::Status PutRecord(const Token& token);
  absl::Status ReplaceHotRow(const Token& before, const Token& after);
  void Count(const Token& token, const ScopeNumbers& scopes, int64_t delta);
  void Record(TokenChange::Kind kind, const Token& token);

  Store& store_;
  ScopeDictionary& scopes_;
  const std::shared_ptr<const IndexSet> indexes_;
  ChangeLog& log_;
  const Millis now_;
  RecordEncoder encoder_;
  Batch batch_;
  std::vector<TokenChange> changes_;  // For the feed; numbered by Commit().
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_DB_TOKEN_BATCH_H_
