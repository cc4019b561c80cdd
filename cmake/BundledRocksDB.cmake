# The RocksDB that scripts/build_rocksdb.sh builds: sets TOKENDB_ROCKSDB_LIBRARY
# and TOKENDB_ROCKSDB_INCLUDE.
set(TOKENDB_ROCKSDB_SOURCE "" CACHE FILEPATH
    "RocksDB's source archive, for TOKENDB_ROCKSDB=bundled; empty: Debian's")
set(command ${PROJECT_SOURCE_DIR}/scripts/build_rocksdb.sh
    --compiler ${CMAKE_CXX_COMPILER})
if(TOKENDB_ROCKSDB_SOURCE)
  list(APPEND command --source ${TOKENDB_ROCKSDB_SOURCE})
endif()
message(STATUS "RocksDB: bundled; built first if it has not been (minutes)")
execute_process(COMMAND ${command} OUTPUT_VARIABLE prefix
                OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "the bundled RocksDB could not be built, see above; "
                      "TOKENDB_ROCKSDB=system takes the installed one")
endif()
message(STATUS "RocksDB: ${prefix}")
# Found before, perhaps, with another choice.
set(TOKENDB_ROCKSDB_LIBRARY ${prefix}/lib/librocksdb.a CACHE FILEPATH "" FORCE)
set(TOKENDB_ROCKSDB_INCLUDE ${prefix}/include CACHE PATH "" FORCE)
