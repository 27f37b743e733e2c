// cuBLASLt's matrices have their columns in memory one after another, so a row-major array [rows, columns] is to it the
// matrix [columns, rows]. With that, y = A B is asked for as y' = B' A', without a transposition anywhere:
//
//   cuBLASLt's A    b: [N,K], or as b is transposed [K,N] and op T        m = N
//   cuBLASLt's B    a: [K,M], or as a is transposed [M,K] and op T        n = M
//   C and D         y: [N,M]; the bias has one number for each row of it, as ours for each column
#include "kernels/cuda/matmul_cublaslt.h"

#include "kernels/check.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

namespace duel {

namespace {

constexpr std::size_t kMostWorkspaceBytes = std::size_t{32} << 20;
constexpr int kMostAlgorithms = 8;

cudaDataType_t type_of(DType dtype) {
  return dtype == DType::bf16 ? CUDA_R_16BF : CUDA_R_32F;
}

template <class Handle>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, cublasStatus_t (*)(Handle)>;

// What the algorithms of one problem share.
struct Description {
  Description(const CublasLt& lt, const std::string& problem)
      : library(lt),
        text(problem),
        matmul(nullptr, lt.MatmulDescDestroy),
        a(nullptr, lt.MatrixLayoutDestroy),
        b(nullptr, lt.MatrixLayoutDestroy),
        y(nullptr, lt.MatrixLayoutDestroy) {}

  template <class Value>
  void set(cublasLtMatmulDescAttributes_t attribute, const Value& value) {
    library.check_status(library.MatmulDescSetAttribute(matmul.get(), attribute, &value, sizeof value), text);
  }

  Owned<cublasLtMatrixLayout_t> layout(DType dtype, std::uint64_t rows, std::uint64_t columns) {
    cublasLtMatrixLayout_t handle = nullptr;
    library.check_status(
        library.MatrixLayoutCreate(&handle, type_of(dtype), rows, columns, static_cast<std::int64_t>(rows)), text);
    return {handle, library.MatrixLayoutDestroy};
  }

  const CublasLt& library;
  std::string text;
  Owned<cublasLtMatmulDesc_t> matmul;
  Owned<cublasLtMatrixLayout_t> a, b, y;
  bool has_bias = false;
};

// An algorithm may be kept as its bytes, for the same version of the library.
using AlgorithmWords = std::array<std::uint64_t, sizeof(cublasLtMatmulAlgo_t) / sizeof(std::uint64_t)>;
constexpr std::size_t kDigits = 16;  // of a word

std::string text_of(const cublasLtMatmulAlgo_t& algorithm) {
  AlgorithmWords words{};
  std::memcpy(words.data(), &algorithm, sizeof algorithm);
  std::string text;
  for (const std::uint64_t word : words) {
    text += fmt::format("{:016x}", word);
  }
  return text;
}

std::optional<cublasLtMatmulAlgo_t> algorithm_of(const std::string& text) {
  AlgorithmWords words{};
  if (text.size() != kDigits * words.size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    const char* const begin = text.data() + kDigits * i;
    if (std::from_chars(begin, begin + kDigits, words[i], 16).ptr != begin + kDigits) {
      return std::nullopt;
    }
  }
  cublasLtMatmulAlgo_t algorithm{};
  std::memcpy(&algorithm, words.data(), sizeof algorithm);
  return algorithm;
}

class CublasLtPlan : public VendorPlan {
public:
  CublasLtPlan(std::shared_ptr<Description> description, const cublasLtMatmulAlgo_t& algorithm,
               std::size_t workspace_bytes)
      : description_(std::move(description)), algorithm_(algorithm), workspace_bytes_(workspace_bytes) {
    name_ = fmt::format("cuBLASLt {}:{}:{}:{}", config(CUBLASLT_ALGO_CONFIG_ID), config(CUBLASLT_ALGO_CONFIG_TILE_ID),
                        config(CUBLASLT_ALGO_CONFIG_STAGES_ID), config(CUBLASLT_ALGO_CONFIG_SPLITK_NUM));
  }

  std::string name() const override { return name_; }
  std::string recipe() const override { return text_of(algorithm_); }
  std::size_t workspace_bytes() const override { return workspace_bytes_; }

  void run(cudaStream_t stream, std::span<const View> inputs, View output, void* workspace) const override {
    Description& d = *description_;
    if (d.has_bias) {  // of the descriptor, which one thread uses
      d.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, inputs[2].data);
    }
    const float one = 1, zero = 0;
    d.library.check_status(d.library.Matmul(d.library.handle(), d.matmul.get(), &one, inputs[1].data, d.a.get(),
                                            inputs[0].data, d.b.get(), &zero, output.data, d.y.get(), output.data,
                                            d.y.get(), &algorithm_, workspace, workspace_bytes_, stream),
                           d.text);
  }

private:
  std::uint32_t config(cublasLtMatmulAlgoConfigAttributes_t attribute) const {
    std::uint32_t value = 0;
    std::size_t written = 0;
    description_->library.MatmulAlgoConfigGetAttribute(&algorithm_, attribute, &value, sizeof value, &written);
    return written == 0 ? 0 : value;
  }

