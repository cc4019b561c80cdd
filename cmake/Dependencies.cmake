# What tokendb is linked with; a program that uses an installed tokendb needs
# these too, but neither RocksDB's nor FlatBuffers' headers. All come from Debian
# 12's packages; the names are in scripts/packages.sh.
find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)

# RocksDB's own package configuration asks for development packages that only
# its static library needs; the shared library stands alone. Of the bundled one,
# which is static, TOKENDB_ROCKSDB_LIBRARY is known by now.
find_library(TOKENDB_ROCKSDB_LIBRARY NAMES rocksdb REQUIRED)
if(NOT TARGET tokendb_rocksdb)
  add_library(tokendb_rocksdb UNKNOWN IMPORTED)
  set_target_properties(tokendb_rocksdb PROPERTIES
    IMPORTED_LOCATION "${TOKENDB_ROCKSDB_LIBRARY}")
  if(TOKENDB_ROCKSDB STREQUAL "bundled")
    find_library(TOKENDB_LZ4_LIBRARY NAMES lz4 REQUIRED)
    set_target_properties(tokendb_rocksdb PROPERTIES
      INTERFACE_LINK_LIBRARIES
        "${TOKENDB_LZ4_LIBRARY};Threads::Threads;${CMAKE_DL_LIBS}")
  endif()
endif()
