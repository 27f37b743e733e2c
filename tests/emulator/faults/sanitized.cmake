# The planted faults once more under ThreadSanitizer and MemorySanitizer (labels tsan and msan), whatever the rest of the
# build is made with: both need clang++, and MemorySanitizer needs every line of a program compiled with it, so the
# sources are compiled apart.
if(DUEL_SANITIZE)
  return()  # the build without sanitizers has these tests
endif()
find_program(DUEL_CLANGXX clang++ DOC "clang++, for the emulator's tests under ThreadSanitizer and MemorySanitizer")

file(GLOB FAULT_HEADERS CONFIGURE_DEPENDS emulator/*.h emulator/faults/*.h ${PROJECT_SOURCE_DIR}/kernels/cuda/*.cuh)
foreach(label tsan msan)
  if(label STREQUAL "tsan")
    set(flags -fsanitize=thread)
  else()
    set(flags -fsanitize=memory -fsanitize-memory-track-origins)
  endif()
  string(JOIN " " flags_text ${flags})
  if(DUEL_CLANGXX AND NOT DEFINED DUEL_CLANGXX_${label})
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${label}.cpp "#include <vector>\nint main() { return static_cast<int>(std::vector<int>().size()); }\n")
    execute_process(COMMAND ${DUEL_CLANGXX} -std=c++20 ${flags} ${CMAKE_CURRENT_BINARY_DIR}/${label}.cpp
                            -o ${CMAKE_CURRENT_BINARY_DIR}/${label}
                    RESULT_VARIABLE failure OUTPUT_QUIET ERROR_QUIET)
    if(failure)
      set(DUEL_CLANGXX_${label} OFF CACHE INTERNAL "whether clang++ links ${flags_text}")
    else()
      set(DUEL_CLANGXX_${label} ON CACHE INTERNAL "whether clang++ links ${flags_text}")
    endif()
  endif()
  if(NOT DUEL_CLANGXX_${label})
    message(STATUS "Duel: the test emulator.faults_${label} is SKIPPED: no clang++ that links ${flags_text}. "
                   "Install clang and its runtime (Debian: clang libclang-rt-dev, or libclang-rt-14-dev for clang 14)")
    continue()
  endif()

  set(program ${CMAKE_CURRENT_BINARY_DIR}/faults_${label})
  add_custom_command(OUTPUT ${program}
    COMMAND ${DUEL_CLANGXX} -std=c++20 -O1 -g ${flags} -DDUEL_EMULATED -fno-strict-aliasing -march=${DUEL_CPU_ARCH}
            -Wno-unknown-pragmas -I${PROJECT_SOURCE_DIR} -I${CMAKE_CURRENT_SOURCE_DIR} -isystem ${DUEL_CUDA_INCLUDE}
            ${EMULATOR_SOURCES} ${FAULT_SOURCES} -o ${program} -pthread
    DEPENDS ${EMULATOR_SOURCES} ${FAULT_SOURCES} ${FAULT_HEADERS}
    COMMENT "Building the emulator's faults with ${flags_text}" COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(duel_emulator_faults_${label} ALL DEPENDS ${program})
  add_test(NAME emulator.faults_${label} COMMAND ${program})
  set_tests_properties(emulator.faults_${label} PROPERTIES LABELS ${label} TIMEOUT 300)
endforeach()
