#!/usr/bin/env bash
# Says where the sources differ from the style: clang-format and clang-tidy 14.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install_packages.sh --developer
cmake --preset clang -DTOKENDB_BUILD_TESTS=ON
cmake --build --preset clang --target tokendb
git ls-files '*.h' '*.cc' | xargs clang-format-14 --dry-run --Werror
git ls-files 'src/*.cc' |
  xargs -P "$(nproc)" -n 4 clang-tidy-14 -p build/clang --quiet
echo "lint: nothing found"
