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

file(GLOB EMULATOR_SOURCES CONFIGURE_DEPENDS emulator/*.cpp)
list(FILTER EMULATOR_SOURCES EXCLUDE REGEX "_test\\.cpp$")
add_library(duel_emulator_options INTERFACE)
target_include_directories(duel_emulator_options INTERFACE ${CMAKE_CURRENT_SOURCE_DIR})
target_include_directories(duel_emulator_options SYSTEM INTERFACE ${DUEL_CUDA_INCLUDE})
target_compile_definitions(duel_emulator_options INTERFACE DUEL_EMULATED)
# Kernels read memory as vectors of another type, which nvcc allows.
target_compile_options(duel_emulator_options INTERFACE -fno-strict-aliasing -Wno-unknown-pragmas -Wno-pedantic -march=${DUEL_CPU_ARCH}
                                                       ${COMPUTE_OPTIMISATION})
target_link_libraries(duel_emulator_options INTERFACE duel_options Threads::Threads)
add_library(duel_emulator OBJECT ${EMULATOR_SOURCES})
target_link_libraries(duel_emulator PUBLIC duel_emulator_options)

# Faults that the emulator must notice.
file(GLOB FAULT_SOURCES CONFIGURE_DEPENDS emulator/faults/*.cpp)
list(FILTER FAULT_SOURCES EXCLUDE REGEX "raw_shared\\.cpp$")
add_executable(duel_emulator_faults ${FAULT_SOURCES})
target_link_libraries(duel_emulator_faults PRIVATE duel_emulator)
add_test(NAME emulator.faults COMMAND duel_emulator_faults)
include(emulator/faults/sanitized.cmake)
add_test(NAME emulator.faults_raw_shared
         COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -fsyntax-only -I${CMAKE_CURRENT_SOURCE_DIR} -isystem ${DUEL_CUDA_INCLUDE}
                 ${CMAKE_CURRENT_SOURCE_DIR}/emulator/faults/raw_shared.cpp)
set_tests_properties(emulator.faults emulator.faults_raw_shared PROPERTIES TIMEOUT 300)
set_tests_properties(emulator.faults_raw_shared PROPERTIES PASS_REGULAR_EXPRESSION "declare shared arrays with DUEL_SHARED")

# The kernels. Source properties hold for this folder only, so the same files go to nvcc elsewhere.
file(GLOB EMULATED_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/cuda/*.cu ${PROJECT_SOURCE_DIR}/kernels/cuda/*.cpp)
if(NOT EXISTS ${DUEL_CUDA_INCLUDE}/cublasLt.h)
  list(FILTER EMULATED_SOURCES EXCLUDE REGEX "cublaslt\\.cpp$")
endif()
if(NOT EXISTS ${DUEL_CUDA_INCLUDE}/cudnn.h)
  list(FILTER EMULATED_SOURCES EXCLUDE REGEX "cudnn(_graph)?\\.cpp$")
endif()
set_source_files_properties(${EMULATED_SOURCES} PROPERTIES LANGUAGE CXX)
file(GLOB DISPATCHERS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/*.cpp)
file(GLOB DEVICE_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/host/device/cuda/*.cpp)
add_library(duel_kernels_emulated OBJECT ${DISPATCHERS} ${EMULATED_SOURCES} ${DEVICE_SOURCES})
target_compile_definitions(duel_kernels_emulated PRIVATE DUEL_HAS_CUDA)
duel_unite(duel_kernels_emulated EXCEPT "\\.cu$")
target_link_libraries(duel_kernels_emulated PUBLIC duel_emulator_options fmt::fmt PRIVATE DNNL::dnnl Threads::Threads ${CMAKE_DL_LIBS})

file(GLOB EMULATED_TESTS CONFIGURE_DEPENDS emulator/*_test.cpp emulator/backends/*.cpp kernels/operator_test.cpp
     kernels/gather_test.cpp kernels/nan_test.cpp kernels/context_test.cpp)
if(NOT EXISTS ${DUEL_CUDA_INCLUDE}/cublasLt.h)
  list(FILTER EMULATED_TESTS EXCLUDE REGEX "vendor_test\\.cpp$")
endif()
if(NOT EXISTS ${DUEL_CUDA_INCLUDE}/cudnn.h)
  list(FILTER EMULATED_TESTS EXCLUDE REGEX "(cudnn|vendor_conv2d)_test\\.cpp$")
endif()
add_executable(duel_emulated_tests ${EMULATED_TESTS} $<TARGET_OBJECTS:duel_test_support>)
target_link_libraries(duel_emulated_tests PRIVATE duel_host duel_engine duel_kernels_emulated duel_emulator duel_cpu GTest::gtest GTest::gtest_main)
target_compile_options(duel_emulated_tests PRIVATE $<IF:$<BOOL:${DUEL_SANITIZE}>,-O0,${TEST_OPTIMISATION}>)
duel_unite(duel_emulated_tests)
set_target_properties(duel_emulated_tests PROPERTIES ENABLE_EXPORTS ON)
set_source_files_properties(emulator/backends/fake_libraries.cpp PROPERTIES COMPILE_DEFINITIONS DUEL_FAKE_LIBRARIES="${CMAKE_CURRENT_BINARY_DIR}/vendor")
# A vendor's library of the tests' own, loaded as the real one would be; its major version stands in `header`. It calls
# the emulated runtime.
function(duel_add_fake_library library header macro)
  string(TOLOWER fake_${library} source)
  add_library(duel_${source} MODULE emulator/vendor/${source}.cpp)
  target_link_libraries(duel_${source} PRIVATE duel_emulator_options)
  file(STRINGS ${DUEL_CUDA_INCLUDE}/${header} major REGEX "define ${macro} ")
  string(REGEX MATCH "[0-9]+$" major "${major}")
  set_target_properties(duel_${source} PROPERTIES PREFIX "" OUTPUT_NAME lib${library} SUFFIX .so.${major}
                        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/vendor)
  add_dependencies(duel_emulated_tests duel_${source})
endfunction()
if(EXISTS ${DUEL_CUDA_INCLUDE}/cublasLt.h)
  duel_add_fake_library(cublasLt cublas_api.h CUBLAS_VER_MAJOR)
endif()
if(EXISTS ${DUEL_CUDA_INCLUDE}/cudnn.h)
  duel_add_fake_library(cudnn cudnn_version.h CUDNN_MAJOR)
endif()
if(DUEL_SANITIZE)
  # ScheduledTraining: what of it is computed in fp32 shares all its memory with what is computed in bf16.
  duel_discover_suites(duel_emulated_tests PREFIX emulated. FILTER "${OPERATOR_CASES}:*ScheduledTraining*fp32" COST 100)
else()
  set(LONG_CASES "VendorTest.Every*:VendorConv2dTest.Every*")
  gtest_discover_tests(duel_emulated_tests TEST_PREFIX emulated. TEST_FILTER "-${OPERATOR_CASES}:${LONG_CASES}"
                       DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600)
  gtest_discover_tests(duel_emulated_tests TEST_PREFIX emulated. TEST_FILTER "${LONG_CASES}" TEST_LIST duel_emulated_tests_LONG
                       DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600 COST 30)
endif()
# In parts, or it would be the one test that ctest -j waits for.
set(OPERATOR_PARTS 8)
math(EXPR LAST_PART "${OPERATOR_PARTS} - 1")
foreach(part RANGE ${LAST_PART})
  add_test(NAME emulated.operators_${part} COMMAND duel_emulated_tests --gtest_brief=1 "--gtest_filter=${OPERATOR_CASES}")
  set_tests_properties(emulated.operators_${part} PROPERTIES TIMEOUT 600 COST 30
                       ENVIRONMENT "GTEST_TOTAL_SHARDS=${OPERATOR_PARTS};GTEST_SHARD_INDEX=${part}")
endforeach()
