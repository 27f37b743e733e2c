// The cross-entropy of a softmax against labels (contract: kernels/cross_entropy.h).
//
//   softmax_cross_entropy, fraction_correct   a warp takes a row at a time, a lane every 32nd of its logits, which it
//     reads again for each sum: a row of a few thousand lies in the first cache. A block sums its rows' terms, and the
//     block that finishes last the blocks' sums, in order
//   softmax_cross_entropy_backward            one thread makes one element at a time
#include "kernels/cross_entropy.h"

#include "kernels/cuda/pointwise.cuh"

namespace duel {

// ---- device helpers

namespace {

constexpr int kThreads = 256, kWarps = kThreads / 32;
constexpr int kMostBlocks = 128;  // not more than threads: the last block gives each a sum

__device__ __forceinline__ float warp_largest(float value) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) {
    const float other = __shfl_xor_sync(kFullWarp, value, distance);
    value = other > value ? other : value;
  }
  return value;
}

// The term of the loss of one row, in every lane; lane 0 writes its sum. All lanes must call it.
struct CrossEntropyTerm {
  CrossEntropy p;
  float* log_sums;  // [rows]
  __device__ float operator()(const float* x, std::int64_t row, std::int32_t label, int classes) const {
    const int lane = static_cast<int>(threadIdx.x % 32);
    float largest = x[0];
    for (int k = lane; k < classes; k += 32) {
      largest = x[k] > largest ? x[k] : largest;
    }
    largest = warp_largest(largest);
    float exponentials = 0, differences = 0;
    for (int k = lane; k < classes; k += 32) {
      const float difference = x[k] - largest;
      exponentials += expf(difference);
      differences += difference;
    }
    const float log_sum = logf(warp_sum(exponentials));
    differences = warp_sum(differences);
    const bool has_label = label >= 0 && label < classes;
    if (lane == 0) {
      log_sums[row] = has_label ? largest + log_sum : INFINITY;
    }
    return has_label ? log_sum - (1.0F - p.smoothing) * (x[label] - largest) -
                           p.smoothing / static_cast<float>(classes) * differences
                     : 0.0F;
  }
};

struct CorrectTerm {
  __device__ float operator()(const float* x, std::int64_t, std::int32_t label, int classes) const {
    const bool has_label = label >= 0 && label < classes;
    const float own = x[has_label ? label : 0];
    int others = own == own ? 0 : 1;  // that are larger, or as large and before it; or it is not a number
    for (int k = static_cast<int>(threadIdx.x % 32); k < classes; k += 32) {
      others += (k < label ? x[k] < own : x[k] <= own) ? 0 : 1;
    }
    others = warp_sum(others);
    return has_label && others == 0 ? 1.0F : 0.0F;
  }
};

}  // namespace

// ---- kernels

template <class Term>
__global__ void __launch_bounds__(kThreads) mean_over_rows_kernel(Term term,
                                                                  const float* logits,         // [rows, classes]
                                                                  const std::int32_t* labels,  // [rows]
                                                                  float* mean,                 // [1]
                                                                  int rows, int classes,
                                                                  float* partials,  // [gridDim.x]
                                                                  unsigned* ticket) {
  float sum = 0;
  const int stride = static_cast<int>(gridDim.x) * kWarps;
  for (int row = static_cast<int>(blockIdx.x) * kWarps + static_cast<int>(threadIdx.x / 32); row < rows;
       row += stride) {
    sum += term(logits + std::int64_t{row} * classes, row, labels[row], classes);
  }
  sum = block_sum<kThreads>(threadIdx.x % 32 == 0 ? sum : 0.0F);
  if (gridDim.x > 1) {
    if (threadIdx.x == 0) {
      partials[blockIdx.x] = sum;
    }
    if (!is_last_block(ticket, gridDim.x)) {
      return;  // the whole block
    }
    sum = block_sum<kThreads>(threadIdx.x < gridDim.x ? partials[threadIdx.x] : 0.0F);
  }
  if (threadIdx.x == 0) {
    mean[0] = sum / static_cast<float>(rows);
  }
}

__global__ void __launch_bounds__(kMapThreads)
    softmax_cross_entropy_backward_kernel(const float* logits,         // [count]
                                          const std::int32_t* labels,  // [count / classes]
                                          const float* log_sums,       // [count / classes]
                                          float* dlogits,              // [count], may be logits
                                          int classes, std::int64_t count, float share, float own, float others) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kMapThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kMapThreads + threadIdx.x; i < count; i += stride) {
    const std::int64_t row = i / classes;
    const std::int32_t label = labels[row];
    const bool has_label = label >= 0 && label < classes;
    const float target = has_label ? others + (i - row * classes == label ? own : 0.0F) : 0.0F;
    dlogits[i] = share * (expf(logits[i] - log_sums[row]) - target);
  }
}

// ---- launchers

namespace {

template <class Term>
void mean_over_rows(CudaContext& context, const char* op, const Term& term, View logits, View labels, View mean) {
  static_assert(kMostBlocks <= kThreads);
  launch(context, op, {blocks_for(logits.shape[0], kWarps, 1, kMostBlocks), kThreads}, mean_over_rows_kernel<Term>,
         term, logits.as<const float>(), labels.as<const std::int32_t>(), mean.as<float>(), logits.shape[0],
         logits.shape[1], static_cast<float*>(context.partials()), context.tickets());
}

}  // namespace

void softmax_cross_entropy(CudaContext& context, const CrossEntropy& p, View logits, View labels, View loss,
                           View log_sums) {
  mean_over_rows(context, "softmax_cross_entropy", CrossEntropyTerm{p, log_sums.as<float>()}, logits, labels, loss);
}

void softmax_cross_entropy_backward(CudaContext& context, const CrossEntropy& p, View logits, View labels,
                                    View log_sums, View dlogits) {
  const int classes = logits.shape[1];
  launch(context, "softmax_cross_entropy_backward",
         {blocks_for(logits.count(), kMapThreads, 1, kMapBlocks), kMapThreads}, softmax_cross_entropy_backward_kernel,
         logits.as<const float>(), labels.as<const std::int32_t>(), log_sums.as<const float>(), dlogits.as<float>(),
         classes, logits.count(), 1.0F / static_cast<float>(logits.shape[0]), 1.0F - p.smoothing,
         p.smoothing / static_cast<float>(classes));
}

void fraction_correct(CudaContext& context, View logits, View labels, View y) {
  mean_over_rows(context, "fraction_correct", CorrectTerm{}, logits, labels, y);
}

}  // namespace duel
