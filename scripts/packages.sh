# The Debian 12 packages tokendb is built and tested with. Sourced by the other
# scripts.

# To build and test.
TOKENDB_PACKAGES=(
  ca-certificates
  cmake
  flatbuffers-compiler
  flatbuffers-compiler-dev
  g++
  libabsl-dev
  libbenchmark-dev
  libcli11-dev
  libflatbuffers-dev
  libgmock-dev
  libgtest-dev
  libisal-dev
  liblz4-dev
  librapidcheck-dev
  librocksdb-dev
  libssl-dev
  ninja-build
  nlohmann-json3-dev
  pkg-config
)

# For tokendb_expiry_bench: the stores it compares with. Each may be missing.
TOKENDB_BENCHMARK_PACKAGES=(
  libhiredis-dev
  liblmdb-dev
  libpq-dev
  libsqlite3-dev
  postgresql
  redis-server
)

# For the second compiler, lint and coverage.
TOKENDB_DEVELOPER_PACKAGES=(
  clang-14
  clang-format-14
  clang-tidy-14
  gcovr
  libclang-rt-14-dev
)
