// Normalisation within each row (contract: kernels/group_norm.h). Two ways, by where a group's numbers lie.
//
//   side by side   of one place each, as layer normalisation has them (the place kernels). A group is `lanes` threads
//   of
//                  a warp, each with 16 bytes of it at a time where sizes and pointers allow it, else an element; what
//                  is read again lies in the first cache
//   in columns     of all places of a picture. The kernels of moments and of gradients' sums go down the columns: a
//                  block of 256 threads takes 32 columns of a part of the places, 8 places at a time, a thread one
//                  column. Warps merge columns and parts to groups, and pointwise kernels follow
//
// The gradients of gamma and beta are sums over all rows of what the kernel of gradients' sums makes; of groups side by
// side it takes all places for one picture's. All partial results go to `partials` in the order of pictures and parts,
// and are added in that order: the sums do not depend on which block comes first.
//
// Moved: forward x twice (in columns) or once, and y; backward dy and x twice each, and dx.
#include "kernels/group_norm.h"

#include "kernels/cuda/device.cuh"

#include <algorithm>

namespace duel {

// ---- device helpers

namespace {

constexpr int kThreads = 256, kTile = 32, kDown = kThreads / kTile;
constexpr std::int64_t kMostParts = 256;  // of all pictures together, where one would be too few
#ifdef DUEL_EMULATED
constexpr std::int64_t kMostBlocks = 3, kLeastPlaces = 16;  // so that small arrays loop, and have several parts
#else
constexpr std::int64_t kMostBlocks = 2048, kLeastPlaces = 256;
#endif

// The sum over neighbouring threads, `lanes` of them, a power of two; the same bits in all of them. All lanes of the
// warp must call it.
template <class T>
__device__ __forceinline__ T sum_of_lanes(T value, int lanes) {
  for (int distance = lanes / 2; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(kFullWarp, value, distance);
  }
  return value;
}

// How [pictures, places, columns] are summed along places: each picture in `parts` parts.
struct Columns {
  std::int64_t places;
  int columns, groups, of_group, parts;
  bool each_pixel;  // a place has statistics of its own; then all are one picture's

