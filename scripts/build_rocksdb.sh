#!/usr/bin/env bash
# Builds the RocksDB that TOKENDB_ROCKSDB=bundled links: a newer one than Debian
# 12's, optimized, without assertions and with the processor's CRC instructions.
#   scripts/build_rocksdb.sh [--source TARBALL] [--compiler CXX]
# Prints the folder that holds include/ and lib/librocksdb.a; what is going on
# goes to stderr. The first run takes 10 to 30 minutes, later ones return at
# once. The folder lies in ${XDG_CACHE_HOME:-$HOME/.cache}/tokendb, one for each
# version, compiler and set of flags; any of them may be deleted.
#
# The source is TARBALL, upstream's rocksdb-9.10.0.tar.gz, or Debian's copy of it.
# Exits with 3 if there is neither, and with 1 for any other failure.
set -euo pipefail

version=9.10.0
# Of upstream's archive of the tag v9.10.0, which is also Debian's .orig.tar.gz.
sha256=fdccab16133c9d927a183c2648bcea8d956fb41eb1df2aacaa73eb0b95e43724
debian_suite=trixie
recipe=1  # Raise it when a change below that is not a flag needs a new build.

say() { echo "rocksdb: $*" >&2; }
fail() {
  say "$*"
  exit 1
}

source_tarball=
compiler=${CXX:-c++}
while [[ $# -gt 0 ]]; do
  case "$1" in
    --source) source_tarball=${2:?--source needs a file} ;;
    --compiler) compiler=${2:?--compiler needs a compiler} ;;
    *) fail "unknown argument $1" ;;
  esac
  shift 2
done

# RocksDB's CRC-32C is fast only if it is compiled for a processor that has the
# instructions: on x86-64 one of 2013 or later, on ARM any with them.
case "$(uname -m)" in
  x86_64) processor=haswell ;;
  *) processor=1 ;;
esac
# tokendb compresses with LZ4 only, and derives from RocksDB's classes, which
# takes run-time type information.
flags=(
  -DCMAKE_BUILD_TYPE=Release
  "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG"
  -DCMAKE_CXX_FLAGS=-fno-semantic-interposition
  -DCMAKE_POSITION_INDEPENDENT_CODE=ON
  -DCMAKE_INSTALL_LIBDIR=lib
  "-DPORTABLE=$processor"
  -DUSE_RTTI=1
  -DWITH_LZ4=ON
)
for unwanted in FAIL_ON_WARNINGS ROCKSDB_BUILD_SHARED WITH_BENCHMARK_TOOLS \
  WITH_BZ2 WITH_CORE_TOOLS WITH_GFLAGS WITH_JEMALLOC WITH_LIBURING WITH_NUMA \
  WITH_SNAPPY WITH_TBB WITH_TESTS WITH_TOOLS WITH_TRACE_TOOLS WITH_ZLIB \
  WITH_ZSTD; do
  flags+=("-D$unwanted=OFF")
done

compiler_version=$("$compiler" --version | head -n 1)
key=$(printf '%s\n' "$recipe" "$sha256" "$compiler_version" "${flags[@]}" |
  sha256sum | cut -c 1-12)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tokendb
prefix=$cache/rocksdb-$version-$key
if [[ -d "$prefix" ]]; then
  echo "$prefix"
  exit 0
fi

mkdir -p "$cache"
exec 9>"$prefix.lock"
flock --nonblock 9 || { say "waiting for another build of it" && flock 9; }
if [[ -d "$prefix" ]]; then  # Another run has built it meanwhile.
  echo "$prefix"
  exit 0
fi
work=$prefix.building
rm -rf "$work/source" "$work/download" "$work/install"
mkdir -p "$work/source" "$work/download"

is_the_source() {
  sha256sum --check --status <<<"$sha256  $1"
}

# Fetches Debian's copy into $work/download, from where this machine gets its
# own packages, with lists and caches apart from the machine's.
download() {
  local apt=$work/download options uris uri
  uris=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' |
    awk -v release="$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" \
      '$2 == release || $2 ~ /^(old)?stable$/ {print $1}' | sort -u)
  [[ -n "$uris" ]] || return 1
  mkdir -p "$apt/lists/partial" "$apt/archives/partial"
  chmod 755 "$apt"
  options=(-q -o "Dir::State=$apt" -o "Dir::Cache=$apt"
    -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=-)
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  # A machine that is older than the suite's keys cannot tell whose the lists
  # are. The pinned sum decides in any case.
  for trust in "signed-by=$keyring" trusted=yes; do
    for uri in $uris; do
      echo "deb-src [$trust] $uri $debian_suite main"
    done >"$apt/sources.list"
    if apt-get "${options[@]}" -o APT::Update::Error-Mode=any update &&
      (cd "$apt" && apt-get "${options[@]}" source --download-only --tar-only \
        rocksdb); then
      return 0
    fi
  done
  return 1
}

tarball=$cache/rocksdb-$version.tar.gz
if [[ -n "$source_tarball" ]]; then
  is_the_source "$source_tarball" ||
    fail "$source_tarball is not RocksDB $version: its SHA-256 is not $sha256"
  tarball=$source_tarball
elif ! { [[ -f "$tarball" ]] && is_the_source "$tarball"; }; then
  say "fetching the source of $version"
  if ! download >"$work/download.log" 2>&1; then
    cat "$work/download.log" >&2
    say "the source cannot be had from Debian's $debian_suite (see above):" \
      "give the file with --source"
    exit 3
  fi
  downloaded=$(echo "$work"/download/rocksdb_*.orig.tar.*)
  is_the_source "$downloaded" ||
    fail "$downloaded is not RocksDB $version: its SHA-256 is not $sha256"
  mv "$downloaded" "$tarball"
fi

say "building $version with $compiler_version; this takes 10 to 30 minutes"
log=$work/build.log
# ccache, which RocksDB's build uses by itself if it is there, shall not mind
# where the source lies.
export CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1
build() {
  tar -xf "$tarball" -C "$work/source" --strip-components=1 &&
    cmake -S "$work/source" -B "$work/build" -G Ninja \
      -DCMAKE_CXX_COMPILER="$compiler" "${flags[@]}" &&
    nice cmake --build "$work/build" --parallel "$(nproc)" &&
    cmake --install "$work/build" --prefix "$work/install" &&
    cp "$work"/source/LICENSE.{Apache,leveldb} "$work/install"
}
if ! build 2>&1 | tee "$log" |
  awk '/^\[/ && ++steps % 25 == 0 {print "rocksdb: " $1; fflush()}' >&2; then
  tail -n 40 "$log" >&2
  fail "the build failed; all of its output is in $log"
fi
# The folder comes to be with all in it.
mv "$work/install" "$prefix"
rm -rf "$work" "$prefix.lock"
say "built"
echo "$prefix"
