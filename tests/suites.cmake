# A test of CTest for each suite of a GoogleTest program, where gtest_discover_tests() makes one for each test. A program
# that is instrumented takes half a second to begin and to end, which is most of what a thousand small tests take.
#
#   duel_discover_suites(TARGET [PREFIX text] [FILTER negative patterns of GoogleTest] [COST number])
#
# COST is added to the number of tests of a suite: ctest begins with what costs most. A suite fails if one of its tests
# does, and its output says which. A skipped test leaves its suite passed.
set(SUITES_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/write_suites.cmake)
function(duel_discover_suites target)
  cmake_parse_arguments(PARSE_ARGV 1 SUITES "" "PREFIX;FILTER;COST" "")
  set(suites ${CMAKE_CURRENT_BINARY_DIR}/${target}_suites.cmake)
  add_custom_command(TARGET ${target} POST_BUILD BYPRODUCTS ${suites} VERBATIM
    COMMAND ${CMAKE_COMMAND} -D "PROGRAM=$<TARGET_FILE:${target}>" -D "PREFIX=${SUITES_PREFIX}" -D "FILTER=${SUITES_FILTER}"
            -D "COST=${SUITES_COST}" -D "SUITES=${suites}" -P ${SUITES_SCRIPT})
  # Read by ctest. A test whose command is not there fails, so a program that was not built is noticed.
  set(include ${CMAKE_CURRENT_BINARY_DIR}/${target}_suites_include.cmake)
  file(WRITE ${include} "if(EXISTS \"${suites}\")\n  include(\"${suites}\")\nelse()\n  add_test(${target}_NOT_BUILT ${target}_NOT_BUILT)\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${include})
endfunction()