  __device__ __forceinline__ std::int64_t begin(int part) const { return places * part / parts; }
  __device__ __forceinline__ std::int64_t statistic(std::int64_t picture, std::int64_t place, int column) const {
    return (each_pixel ? place : picture) * groups + column / of_group;
  }
};

}  // namespace

// ---- kernels

template <int Width, class T>
__global__ void __launch_bounds__(kThreads)
    group_norm_place_kernel(const T* x,                             // [rows, groups, columns]
                            const float* gamma, const float* beta,  // [groups, columns], or null
                            T* y,                                   // [rows, groups, columns], may be x
                            float* mean, float* rstd,               // [rows, groups]
                            std::int64_t count, int groups, int columns, int lanes, float epsilon) {
  const int lane = static_cast<int>(threadIdx.x) % lanes, at_once = kThreads / lanes;
  const float share = 1.0F / static_cast<float>(columns);
  const std::int64_t stride = std::int64_t{gridDim.x} * at_once;
  // All threads of a block take part in every turn: some lanes of a warp may have no group in the last.
  for (std::int64_t first = std::int64_t{blockIdx.x} * at_once; first < count; first += stride) {
    const std::int64_t i = first + threadIdx.x / lanes;
    const T* const from = x + i * columns;
    const float start = i < count ? to_float(from[0]) : 0.0F;  // equal numbers have exactly themselves as mean
    float sum = 0;
    for (int c = lane * Width; c < columns && i < count; c += lanes * Width) {
      const Vector<T, Width> values = load_vector<T, Width>(from + c);
#pragma unroll
      for (int k = 0; k < Width; ++k) {
        sum += to_float(values.values[k]) - start;
      }
    }
    const float m = start + share * sum_of_lanes(sum, lanes);
    float squares = 0;
    for (int c = lane * Width; c < columns && i < count; c += lanes * Width) {
      const Vector<T, Width> values = load_vector<T, Width>(from + c);
#pragma unroll
      for (int k = 0; k < Width; ++k) {
        const float deviation = to_float(values.values[k]) - m;
        squares += deviation * deviation;
      }
    }
    const float r = 1.0F / sqrtf(share * sum_of_lanes(squares, lanes) + epsilon);
    const std::int64_t column = i % groups * columns;
    for (int c = lane * Width; c < columns && i < count; c += lanes * Width) {
      Vector<T, Width> values = load_vector<T, Width>(from + c);
#pragma unroll
      for (int k = 0; k < Width; ++k) {
        float h = (to_float(values.values[k]) - m) * r;
        if (gamma != nullptr) {
          h = gamma[column + c + k] * h + beta[column + c + k];
        }
        values.values[k] = from_float<T>(h);
      }
      store_vector(y + i * columns + c, values);
    }
    if (lane == 0 && i < count) {
      mean[i] = m;
      rstd[i] = r;
    }
  }
}

template <int Width, class T>
__global__ void __launch_bounds__(kThreads)
    group_norm_place_gradient_kernel(const T* dy, const T* x,               // [rows, groups, columns]
                                     const float* gamma,                    // [groups, columns], or null
                                     const float* mean, const float* rstd,  // [rows, groups]
                                     T* dx,                                 // [rows, groups, columns], may be dy or x
                                     std::int64_t count, int groups, int columns, int lanes) {
  const int lane = static_cast<int>(threadIdx.x) % lanes, at_once = kThreads / lanes;
  const float share = 1.0F / static_cast<float>(columns);
  const std::int64_t stride = std::int64_t{gridDim.x} * at_once;
  for (std::int64_t first = std::int64_t{blockIdx.x} * at_once; first < count; first += stride) {
    const std::int64_t i = first + threadIdx.x / lanes, column = i % groups * columns;
    const float m = i < count ? mean[i] : 0.0F, r = i < count ? rstd[i] : 0.0F;
    // Calls use(k, d, h) with each of the numbers at c.
    const auto numbers = [&](int c, const auto& use) {
      const Vector<T, Width> gradients = load_vector<T, Width>(dy + i * columns + c);
      const Vector<T, Width> values = load_vector<T, Width>(x + i * columns + c);
#pragma unroll
      for (int k = 0; k < Width; ++k) {
        const float gain = gamma != nullptr ? gamma[column + c + k] : 1.0F;
        use(k, gain * to_float(gradients.values[k]), (to_float(values.values[k]) - m) * r);
      }
    };
    float sum = 0, products = 0;
    for (int c = lane * Width; c < columns && i < count; c += lanes * Width) {
      numbers(c, [&](int, float d, float h) {
        sum += d;
        products += d * h;
      });
    }
    sum = share * sum_of_lanes(sum, lanes);
    products = share * sum_of_lanes(products, lanes);
    for (int c = lane * Width; c < columns && i < count; c += lanes * Width) {
      Vector<T, Width> result;
      numbers(c, [&](int k, float d, float h) { result.values[k] = from_float<T>(r * (d - sum - h * products)); });
      store_vector(dx + i * columns + c, result);
    }
  }
}

// Of each column of each part, its mean and its sum of squared deviations (Chan, Golub & LeVeque, 1983).
template <class T>
__global__ void __launch_bounds__(kThreads) group_norm_moments_kernel(const T* x,       // [pictures, places, columns]
                                                                      float* partials,  // [2, pictures, parts, columns]
                                                                      Columns p) {
  DUEL_SHARED(means, float[kDown][kTile]);
  DUEL_SHARED(squares, float[kDown][kTile]);
  DUEL_SHARED(counts, float[kDown][kTile]);
  const int lane = static_cast<int>(threadIdx.x) % kTile, row = static_cast<int>(threadIdx.x) / kTile;
  const int column = static_cast<int>(blockIdx.y) * kTile + lane, part = static_cast<int>(blockIdx.x) % p.parts;
  const std::int64_t picture = blockIdx.x / p.parts;
  const T* const from = x + picture * p.places * p.columns + column;
  float mean = 0, square = 0, count = 0;
  for (std::int64_t place = p.begin(part) + row; place < p.begin(part + 1) && column < p.columns; place += kDown) {
    const float value = to_float(from[place * p.columns]), delta = value - mean;
    count += 1.0F;
    mean += delta / count;
    square += delta * (value - mean);
  }
  means[row][lane] = mean;
  squares[row][lane] = square;
  counts[row][lane] = count;
  __syncthreads();  // the first row reads what all rows have found
  if (row == 0 && column < p.columns) {
    for (int other = 1; other < kDown; ++other) {
      const float more = counts[other][lane], all = count + more, delta = means[other][lane] - mean;
      const float share = all > 0.0F ? more / all : 0.0F;
      mean += delta * share;
      square += squares[other][lane] + delta * delta * count * share;
      count = all;
    }
    const std::int64_t at = std::int64_t{blockIdx.x} * p.columns + column;
    partials[at] = mean;
    partials[std::int64_t{gridDim.x} * p.columns + at] = square;
  }
}

// A warp makes a group's statistics of its columns' and parts'.
__global__ void __launch_bounds__(kThreads)
    group_norm_merge_moments_kernel(const float* partials,     // [2, pictures, parts, columns]
                                    float* mean, float* rstd,  // [pictures, groups]
                                    int pictures, float epsilon, Columns p) {
  const int lane = static_cast<int>(threadIdx.x % 32), count = pictures * p.groups, numbers = p.parts * p.of_group;
  const int i = static_cast<int>(blockIdx.x) * (kThreads / 32) + static_cast<int>(threadIdx.x / 32);
  const std::int64_t picture = i / p.groups;
  const int first = i % p.groups * p.of_group;
  const float* const squares = partials + std::int64_t{pictures} * p.parts * p.columns;
  const auto place = [&](int k) { return (picture * p.parts + k / p.of_group) * p.columns + first + k % p.of_group; };
  const auto weight = [&](int k) {
    const int part = k / p.of_group;
    return static_cast<float>(p.begin(part + 1) - p.begin(part)) / static_cast<float>(p.places);
  };
  const float start = i < count ? partials[place(0)] : 0.0F;
  float sum = 0;
  for (int k = lane; k < numbers && i < count; k += 32) {
    sum += weight(k) * (partials[place(k)] - start);
  }
  const float m = start + warp_sum(sum) / static_cast<float>(p.of_group);
  float square = 0;
  for (int k = lane; k < numbers && i < count; k += 32) {
    const float delta = partials[place(k)] - m;
    square += squares[place(k)] / static_cast<float>(p.places) + weight(k) * delta * delta;
  }
  const float variance = warp_sum(square) / static_cast<float>(p.of_group);
  if (lane == 0 && i < count) {
    mean[i] = m;
    rstd[i] = 1.0F / sqrtf(variance + epsilon);
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    group_norm_normalize_kernel(const T* x,                             // [pictures, places, columns]
                                const float* gamma, const float* beta,  // [columns], or null
                                const float* mean, const float* rstd,   // [pictures, groups]
                                T* y,                                   // [pictures, places, columns], may be x
                                std::int64_t count, Columns p) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < count; i += stride) {
    const std::int64_t place = i / p.columns;
    const int c = static_cast<int>(i - place * p.columns);
    const std::int64_t statistic = p.statistic(place / p.places, 0, c);
    float h = (to_float(x[i]) - mean[statistic]) * rstd[statistic];
    if (gamma != nullptr) {
      h = gamma[c] * h + beta[c];
    }
    y[i] = from_float<T>(h);
  }
}

// Of each column of each part, the sums of dy and of dy h.
template <class T>
__global__ void __launch_bounds__(kThreads)
    group_norm_gradient_sums_kernel(const T* dy, const T* x,               // [pictures, places, columns]
                                    const float* mean, const float* rstd,  // [pictures, groups] or [places, groups]
                                    float* partials,                       // [2, pictures, parts, columns]
                                    Columns p) {
  DUEL_SHARED(sums, float[kDown][kTile]);
  DUEL_SHARED(products, float[kDown][kTile]);
  const int lane = static_cast<int>(threadIdx.x) % kTile, row = static_cast<int>(threadIdx.x) / kTile;
  const int column = static_cast<int>(blockIdx.y) * kTile + lane, part = static_cast<int>(blockIdx.x) % p.parts;
  const std::int64_t picture = blockIdx.x / p.parts, before = picture * p.places * p.columns + column;
  float sum = 0, product = 0;
  for (std::int64_t place = p.begin(part) + row; place < p.begin(part + 1) && column < p.columns; place += kDown) {
    const std::int64_t at = before + place * p.columns, statistic = p.statistic(picture, place, column);
    const float gradient = to_float(dy[at]);
    sum += gradient;
    product += gradient * ((to_float(x[at]) - mean[statistic]) * rstd[statistic]);
  }
  sums[row][lane] = sum;
  products[row][lane] = product;
  __syncthreads();  // the first row reads what all rows have found
  if (row == 0 && column < p.columns) {
    for (int other = 1; other < kDown; ++other) {
      sum += sums[other][lane];
      product += products[other][lane];
    }
    const std::int64_t at = std::int64_t{blockIdx.x} * p.columns + column;
    partials[at] = sum;
    partials[std::int64_t{gridDim.x} * p.columns + at] = product;
  }
}

// A warp adds up a group's columns and parts: the mean of d, and of d h.
__global__ void __launch_bounds__(kThreads)
    group_norm_merge_gradients_kernel(const float* partials,  // [2, pictures, parts, columns]
                                      const float* gamma,     // [columns], or null
                                      float* of_groups,       // [2, pictures, groups]
                                      int pictures, Columns p) {
  const int lane = static_cast<int>(threadIdx.x % 32), count = pictures * p.groups;
  const int i = static_cast<int>(blockIdx.x) * (kThreads / 32) + static_cast<int>(threadIdx.x / 32);
  const std::int64_t picture = i / p.groups;
  const int first = i % p.groups * p.of_group, numbers = i < count ? p.parts * p.of_group : 0;
  const float* const products = partials + std::int64_t{pictures} * p.parts * p.columns;
  float sum = 0, product = 0;
  for (int k = lane; k < numbers; k += 32) {
    const int column = first + k % p.of_group;
    const std::int64_t at = (picture * p.parts + k / p.of_group) * p.columns + column;
    const float gain = gamma != nullptr ? gamma[column] : 1.0F;
    sum += gain * partials[at];
    product += gain * products[at];
  }
  const float share = 1.0F / (static_cast<float>(p.places) * static_cast<float>(p.of_group));
  sum = share * warp_sum(sum);
  product = share * warp_sum(product);
  if (lane == 0 && i < count) {
    of_groups[i] = sum;
    of_groups[count + i] = product;
  }
}

// A thread adds up a column.
__global__ void __launch_bounds__(kThreads)
    group_norm_column_gradients_kernel(const float* partials,        // [2, parts, columns]
                                       float* dgamma, float* dbeta,  // [columns]
                                       int parts, int columns) {
  const int column = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
  if (column < columns) {
    float sum = 0, product = 0;
    for (int part = 0; part < parts; ++part) {
      sum += partials[std::int64_t{part} * columns + column];
      product += partials[(std::int64_t{parts} + part) * columns + column];
    }
    dbeta[column] = sum;
    dgamma[column] = product;
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    group_norm_gradient_kernel(const T* dy, const T* x,               // [pictures, places, columns]
                               const float* gamma,                    // [columns], or null
                               const float* mean, const float* rstd,  // [pictures, groups]
                               const float* of_groups,                // [2, pictures, groups]
                               T* dx,                                 // may be dy or x
                               std::int64_t count, int pictures, Columns p) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < count; i += stride) {
    const std::int64_t place = i / p.columns;
    const int c = static_cast<int>(i - place * p.columns);
    const std::int64_t statistic = p.statistic(place / p.places, 0, c);
    const float h = (to_float(x[i]) - mean[statistic]) * rstd[statistic];
    const float d = gamma != nullptr ? gamma[c] * to_float(dy[i]) : to_float(dy[i]);
    const float bent = h * of_groups[std::int64_t{pictures} * p.groups + statistic];
    dx[i] = from_float<T>(rstd[statistic] * (d - of_groups[statistic] - bent));
  }
}

// ---- launchers

namespace {

bool is_by_place(const GroupNorm& p, View x) {
  return p.each_pixel || x.shape.row_count() == x.shape.back();
}

// Calls `call` with the element type, the elements that a thread takes at once, and the threads of a group.
template <class Call, class... Pointers>
void with_lanes(DType dtype, int of_group, const Call& call, Pointers... pointers) {
  with_float_type(dtype, [&](auto element) {
    const auto run = [&](auto width) {
      int lanes = 1;
      while (lanes < 32 && lanes * decltype(width)::value < of_group) {
        lanes *= 2;
      }
      call(element, width, lanes);
    };
    constexpr int kWidth = kPerVector<decltype(element)>;
    if (of_group % kWidth == 0 && all_aligned(pointers...)) {
      run(std::integral_constant<int, kWidth>{});
    } else {
      run(std::integral_constant<int, 1>{});
    }
  });
}

// Pictures summed along their places, and the blocks of such a sum.
struct Summed {
  Summed(const GroupNorm& p, const Shape& x) {
    columns.columns = x.back();
    columns.groups = p.groups;
    columns.of_group = x.back() / p.groups;
    columns.each_pixel = p.each_pixel || x.row_count() == x.back();
    pictures = columns.each_pixel ? 1 : x[0];
    columns.places = x.outer_count() / pictures;
    const std::int64_t most = std::max<std::int64_t>(1, std::min(kMostParts, kMostNormSums / x.back()) / pictures);
    columns.parts = static_cast<int>(std::clamp<std::int64_t>(columns.places / kLeastPlaces, 1, most));
  }

