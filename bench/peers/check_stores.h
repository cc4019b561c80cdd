#ifndef TOKENDB_BENCH_PEERS_CHECK_STORES_H_
#define TOKENDB_BENCH_PEERS_CHECK_STORES_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "bench/peers/store.h"

namespace tokendb::bench {

// Lets every kind of store, the first of which is tokendb, do all it can with
// few tokens, and ends the program if one answers otherwise than the first.
void CheckStores(const std::vector<StoreKind>& kinds,
                 const std::string& directory, absl::Time now,
                 size_t cache_bytes);

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_PEERS_CHECK_STORES_H_
