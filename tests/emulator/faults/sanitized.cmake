# The planted faults once more under ThreadSanitizer and MemorySanitizer (labels tsan and msan), whatever the rest of the
# build is made with. MemorySanitizer needs every line of a program compiled with it, so the sources are compiled apart.
file(GLOB FAULT_HEADERS CONFIGURE_DEPENDS emulator/*.h emulator/faults/*.h ${PROJECT_SOURCE_DIR}/kernels/cuda/*.cuh)
foreach(label tsan msan)
  if(NOT DUEL_CLANGXX_${label})
    continue()
  endif()
  set(flags ${DUEL_FLAGS_${label}})
  set(program ${CMAKE_CURRENT_BINARY_DIR}/faults_${label})
  add_custom_command(OUTPUT ${program}
    COMMAND ${DUEL_CLANGXX} -std=c++20 -O1 -g ${flags} -DDUEL_EMULATED -fno-strict-aliasing -march=${DUEL_CPU_ARCH}
            -Wno-unknown-pragmas -I${PROJECT_SOURCE_DIR} -I${CMAKE_CURRENT_SOURCE_DIR} -isystem ${DUEL_CUDA_INCLUDE}
            ${EMULATOR_SOURCES} ${FAULT_SOURCES} -o ${program} -pthread
    DEPENDS ${EMULATOR_SOURCES} ${FAULT_SOURCES} ${FAULT_HEADERS}
    COMMENT "Building the emulator's faults under ${label}" COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(duel_emulator_faults_${label} ALL DEPENDS ${program})
  add_test(NAME emulator.faults_${label} COMMAND ${program})
  set_tests_properties(emulator.faults_${label} PROPERTIES LABELS ${label} TIMEOUT 300)
endforeach()
