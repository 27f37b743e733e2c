# The backend `emulated`: every .cu of kernels/cuda compiled as C++ and run on the CPU (README.md in this folder). It needs
# CUDA's headers, but neither nvcc nor a GPU.
find_path(DUEL_CUDA_INCLUDE cuda_runtime.h HINTS ${CUDAToolkit_INCLUDE_DIRS} /usr/local/cuda/include
          DOC "Folder of cuda_runtime.h, for the emulator")
if(NOT DUEL_CUDA_INCLUDE)
  message(STATUS "Duel: the emulated CUDA backend and its tests are SKIPPED: no cuda_runtime.h was found. Install CUDA's headers "
                 "(Debian: nvidia-cuda-toolkit; or pip install nvidia-cuda-runtime nvidia-cuda-crt) and set DUEL_CUDA_INCLUDE")
  return()
endif()
message(STATUS "Duel: the CUDA kernels run emulated in the tests, with the headers of ${DUEL_CUDA_INCLUDE}")
find_package(Threads REQUIRED)

# Source properties hold for this folder only, so the same files go to nvcc elsewhere.
file(GLOB EMULATED_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/cuda/*.cu ${PROJECT_SOURCE_DIR}/kernels/cuda/*.cpp)
set_source_files_properties(${EMULATED_SOURCES} PROPERTIES LANGUAGE CXX)
file(GLOB DISPATCHERS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/*.cpp)
file(GLOB EMULATOR_SOURCES CONFIGURE_DEPENDS emulator/*.cpp)
list(FILTER EMULATOR_SOURCES EXCLUDE REGEX "_test\\.cpp$")

add_library(duel_emulated_options INTERFACE)
target_include_directories(duel_emulated_options INTERFACE ${CMAKE_CURRENT_SOURCE_DIR})
target_include_directories(duel_emulated_options SYSTEM INTERFACE ${DUEL_CUDA_INCLUDE})
target_compile_definitions(duel_emulated_options INTERFACE DUEL_EMULATED DUEL_HAS_CUDA)
# Kernels read memory as vectors of another type, which nvcc allows.
target_compile_options(duel_emulated_options INTERFACE -fno-strict-aliasing -Wno-unknown-pragmas -Wno-pedantic -march=${DUEL_CPU_ARCH})
target_link_libraries(duel_emulated_options INTERFACE duel_options fmt::fmt Threads::Threads)

add_library(duel_kernels_emulated OBJECT ${DISPATCHERS} ${EMULATED_SOURCES} ${EMULATOR_SOURCES})
target_link_libraries(duel_kernels_emulated PUBLIC duel_emulated_options PRIVATE DNNL::dnnl OpenMP::OpenMP_CXX)

file(GLOB EMULATED_TESTS CONFIGURE_DEPENDS emulator/*_test.cpp emulator/backends/*.cpp kernels/operator_test.cpp
     kernels/gather_test.cpp kernels/context_test.cpp)
add_executable(duel_emulated_tests ${EMULATED_TESTS} $<TARGET_OBJECTS:duel_test_support>)
target_link_libraries(duel_emulated_tests PRIVATE duel_host duel_engine duel_kernels_emulated duel_cpu GTest::gtest GTest::gtest_main)
target_compile_definitions(duel_emulated_tests PRIVATE DUEL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
gtest_discover_tests(duel_emulated_tests TEST_PREFIX emulated. TEST_FILTER "-${OPERATOR_CASES}" DISCOVERY_TIMEOUT 60
                     PROPERTIES TIMEOUT 600 ENVIRONMENT ${QUIET_THREADS})
add_test(NAME emulated.operators COMMAND duel_emulated_tests --gtest_brief=1 "--gtest_filter=${OPERATOR_CASES}")
set_tests_properties(emulated.operators PROPERTIES TIMEOUT 1200 ENVIRONMENT ${QUIET_THREADS})
