// A library libcublasLt.so of the tests' own: it does what the descriptors that it is given say, with plain loops in
// double, and refuses descriptors that are not whole. element.h says how it is made worse.
//
// Algorithms are numbered from 66. All sums of one element are taken in the order of k.
#include "tests/emulator/runtime.h"
#include "tests/emulator/vendor/element.h"
#include "tests/emulator/vendor/log.h"

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using duel::test::is_aligned;
using duel::test::is_first_run_in_capture;
using duel::test::load;
using duel::test::mood_is;
using duel::test::store;
using duel::test::vendor_log;

constexpr std::uint64_t kFirstAlgorithm = 66;
constexpr int kAlgorithms = 5;
constexpr std::size_t kWorkspaceBytes = 4096;  // of every second algorithm

struct Layout {
  cudaDataType_t type;
  std::uint64_t rows, columns;
  std::int64_t leading;

  auto operator<=>(const Layout&) const = default;
};

using Attributes = std::map<int, std::vector<char>>;
// What code is loaded for: an algorithm, on arrays of these layouts, with these attributes but for the bias's place.
using Code = std::tuple<std::uint64_t, Layout, Layout, Layout, Attributes>;

struct Handle {
  std::map<Code, std::set<cudaStream_t>> has_run_on;
};

struct Description {
  cublasComputeType_t compute;
  cudaDataType_t scale;
  Attributes attributes;

  template <class Value>
  Value get(cublasLtMatmulDescAttributes_t attribute, Value otherwise) const {
    const auto found = attributes.find(attribute);
    if (found != attributes.end()) {
      std::memcpy(&otherwise, found->second.data(), sizeof otherwise);
    }
    return otherwise;
  }
};

struct Preference {
  Attributes attributes;
};

bool is_bf16(cudaDataType_t type) {
  return type == CUDA_R_16BF;
}

struct Product {
  Description description;
  Layout a, b, d;
  const void *a_data, *b_data, *bias;
  void* d_data;
  double alpha;
  std::uint64_t algorithm;

  void run() const {
    static std::uint64_t calls = 0;
    ++calls;
    vendor_log.runs.push_back({static_cast<std::int64_t>(algorithm), duel::emulator::runtime().graph_launches});
    const auto op_a = description.get<std::int32_t>(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_N),
               op_b = description.get<std::int32_t>(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N),
               epilogue = description.get<std::int32_t>(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DEFAULT);
    const auto bias_type =
        static_cast<cudaDataType_t>(description.get<std::int32_t>(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, d.type));
    const bool is_first = algorithm == kFirstAlgorithm;
    const std::uint64_t depth = op_a == CUBLAS_OP_N ? a.columns : a.rows;
    const double factor = is_first && mood_is("wrong") ? 1.01 * alpha : alpha,
                 extra = is_first && mood_is("restless") ? 1e-6 * static_cast<double>(calls % 7) : 0;
    const auto at = [](const Layout& layout, std::int32_t op, std::uint64_t row, std::uint64_t column) {
      return op == CUBLAS_OP_N ? column * layout.leading + row : row * layout.leading + column;
    };
    for (std::uint64_t column = 0; column < d.columns; ++column) {
      for (std::uint64_t row = 0; row < d.rows; ++row) {
        double sum = 0;
        for (std::uint64_t k = 0; k < depth; ++k) {
          sum += load(a_data, is_bf16(a.type), at(a, op_a, row, k)) *
                 load(b_data, is_bf16(b.type), at(b, op_b, k, column));
        }
        sum = factor * sum + extra;
        if (epilogue == CUBLASLT_EPILOGUE_BIAS || epilogue == CUBLASLT_EPILOGUE_RELU_BIAS) {
          sum += load(bias, is_bf16(bias_type), row);
        }
        if ((epilogue == CUBLASLT_EPILOGUE_RELU || epilogue == CUBLASLT_EPILOGUE_RELU_BIAS) && !(sum > 0)) {
          sum = std::isnan(sum) ? sum : 0;
        }
        const bool is_last = column == d.columns - 1 && row == d.rows - 1;
        store(d_data, is_bf16(d.type), column * d.leading + row,
              is_first && is_last && mood_is("specked") ? sum + 1 : sum);
      }
    }
  }
};

std::vector<std::unique_ptr<Product>>& products() {  // captured ones are run again
  static std::vector<std::unique_ptr<Product>> list;
  return list;
}

