# The scheduler's and the snapshots' tests once more under ThreadSanitizer: their threads, and streams that are threads
# (label tsan).
if(NOT DUEL_CLANGXX_tsan)
  return()
endif()
foreach(name device/step_scheduler device/upload_ring device/snapshot run/late_writes run/background)
  list(APPEND SCHEDULER_SOURCES ${PROJECT_SOURCE_DIR}/host/${name}.cpp)
  list(APPEND SCHEDULER_HEADERS ${PROJECT_SOURCE_DIR}/host/${name}.h)
endforeach()
foreach(name support/fake_queue support/thread_queue host/step_scheduler_test host/snapshot_test)
  list(APPEND SCHEDULER_SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/${name}.cpp)
endforeach()
file(GLOB CASE_HEADERS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/host/device/*_queue.h ${CMAKE_CURRENT_SOURCE_DIR}/support/*_queue.h
     ${CMAKE_CURRENT_SOURCE_DIR}/support/*_case.h)
set(program ${CMAKE_CURRENT_BINARY_DIR}/scheduler_tsan)
add_custom_command(OUTPUT ${program}
  COMMAND ${DUEL_CLANGXX} -std=c++20 -O1 -g ${DUEL_FLAGS_tsan} -I${PROJECT_SOURCE_DIR} ${SCHEDULER_SOURCES} -o ${program}
          -lgtest -lgtest_main -lfmt -pthread
  DEPENDS ${SCHEDULER_SOURCES} ${SCHEDULER_HEADERS} ${CASE_HEADERS}
  COMMENT "Building the scheduler's tests under tsan" COMMAND_EXPAND_LISTS VERBATIM)
add_custom_target(duel_scheduler_tsan ALL DEPENDS ${program})
add_test(NAME scheduler_tsan COMMAND ${program} --gtest_brief=1)
set_tests_properties(scheduler_tsan PROPERTIES LABELS tsan TIMEOUT 300)
