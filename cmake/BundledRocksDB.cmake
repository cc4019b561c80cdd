# The RocksDB that scripts/build_rocksdb.sh builds, once for all build folders.
set(TOKENDB_ROCKSDB_SOURCE "" CACHE FILEPATH
    "rocksdb-9.10.0.tar.gz for TOKENDB_ROCKSDB=bundled; empty: fetched")
set(script ${PROJECT_SOURCE_DIR}/scripts/build_rocksdb.sh)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${script})
set(command ${script} --compiler ${CMAKE_CXX_COMPILER})
if(TOKENDB_ROCKSDB_SOURCE)
  list(APPEND command --source ${TOKENDB_ROCKSDB_SOURCE})
endif()
message(STATUS "RocksDB: bundled; unless it is there, building it takes long")
execute_process(COMMAND ${command}
                OUTPUT_VARIABLE prefix OUTPUT_STRIP_TRAILING_WHITESPACE
                RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "scripts/build_rocksdb.sh failed, see above. "
                      "-DTOKENDB_ROCKSDB=system takes the system's RocksDB.")
endif()
message(STATUS "RocksDB: ${prefix}")
set(TOKENDB_ROCKSDB_LIBRARY ${prefix}/lib/librocksdb.a)
set(TOKENDB_ROCKSDB_INCLUDE ${prefix}/include)
set(TOKENDB_ROCKSDB_LICENSE ${prefix}/LICENSE.Apache)
