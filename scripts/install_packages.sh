#!/usr/bin/env bash
# Installs the Debian packages tokendb needs, as far as they are missing.
#   scripts/install_packages.sh [--developer] [--benchmarks]
# --developer adds the second compiler and the tools for lint and coverage,
# --benchmarks the stores that bench/ compares with.
# Asks for nothing and uses no network when all of them are there.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh

packages=("${TOKENDB_PACKAGES[@]}")
for flag in "$@"; do
  case "$flag" in
    --developer) packages+=("${TOKENDB_DEVELOPER_PACKAGES[@]}") ;;
    --benchmarks) packages+=("${TOKENDB_BENCHMARK_PACKAGES[@]}") ;;
    *)
      echo "install_packages.sh: unknown flag $flag" >&2
      exit 2
      ;;
  esac
done

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ "$status" == "installed" ]] || missing+=("$package")
done
if [[ ${#missing[@]} -eq 0 ]]; then
  echo "packages: all ${#packages[@]} are installed"
  exit 0
fi

echo "packages: installing ${missing[*]}"
as_root=()
if [[ $(id -u) -ne 0 ]]; then
  command -v sudo >/dev/null || {
    echo "install_packages.sh: needs root or sudo for apt-get" >&2
    exit 1
  }
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
