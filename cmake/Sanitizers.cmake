if(TOKENDB_SANITIZE)
  add_compile_options(-fsanitize=${TOKENDB_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TOKENDB_SANITIZE})
endif()
if(TOKENDB_COVERAGE)
  # Atomic counters: threads would otherwise lose counts, or make them negative.
  add_compile_options(--coverage -O0 -fprofile-update=atomic)
  add_link_options(--coverage)
endif()
