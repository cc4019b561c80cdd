// Running queries: what the methods of Database call.
#ifndef TOKENDB_SRC_QUERY_RUN_H_
#define TOKENDB_SRC_QUERY_RUN_H_

#include <chrono>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/index/index_set.h"
#include "src/index/scope_dictionary.h"
#include "src/model/millis.h"
#include "src/query/hit_stream.h"
#include "src/storage/store.h"
#include "tokendb/db.h"
#include "tokendb/query.h"

namespace tokendb {

inline constexpr size_t kMaxPage = 10000;

// InvalidArgument if `query.limit` is not 1 to kMaxPage.
absl::Status CheckLimit(const Query& query);

// `view` must outlive the call; `now` is not earlier than the snapshot.
absl::StatusOr<Page> ListTokens(const ReadView& view, Millis now,
                                const Query& query);
absl::StatusOr<IdPage> ListTokenIds(const ReadView& view, Millis now,
                                    const Query& query);
absl::StatusOr<CountResult> CountTokens(const ReadView& view, Millis now,
                                        const Query& query);
absl::StatusOr<GroupedCount> CountTokensBy(const ReadView& view, Millis now,
                                           const Query& query,
                                           Grouping grouping);
absl::StatusOr<Explanation> ExplainQuery(const ReadView& view, Millis now,
                                         const Query& query);

// Takes the snapshot over; `store` and `scopes` must outlive the reader.
absl::StatusOr<std::unique_ptr<TokenReader>> MakeReader(
    const Store& store, const ScopeDictionary& scopes, IndexedSnapshot taken,
    Millis now, const Cutoff& cutoff, const Query& query);

// Measures how long a call takes.
class Stopwatch {
 public:
  absl::Duration Elapsed() const {
    return absl::FromChrono(std::chrono::steady_clock::now() - start_);
  }

 private:
  std::chrono::steady_clock::time_point start_ =
      std::chrono::steady_clock::now();
};

}  // namespace tokendb

#endif  // TOKENDB_SRC_QUERY_RUN_H_
