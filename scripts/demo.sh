#!/usr/bin/env bash
# Installs what is missing, builds tokendb, imports 3,719 OpenPGP keys as tokens
# into a fresh database in build/demo, and asks it by owner, expiry and scope.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install_packages.sh
echo "build: build/release"
cmake --preset release -DTOKENDB_BUILD_TESTS=OFF -DTOKENDB_BUILD_BENCHMARKS=OFF \
  >build-demo.log 2>&1 || { cat build-demo.log; exit 1; }
cmake --build --preset release --target tokendb_cli
rm -f build-demo.log

tokendb=build/release/src/cli/tokendb
db=build/demo
rm -rf "$db"
show() {
  echo
  echo "\$ tokendb $*"
  "$tokendb" "$@"
}
show import "$db" tests/data/keyring.csv
show list "$db" --owner key:EC371482956781AF --state all
show list "$db" --scope sign --expires-before 2027-01-01 --limit 20
show expiring "$db" --within 365d --limit 5
show count "$db" --by scope
show explain "$db" --scope sign --scope ring:debian-maintainers --analyze
show check "$db"
echo
echo "The database is in $db; the command is $tokendb (try --help)."