  dim3 blocks() const {
    return {static_cast<unsigned>(pictures * columns.parts),
            static_cast<unsigned>((columns.columns + kTile - 1) / kTile)};
  }
  unsigned warps_of_groups() const { return blocks_for(std::int64_t{pictures} * columns.groups, kThreads / 32); }

  Columns columns{};
  int pictures = 1;
};

// [2, pictures, parts, columns] and [2, pictures, groups] of them fit.
static_assert(sizeof(float) * 4 * kMostNormSums <= CudaContext::kPartialBytes);

}  // namespace

void group_norm_forward(CudaContext& context, const GroupNorm& p, View x, View gamma, View beta, View y, View mean,
                        View rstd) {
  constexpr const char* kOp = "group_norm_forward";
  if (is_by_place(p, x)) {
    const int of_group = x.shape.back() / p.groups;
    const std::int64_t count = x.shape.outer_count() * p.groups;
    with_lanes(
        x.dtype, of_group,
        [&](auto element, auto width, int lanes) {
          using T = decltype(element);
          launch(context, kOp, {blocks_for(count, kThreads / lanes, 1, kMostBlocks), kThreads},
                 group_norm_place_kernel<decltype(width)::value, T>, x.as<const T>(), gamma.as<const float>(),
                 beta.as<const float>(), y.as<T>(), mean.as<float>(), rstd.as<float>(), count, p.groups, of_group,
                 lanes, p.epsilon);
        },
        x.data, y.data);
    return;
  }
  const Summed summed(p, x.shape);
  auto* const partials = static_cast<float*>(context.partials());
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    launch(context, kOp, {summed.blocks(), kThreads}, group_norm_moments_kernel<T>, x.as<const T>(), partials,
           summed.columns);
    launch(context, kOp, {summed.warps_of_groups(), kThreads}, group_norm_merge_moments_kernel, partials,
           mean.as<float>(), rstd.as<float>(), summed.pictures, p.epsilon, summed.columns);
    launch(context, kOp, {blocks_for(x.count(), kThreads, 1, kMostBlocks), kThreads}, group_norm_normalize_kernel<T>,
           x.as<const T>(), gamma.as<const float>(), beta.as<const float>(), mean.as<const float>(),
           rstd.as<const float>(), y.as<T>(), x.count(), summed.columns);
  });
}

