# Some tests are built a second time with clang++ and a sanitizer that g++ lacks or does worse, whatever the rest of the build
# is made with. Sets for each label, tsan and msan, DUEL_FLAGS_<label>, and DUEL_CLANGXX_<label> where they work.
foreach(label tsan msan)
  set(DUEL_CLANGXX_${label} OFF)
endforeach()
if(DUEL_SANITIZE)
  return()  # the build without sanitizers has these tests
endif()
find_program(DUEL_CLANGXX clang++ DOC "clang++, for tests under ThreadSanitizer and MemorySanitizer")
set(DUEL_FLAGS_tsan -fsanitize=thread)
set(DUEL_FLAGS_msan -fsanitize=memory -fsanitize-memory-track-origins)
foreach(label tsan msan)
  if(DUEL_CLANGXX AND NOT DEFINED DUEL_CLANGXX_LINKS_${label})
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${label}.cpp "#include <vector>\nint main() { return static_cast<int>(std::vector<int>().size()); }\n")
    execute_process(COMMAND ${DUEL_CLANGXX} -std=c++20 ${DUEL_FLAGS_${label}} ${CMAKE_CURRENT_BINARY_DIR}/${label}.cpp
                            -o ${CMAKE_CURRENT_BINARY_DIR}/${label}
                    RESULT_VARIABLE failure OUTPUT_QUIET ERROR_QUIET)
    string(COMPARE EQUAL "${failure}" "0" links)
    set(DUEL_CLANGXX_LINKS_${label} ${links} CACHE INTERNAL "whether clang++ links a program for ${label}")
  endif()
  if(DUEL_CLANGXX_LINKS_${label})
    set(DUEL_CLANGXX_${label} ON)
  else()
    list(JOIN DUEL_FLAGS_${label} " " text)
    message(STATUS "Duel: the tests labelled ${label} are SKIPPED: no clang++ that links ${text}. "
                   "Install clang and its runtime (Debian: clang libclang-rt-dev)")
  endif()
endforeach()
