if(TOKENDB_SANITIZE)
  add_compile_options(-fsanitize=${TOKENDB_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TOKENDB_SANITIZE})
endif()
if(TOKENDB_COVERAGE)
  add_compile_options(--coverage -O0)
  add_link_options(--coverage)
endif()
