#!/usr/bin/env bash
# Runs the tests of an instrumented build and reports which lines of the library
# and the command they reach; pages in build/coverage/html.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/test.sh --preset coverage
mkdir -p build/coverage/html
gcovr --root . --filter src/ --filter include/ --exclude-throw-branches \
  --print-summary --html-details build/coverage/html/index.html \
  build/coverage | grep -E '^(TOTAL|lines|functions)'
