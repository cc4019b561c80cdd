# `cmake --install` and find_package(tokendb).
include(CMakePackageConfigHelpers)

install(TARGETS tokendb EXPORT tokendbTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set(TOKENDB_INSTALLED_ROCKSDB ${CMAKE_INSTALL_LIBDIR}/tokendb/librocksdb.a)
if(TOKENDB_ROCKSDB STREQUAL "bundled")
  # In a folder of its own: no other program finds it instead of the system's.
  install(FILES ${TOKENDB_ROCKSDB_LIBRARY} ${TOKENDB_ROCKSDB_LICENSE}
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/tokendb)
endif()
install(EXPORT tokendbTargets NAMESPACE tokendb::
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tokendb)
configure_package_config_file(
  cmake/tokendbConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/tokendbConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tokendb
  PATH_VARS TOKENDB_INSTALLED_ROCKSDB)
write_basic_package_version_file(
  ${CMAKE_CURRENT_BINARY_DIR}/tokendbConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tokendbConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/tokendbConfigVersion.cmake
              cmake/Dependencies.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tokendb)
