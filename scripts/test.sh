#!/usr/bin/env bash
# Installs what is missing, builds tokendb and runs its tests.
#   scripts/test.sh [--preset release|bundled|debug|clang|asan|tsan|coverage]
#                   [arguments for ctest]
# Without arguments: all tests of the release build.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=release
if [[ "${1:-}" == "--preset" ]]; then
  preset=${2:?--preset needs a name}
  shift 2
fi
case "$preset" in
  clang | coverage) scripts/install_packages.sh --developer ;;
  *) scripts/install_packages.sh ;;
esac
echo "build: build/$preset"
cmake --preset "$preset" -DTOKENDB_BUILD_TESTS=ON
cmake --build --preset "$preset"
ctest --preset "$preset" --parallel "$(nproc)" "$@"