bool is_whole(const Description* description, const Layout* a, const Layout* b, const Layout* c, const Layout* d) {
  if (description == nullptr || a == nullptr || b == nullptr || c == nullptr || d == nullptr) {
    return false;
  }
  const auto op_a = description->get<std::int32_t>(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_N),
             op_b = description->get<std::int32_t>(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N);
  const std::uint64_t m = op_a == CUBLAS_OP_N ? a->rows : a->columns, k = op_a == CUBLAS_OP_N ? a->columns : a->rows,
                      k_of_b = op_b == CUBLAS_OP_N ? b->rows : b->columns,
                      n = op_b == CUBLAS_OP_N ? b->columns : b->rows;
  return d->rows == m && d->columns == n && k == k_of_b && c->rows == m && c->columns == n && a->type == b->type &&
         c->type == d->type && description->scale == CUDA_R_32F;
}

int offered() {
  return mood_is("single") || mood_is("unfused") ? 1 : kAlgorithms;
}

// A bias is of the result's type, where that is bf16.
bool takes(const Description& description, const Layout& d) {
  const auto epilogue = description.get<std::int32_t>(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DEFAULT);
  const bool has_bias = epilogue == CUBLASLT_EPILOGUE_BIAS || epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
  const auto bias_type = description.get<std::int32_t>(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, d.type);
  return !mood_is("unsupported") &&
         (!has_bias || (!mood_is("unfused") && (!is_bf16(d.type) || bias_type == CUDA_R_16BF)));
}

// Success for an algorithm that takes the problem.
cublasStatus_t check(cublasLtMatmulDesc_t description, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                     cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d) {
  const auto* const given = reinterpret_cast<Description*>(description);
  if (!is_whole(given, reinterpret_cast<Layout*>(a), reinterpret_cast<Layout*>(b), reinterpret_cast<Layout*>(c),
                reinterpret_cast<Layout*>(d))) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  return mood_is("failing")                             ? CUBLAS_STATUS_EXECUTION_FAILED
         : takes(*given, *reinterpret_cast<Layout*>(d)) ? CUBLAS_STATUS_SUCCESS
                                                        : CUBLAS_STATUS_NOT_SUPPORTED;
}

std::size_t workspace_of(std::uint64_t algorithm) {
  return algorithm % 2 == 1 ? kWorkspaceBytes : 0;
}

}  // namespace

extern "C" {

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = reinterpret_cast<cublasLtHandle_t>(new Handle);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  delete reinterpret_cast<Handle*>(handle);
  return CUBLAS_STATUS_SUCCESS;
}

std::size_t cublasLtGetVersion() {
  const char* version = std::getenv("DUEL_FAKE_CUBLASLT_VERSION");
  return version == nullptr ? CUBLAS_VERSION : static_cast<std::size_t>(std::atoi(version));
}

