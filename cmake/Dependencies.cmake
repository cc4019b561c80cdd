# What tokendb is linked with; a program that uses an installed tokendb needs
# these too, but neither RocksDB's nor FlatBuffers' headers. All come from Debian
# 12's packages; the names are in scripts/packages.sh. Only RocksDB may be another
# (TOKENDB_ROCKSDB=bundled): TOKENDB_ROCKSDB_LIBRARY is set then.
find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)

if(TOKENDB_ROCKSDB STREQUAL "bundled")
  pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
else()
  # RocksDB's own package configuration asks for development packages that only
  # its static library needs; the shared library stands alone.
  find_library(TOKENDB_ROCKSDB_LIBRARY NAMES rocksdb REQUIRED)
endif()
if(NOT TARGET tokendb_rocksdb)
  add_library(tokendb_rocksdb UNKNOWN IMPORTED)
  set_target_properties(tokendb_rocksdb PROPERTIES
    IMPORTED_LOCATION "${TOKENDB_ROCKSDB_LIBRARY}")
  if(TOKENDB_ROCKSDB STREQUAL "bundled")
    set_target_properties(tokendb_rocksdb PROPERTIES
      INTERFACE_LINK_LIBRARIES "PkgConfig::LZ4;Threads::Threads")
  endif()
endif()
