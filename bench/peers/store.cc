#include "bench/peers/store.h"

#include "bench/peers/machine.h"

namespace tokendb::bench {

void Caller::LookupMany(absl::Span<const Digest> digests,
                        absl::Span<Answer> answers) {
  for (size_t i = 0; i < digests.size(); ++i) answers[i] = Lookup(digests[i]);
}

Store::Store(const StoreOptions& options) : options_(options) {}

std::optional<size_t> Store::DeleteExpired(size_t /*most*/) {
  return std::nullopt;
}

uint64_t Store::DiskBytes() { return DirectoryBytes(options_.path); }

uint64_t Store::BytesWritten() { return ProcessBytesWritten(getpid()); }

namespace {

[[maybe_unused]] StoreKind NotBuilt(std::string name, std::string library) {
  return {.name = std::move(name),
          .why_not = library + " was not found when this was built"};
}

}  // namespace

std::vector<StoreKind> AllStoreKinds([[maybe_unused]] size_t tokens) {
  std::vector<StoreKind> kinds = {TokendbKind(VerifyKind::kComplete),
                                  TokendbKind(VerifyKind::kBounded),
                                  TokendbKind(VerifyKind::kOff), RawKind()};
#ifdef TOKENDB_BENCH_SQLITE
  kinds.push_back(SqliteKind());
#else
  kinds.push_back(NotBuilt("sqlite", "libsqlite3"));
#endif
#ifdef TOKENDB_BENCH_LMDB
  kinds.push_back(LmdbKind());
#else
  kinds.push_back(NotBuilt("lmdb", "liblmdb"));
#endif
#ifdef TOKENDB_BENCH_POSTGRES
  kinds.push_back(PostgresKind());
#else
  kinds.push_back(NotBuilt("postgres", "libpq"));
#endif
#ifdef TOKENDB_BENCH_REDIS
  kinds.push_back(RedisKind(tokens));
#else
  kinds.push_back(NotBuilt("redis", "hiredis"));
#endif
  return kinds;
}

}  // namespace tokendb::bench