  std::shared_ptr<Description> description_;
  cublasLtMatmulAlgo_t algorithm_;
  std::size_t workspace_bytes_;
  std::string name_;
};

std::shared_ptr<Description> describe(const CublasLt& library, const Matmul& p, bool allow_tf32, View a, View b,
                                      View bias, View y) {
  auto d = std::make_shared<Description>(library, fmt::format("matmul of {} and {} to {}", a, b, y));
  const auto m = static_cast<std::uint64_t>(y.shape[0]), n = static_cast<std::uint64_t>(y.shape.row_count()),
             k = static_cast<std::uint64_t>(a.count()) / m;
  const bool is_tf32 = a.dtype == DType::f32 && allow_tf32;
  cublasLtMatmulDesc_t handle = nullptr;
  library.check_status(
      library.MatmulDescCreate(&handle, is_tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F),
      d->text);
  d->matmul.reset(handle);
  d->set(CUBLASLT_MATMUL_DESC_TRANSA, p.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N);
  d->set(CUBLASLT_MATMUL_DESC_TRANSB, p.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N);
  d->has_bias = bias.shape.rank() > 0;
  const bool has_relu = p.activation.kind == ActivationKind::relu;
  d->set(CUBLASLT_MATMUL_DESC_EPILOGUE, d->has_bias ? (has_relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS)
                                        : has_relu  ? CUBLASLT_EPILOGUE_RELU
                                                    : CUBLASLT_EPILOGUE_DEFAULT);
  if (d->has_bias) {
    d->set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, static_cast<std::int32_t>(CUDA_R_32F));
  }
  d->a = p.transpose_b ? d->layout(b.dtype, k, n) : d->layout(b.dtype, n, k);
  d->b = p.transpose_a ? d->layout(a.dtype, m, k) : d->layout(a.dtype, k, m);
  d->y = d->layout(y.dtype, n, m);
  return d;
}

class CublasLtPlans : public VendorPlans {
public:
  explicit CublasLtPlans(std::shared_ptr<Description> description) : description_(std::move(description)) {}

  std::unique_ptr<VendorPlan> next() override {
    if (!has_asked_) {
      has_asked_ = true;
      ask();
    }
    while (next_ < count_) {
      const cublasLtMatmulHeuristicResult_t& found = found_[static_cast<std::size_t>(next_++)];
      if (found.state == CUBLAS_STATUS_SUCCESS) {
        return std::make_unique<CublasLtPlan>(description_, found.algo, found.workspaceSize);
      }
    }
    return nullptr;
  }

  std::unique_ptr<VendorPlan> rebuild(const std::string& recipe) override {
    const std::optional<cublasLtMatmulAlgo_t> algorithm = algorithm_of(recipe);
    const Description& d = *description_;
    cublasLtMatmulHeuristicResult_t result{};
    const bool is_taken = algorithm &&
                          d.library.MatmulAlgoCheck(d.library.handle(), d.matmul.get(), d.a.get(), d.b.get(), d.y.get(),
                                                    d.y.get(), &*algorithm, &result) == CUBLAS_STATUS_SUCCESS &&
                          result.workspaceSize <= kMostWorkspaceBytes;
    return is_taken ? std::make_unique<CublasLtPlan>(description_, *algorithm, result.workspaceSize) : nullptr;
  }

private:
  void ask() {
    const Description& d = *description_;
    const CublasLt& library = d.library;
    cublasLtMatmulPreference_t handle = nullptr;
    library.check_status(library.MatmulPreferenceCreate(&handle), d.text);
    const Owned<cublasLtMatmulPreference_t> preference(handle, library.MatmulPreferenceDestroy);
    const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, const auto& value) {
      library.check_status(library.MatmulPreferenceSetAttribute(preference.get(), attribute, &value, sizeof value),
                           d.text);
    };
    prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{kMostWorkspaceBytes});
    // Not in place, which adds in any order, and not in the output's type, which may be bf16.
    prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
           static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
    for (const auto attribute :
         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
          CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
      prefer(attribute, std::uint32_t{kVendorAlignment});
    }
    int count = 0;
    const cublasStatus_t status =
        library.MatmulAlgoGetHeuristic(library.handle(), d.matmul.get(), d.a.get(), d.b.get(), d.y.get(), d.y.get(),
                                       preference.get(), kMostAlgorithms, found_.data(), &count);
    if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE) {
      return;  // of these types and this epilogue it has none
    }
    library.check_status(status, d.text);
    count_ = count;
  }

  std::shared_ptr<Description> description_;
  std::array<cublasLtMatmulHeuristicResult_t, kMostAlgorithms> found_{};
  int count_ = 0, next_ = 0;
  bool has_asked_ = false;
};

}  // namespace

std::unique_ptr<VendorPlans> cublaslt_matmul_plans(const CublasLt& library, const Matmul& matmul, bool allow_tf32,
                                                   View a, View b, View bias, View y) {
  const ActivationKind kind = matmul.activation.kind;
  if (kind != ActivationKind::identity && kind != ActivationKind::relu) {
    return nullptr;
  }
  return std::make_unique<CublasLtPlans>(describe(library, matmul, allow_tf32, a, b, bias, y));
}

}  // namespace duel
