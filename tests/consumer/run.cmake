# Installs the build in BUILD_DIR below WORK_DIR, builds the project in
# SOURCE_DIR against it, and runs that. What only building tokendb itself needs
# must not be needed any more.
file(REMOVE_RECURSE ${WORK_DIR})
foreach(command
    "${CMAKE_COMMAND};--install;${BUILD_DIR};--prefix;${WORK_DIR}/prefix"
    "${CMAKE_COMMAND};-S;${SOURCE_DIR};-B;${WORK_DIR}/build;-D;CMAKE_CXX_COMPILER=${CXX};-D;CMAKE_PREFIX_PATH=${WORK_DIR}/prefix;-D;CMAKE_DISABLE_FIND_PACKAGE_FlatBuffers=ON"
    "${CMAKE_COMMAND};--build;${WORK_DIR}/build"
    "${WORK_DIR}/build/consumer;${WORK_DIR}/database")
  execute_process(COMMAND ${command} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
