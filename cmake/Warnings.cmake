# Warnings for tokendb's own code: PRIVATE to its targets, never passed on.
function(tokendb_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wold-style-cast
                                           -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Designated initialisers that leave fields at their defaults are the style
    # of this project; GCC counts them as missing.
    # -Wrestrict is wrong about std::string's operator+ (GCC bug 105651).
    target_compile_options(${target} PRIVATE -Wno-missing-field-initializers
                                             -Wno-restrict)
  endif()
endfunction()
