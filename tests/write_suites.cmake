# Asks the GoogleTest program PROGRAM for its suites and writes a test for each to the file SUITES: suites.cmake.
cmake_policy(SET CMP0057 NEW)  # IN_LIST, and if() reads no quoted words as names
execute_process(COMMAND ${PROGRAM} --gtest_list_tests "--gtest_filter=-${FILTER}" OUTPUT_VARIABLE output RESULT_VARIABLE status
                TIMEOUT 60)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} --gtest_list_tests failed (${status}):\n${output}")
endif()
string(REGEX REPLACE "[][;]" "_" output "${output}")  # these would be parts of a list
string(REPLACE "\n" ";" lines "${output}")
set(text "")
set(suite "")
set(tests 0)
macro(end_suite)
  if(NOT suite STREQUAL "")
    math(EXPR cost "0${COST} + ${tests}")
    string(APPEND text
           "add_test([=[${PREFIX}${suite}]=] [=[${PROGRAM}]=] --gtest_brief=1 [=[--gtest_filter=${suite}.*-${FILTER}]=])\n"
           "set_tests_properties([=[${PREFIX}${suite}]=] PROPERTIES TIMEOUT 600 COST ${cost})\n")
  endif()
endmacro()
foreach(line IN LISTS lines)
  if(line MATCHES "^([A-Za-z0-9_/]+)\\.( +#.*)?$")
    end_suite()
    set(suite ${CMAKE_MATCH_1})
    set(tests 0)
  elseif(line MATCHES "^  ")
    math(EXPR tests "${tests} + 1")
  endif()
endforeach()
end_suite()
if(text STREQUAL "")
  message(FATAL_ERROR "${PROGRAM} has no tests beside ${FILTER}")
endif()
file(WRITE ${SUITES} "${text}")