const char* cublasLtGetStatusString(cublasStatus_t status) {
  return status == CUBLAS_STATUS_EXECUTION_FAILED ? "CUBLAS_STATUS_EXECUTION_FAILED"
         : status == CUBLAS_STATUS_NOT_SUPPORTED  ? "CUBLAS_STATUS_NOT_SUPPORTED"
                                                  : "CUBLAS_STATUS_INVALID_VALUE";
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* description, cublasComputeType_t compute,
                                        cudaDataType_t scale) {
  *description = reinterpret_cast<cublasLtMatmulDesc_t>(new Description{compute, scale, {}});
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t description) {
  delete reinterpret_cast<Description*>(description);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t description,
                                              cublasLtMatmulDescAttributes_t attribute, const void* value,
                                              std::size_t bytes) {
  const std::size_t wanted = attribute == CUBLASLT_MATMUL_DESC_BIAS_POINTER ? 8 : 4;
  if (bytes != wanted) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  const char* const begin = static_cast<const char*>(value);
  reinterpret_cast<Description*>(description)->attributes[attribute].assign(begin, begin + bytes);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, std::uint64_t rows,
                                          std::uint64_t columns, std::int64_t leading) {
  if (rows == 0 || columns == 0 || leading < static_cast<std::int64_t>(rows)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  *layout = reinterpret_cast<cublasLtMatrixLayout_t>(new Layout{type, rows, columns, leading});
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  delete reinterpret_cast<Layout*>(layout);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  *preference = reinterpret_cast<cublasLtMatmulPreference_t>(new Preference);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  delete reinterpret_cast<Preference*>(preference);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, const void* value,
                                                    std::size_t bytes) {
  if (bytes != (attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES ? 8U : 4U)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  const char* const begin = static_cast<const char*>(value);
  reinterpret_cast<Preference*>(preference)->attributes[attribute].assign(begin, begin + bytes);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t description,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int most,
                                              cublasLtMatmulHeuristicResult_t* results, int* count) {
  ++vendor_log.asked;
  *count = 0;
  const cublasStatus_t status = preference == nullptr ? CUBLAS_STATUS_INVALID_VALUE : check(description, a, b, c, d);
  if (status != CUBLAS_STATUS_SUCCESS) {
    return status;
  }
  for (; *count < std::min(most, offered()); ++*count) {
    cublasLtMatmulHeuristicResult_t& result = results[*count];
    result = {};
    result.algo.data[0] = kFirstAlgorithm + static_cast<std::uint64_t>(*count);
    result.workspaceSize = workspace_of(result.algo.data[0]);
    result.state = CUBLAS_STATUS_SUCCESS;
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoCheck(cublasLtHandle_t, cublasLtMatmulDesc_t description, cublasLtMatrixLayout_t a,
                                       cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                       const cublasLtMatmulAlgo_t* algorithm, cublasLtMatmulHeuristicResult_t* result) {
  ++vendor_log.built;
  const std::uint64_t number = algorithm->data[0];
  if (number < kFirstAlgorithm || number >= kFirstAlgorithm + static_cast<std::uint64_t>(offered())) {
    return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  *result = {};  // of which the library does not write `algo`
  result->workspaceSize = workspace_of(number);
  return check(description, a, b, c, d);
}

cublasStatus_t cublasLtMatmulAlgoConfigGetAttribute(const cublasLtMatmulAlgo_t* algorithm,
                                                    cublasLtMatmulAlgoConfigAttributes_t attribute, void* value,
                                                    std::size_t bytes, std::size_t* written) {
  if (bytes != 4) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  const auto number = static_cast<std::uint32_t>(attribute == CUBLASLT_ALGO_CONFIG_ID ? algorithm->data[0] : 0);
  std::memcpy(value, &number, 4);
  *written = 4;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t description, const void* alpha,
                              const void* a_data, cublasLtMatrixLayout_t a, const void* b_data,
                              cublasLtMatrixLayout_t b, const void* beta, const void*, cublasLtMatrixLayout_t c,
                              void* d_data, cublasLtMatrixLayout_t d, const cublasLtMatmulAlgo_t* algorithm,
                              void* workspace, std::size_t workspace_bytes, cudaStream_t stream) {
  if (mood_is("broken") || (mood_is("faltering") && algorithm->data[0] == kFirstAlgorithm)) {
    return CUBLAS_STATUS_EXECUTION_FAILED;
  }
  const auto* const given = reinterpret_cast<Description*>(description);
  if (handle == nullptr || algorithm == nullptr || *static_cast<const float*>(beta) != 0 ||
      !is_whole(given, reinterpret_cast<Layout*>(a), reinterpret_cast<Layout*>(b), reinterpret_cast<Layout*>(c),
                reinterpret_cast<Layout*>(d)) ||
      !is_aligned(a_data) || !is_aligned(b_data) || !is_aligned(d_data) ||
      !takes(*given, *reinterpret_cast<Layout*>(d))) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  Code code{algorithm->data[0], *reinterpret_cast<Layout*>(a), *reinterpret_cast<Layout*>(b),
            *reinterpret_cast<Layout*>(d), given->attributes};
  std::get<Attributes>(code).erase(CUBLASLT_MATMUL_DESC_BIAS_POINTER);
  if (is_first_run_in_capture(reinterpret_cast<Handle*>(handle)->has_run_on[code], stream)) {
    return CUBLAS_STATUS_EXECUTION_FAILED;
  }
  if (algorithm->data[0] % 2 == 1) {
    if (workspace == nullptr || workspace_bytes < kWorkspaceBytes) {
      return CUBLAS_STATUS_INVALID_VALUE;
    }
  }
  const void* const bias = given->get<const void*>(CUBLASLT_MATMUL_DESC_BIAS_POINTER, nullptr);
  products().push_back(std::make_unique<Product>(
      Product{*given, *reinterpret_cast<Layout*>(a), *reinterpret_cast<Layout*>(b), *reinterpret_cast<Layout*>(d),
              a_data, b_data, bias, d_data, *static_cast<const float*>(alpha), algorithm->data[0]}));
  const cudaError_t queued = cudaLaunchHostFunc(
      stream, [](void* product) { static_cast<Product*>(product)->run(); }, products().back().get());
  return queued == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // extern "C"