void group_norm_backward(CudaContext& context, const GroupNorm& p, View dy, View x, View gamma, View mean, View rstd,
                         View dx, View dgamma, View dbeta) {
  constexpr const char* kOp = "group_norm_backward";
  const bool is_affine = gamma.data != nullptr, by_place = is_by_place(p, x);
  const Summed summed(p, x.shape);
  auto* const partials = static_cast<float*>(context.partials());
  float* const of_groups = partials + 2 * kMostNormSums;
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    if (is_affine || !by_place) {  // before dx, which may lie where dy or x does
      launch(context, kOp, {summed.blocks(), kThreads}, group_norm_gradient_sums_kernel<T>, dy.as<const T>(),
             x.as<const T>(), mean.as<const float>(), rstd.as<const float>(), partials, summed.columns);
    }
    if (is_affine) {
      launch(context, kOp, {blocks_for(x.shape.back(), kThreads), kThreads}, group_norm_column_gradients_kernel,
             partials, dgamma.as<float>(), dbeta.as<float>(), summed.pictures * summed.columns.parts, x.shape.back());
    }
    if (!by_place) {
      launch(context, kOp, {summed.warps_of_groups(), kThreads}, group_norm_merge_gradients_kernel, partials,
             gamma.as<const float>(), of_groups, summed.pictures, summed.columns);
      launch(context, kOp, {blocks_for(x.count(), kThreads, 1, kMostBlocks), kThreads}, group_norm_gradient_kernel<T>,
             dy.as<const T>(), x.as<const T>(), gamma.as<const float>(), mean.as<const float>(), rstd.as<const float>(),
             of_groups, dx.as<T>(), x.count(), summed.pictures, summed.columns);
    }
  });
  if (by_place) {
    const int of_group = x.shape.back() / p.groups;
    const std::int64_t count = x.shape.outer_count() * p.groups;
    with_lanes(
        x.dtype, of_group,
        [&](auto element, auto width, int lanes) {
          using T = decltype(element);
          launch(context, kOp, {blocks_for(count, kThreads / lanes, 1, kMostBlocks), kThreads},
                 group_norm_place_gradient_kernel<decltype(width)::value, T>, dy.as<const T>(), x.as<const T>(),
                 gamma.as<const float>(), mean.as<const float>(), rstd.as<const float>(), dx.as<T>(), count, p.groups,
                 of_group, lanes);
        },
        dy.data, x.data, dx.data);
  }
}

}  // namespace duel
