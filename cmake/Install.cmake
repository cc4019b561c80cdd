# `cmake --install` and find_package(tokendb).
include(CMakePackageConfigHelpers)

install(TARGETS tokendb EXPORT tokendbTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT tokendbTargets NAMESPACE tokendb::
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tokendb)
if(TOKENDB_ROCKSDB STREQUAL "bundled")
  install(FILES ${TOKENDB_ROCKSDB_LIBRARY}
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/tokendb)
endif()
configure_package_config_file(
  cmake/tokendbConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/tokendbConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tokendb)
write_basic_package_version_file(
  ${CMAKE_CURRENT_BINARY_DIR}/tokendbConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tokendbConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/tokendbConfigVersion.cmake
              cmake/Dependencies.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tokendb)
