#include "kernels/cross_entropy.h"

#include "kernels/cpu/parallel.h"

#include <cmath>
#include <limits>

namespace duel {

namespace {

// The mean over the rows of term(row), in double: over fixed blocks, and then in order.
template <class Term>
float mean_over_rows(CpuContext& context, const Shape& logits, const Term& term) {
  const std::int64_t rows = logits[0], most = CpuContext::kPartialBytes / sizeof(double);
  const std::int64_t block = std::max({std::int64_t{1}, kPointwiseGrain / logits.back(), (rows + most - 1) / most});
  const std::int64_t blocks = (rows + block - 1) / block;
  auto* partials = static_cast<double*>(context.partials());
  parallel_ranges(context, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      double sum = 0;
      for (std::int64_t row = b * block; row < std::min(rows, (b + 1) * block); ++row) {
        sum += static_cast<double>(term(row));
      }
      partials[b] = sum;
    }
  });
  double sum = 0;
  for (std::int64_t b = 0; b < blocks; ++b) {
    sum += partials[b];
  }
  return static_cast<float>(sum / static_cast<double>(rows));
}

}  // namespace

void softmax_cross_entropy(CpuContext& context, const CrossEntropy& p, View logits, View labels, View loss,
                           View log_sums) {
  const int classes = logits.shape[1];
  const auto* label_of = labels.as<const std::int32_t>();
  auto* sums = log_sums.as<float>();
  loss.as<float>()[0] = mean_over_rows(context, logits.shape, [&](std::int64_t row) {
    const float* x = logits.as<const float>() + row * classes;
    const std::int32_t label = label_of[row];
    if (label < 0 || label >= classes) {
      sums[row] = std::numeric_limits<float>::infinity();
      return 0.0F;
    }
    float largest = x[0];
    for (int k = 1; k < classes; ++k) {
      largest = x[k] > largest ? x[k] : largest;
    }
    float exponentials = 0, differences = 0;
    for (int k = 0; k < classes; ++k) {
      const float difference = x[k] - largest;
      exponentials += std::exp(difference);
      differences += difference;
    }
    const float log_sum = std::log(exponentials);
    sums[row] = largest + log_sum;
    return log_sum - (1.0F - p.smoothing) * (x[label] - largest) -
           p.smoothing / static_cast<float>(classes) * differences;
  });
}

void softmax_cross_entropy_backward(CpuContext& context, const CrossEntropy& p, View logits, View labels, View log_sums,
                                    View dlogits) {
  const int classes = logits.shape[1];
  const float share = 1.0F / static_cast<float>(logits.shape[0]);
  const float others = p.smoothing / static_cast<float>(classes), own = 1.0F - p.smoothing;
  const std::int64_t grain = std::max<std::int64_t>(1, kPointwiseGrain / classes);
  parallel_ranges(context, logits.shape[0], grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float* x = logits.as<const float>() + row * classes;
      float* dx = dlogits.as<float>() + row * classes;
      const std::int32_t label = labels.as<const std::int32_t>()[row];
      const float log_sum = log_sums.as<const float>()[row];
      const bool has_label = label >= 0 && label < classes;
      for (int k = 0; k < classes; ++k) {
        const float target = has_label ? others + (k == label ? own : 0.0F) : 0.0F;
        dx[k] = share * (std::exp(x[k] - log_sum) - target);
      }
    }
  });
}

void fraction_correct(CpuContext& context, View logits, View labels, View y) {
  const int classes = logits.shape[1];
  y.as<float>()[0] = mean_over_rows(context, logits.shape, [&](std::int64_t row) {
    const float* x = logits.as<const float>() + row * classes;
    const std::int32_t label = labels.as<const std::int32_t>()[row];
    if (label < 0 || label >= classes) {
      return 0.0F;
    }
    bool is_largest = x[label] == x[label];  // not where it is not a number
    for (int k = 0; k < classes; ++k) {
      is_largest = is_largest && (k < label ? x[k] < x[label] : x[k] <= x[label]);
    }
    return is_largest ? 1.0F : 0.0F;
  });
}

}  // namespace duel
