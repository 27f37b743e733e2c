# The tests of the CPU's threads once more under ThreadSanitizer (label tsan).
if(NOT DUEL_CLANGXX_tsan)
  return()
endif()
set(TEAM_SOURCES ${PROJECT_SOURCE_DIR}/kernels/cpu/team.cpp ${CMAKE_CURRENT_SOURCE_DIR}/kernels/team_test.cpp)
set(program ${CMAKE_CURRENT_BINARY_DIR}/team_tsan)
add_custom_command(OUTPUT ${program}
  COMMAND ${DUEL_CLANGXX} -std=c++20 -O1 -g ${DUEL_FLAGS_tsan} -I${PROJECT_SOURCE_DIR} ${TEAM_SOURCES} -o ${program}
          -lgtest -lgtest_main -lfmt -pthread
  DEPENDS ${TEAM_SOURCES} ${PROJECT_SOURCE_DIR}/kernels/cpu/team.h
  COMMENT "Building the tests of the CPU's threads under tsan" COMMAND_EXPAND_LISTS VERBATIM)
add_custom_target(duel_team_tsan ALL DEPENDS ${program})
add_test(NAME team_tsan COMMAND ${program} --gtest_brief=1)
set_tests_properties(team_tsan PROPERTIES LABELS tsan TIMEOUT 300)
