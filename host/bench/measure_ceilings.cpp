#include "host/bench/measure_ceilings.h"

#include "host/device/call_timer.h"
#include "kernels/check.h"
#include "kernels/conv2d.h"
#include "kernels/elementwise.h"
#include "kernels/matmul.h"
#include "kernels/memory.h"
#include "kernels/random.h"
#include "kernels/reduce.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

namespace duel {

namespace {

// Milliseconds of a call: the least of several windows, as a ceiling is what is possible; so many that the last few
// brought nothing better, where other programs take their share of the device.
double least_milliseconds(Context& context, const CeilingSizes& sizes, const std::function<void()>& call) {
  constexpr int kInVain = 3, kMost = 12;
  CallTimer timer(context, calls_in_a_graph(context), call);
  double least = std::numeric_limits<double>::infinity();
  for (int window = 0, in_vain = 0; window < kMost && in_vain < kInVain; ++window) {
    const double time = timer.window(sizes.window_ms);
    in_vain = time < 0.99 * least ? 0 : in_vain + 1;
    least = std::min(least, time);
  }
  return least;
}

// The best of four ways to move bytes among arrays that take `bytes` together. A copy reads its target too on most
// processors, which nobody counts: changing in place does not.
double measure_bandwidth(Context& context, const CeilingSizes& sizes, const Buffer& memory, std::size_t bytes) {
  constexpr int kColumns = 1 << 10;
  constexpr std::size_t kRow = kColumns * sizeof(float);
  const auto part = [&](std::size_t offset, std::size_t size) {
    return memory.view({static_cast<int>(size / kRow), kColumns}, DType::f32, offset);
  };
  Buffer sum(context, sizeof(float));
  const View all = part(0, bytes), from = part(0, bytes / 2), to = part(bytes / 2, bytes / 2);
  const std::pair<double, std::function<void()>> ways[] = {
      {1, [&] { reduce_sum(context, {}, all, sum.view({1}, DType::f32)); }},
      {1, [&] { fill(context, 1, all); }},
      {1,
       [&] {
         affine(context, {1, 0}, from, to);
       }},
      {2,
       [&] {
         affine(context, {1, 0}, all, all);
       }},
  };
  double best = 0;
  for (const auto& [times, way] : ways) {
    best = std::max(best, times * static_cast<double>(bytes) / least_milliseconds(context, sizes, way) / 1e6);
  }
  return best;
}

// The largest array that the device has room for, up to what was asked for.
Buffer allocate_most(Context& context, std::size_t bytes) {
  for (;; bytes /= 2) {
    try {
      return {context, bytes};
    } catch (const Error& error) {
      if (error.kind() != Error::Kind::device || bytes <= std::size_t{64} << 20) {
        throw;
      }
    }
  }
}

std::vector<Ceilings::Bandwidth> measure_bandwidths(Context& context, const CeilingSizes& sizes) {
  Buffer memory = allocate_most(context, sizes.largest_array);
  memory.clear();
  std::vector<Ceilings::Bandwidth> list;
  for (std::size_t bytes = std::size_t{64} << 10; bytes <= memory.bytes(); bytes *= 2) {
    list.push_back({static_cast<double>(bytes) / 1e6, measure_bandwidth(context, sizes, memory, bytes)});
  }
  return list;
}

// An array of random numbers: zeros would take less power, and so products run faster than work does.
class RandomArray {
public:
  RandomArray(Context& context, const Shape& shape, DType dtype)
      : shape_(shape), dtype_(dtype), array_(context, static_cast<std::size_t>(shape.count()) * size_of(dtype)) {
    Buffer counter(context, sizeof(std::int64_t));
    Buffer numbers(context, static_cast<std::size_t>(shape.count()) * sizeof(float));
    counter.clear();
    random_normal(context, {1, Purpose::sample_latents}, counter.view({1}, DType::i64),
                  numbers.view(shape, DType::f32));
    dtype == DType::f32 ? affine(context, {1, 0}, numbers.view(shape, dtype), view())
                        : cast(context, numbers.view(shape, DType::f32), view());
    context.synchronize();
  }
  View view() const { return array_.view(shape_, dtype_); }

private:
  Shape shape_;
  DType dtype_;
  Buffer array_;
};

double measure_product(Context& context, const CeilingSizes& sizes, DType dtype, DType result, const int (&mkn)[3]) {
  const auto [m, k, n] = mkn;
  const RandomArray a(context, {m, k}, dtype), b(context, {k, n}, dtype), y(context, {m, n}, result);
  prepare_matmul(context, {}, a.view(), b.view(), {}, y.view());
  const double milliseconds =
      least_milliseconds(context, sizes, [&] { matmul(context, {}, a.view(), b.view(), {}, y.view()); });
  return 2.0 * m * k * n / milliseconds / 1e9;
}

double measure_convolution(Context& context, const CeilingSizes& sizes, DType dtype, int extent) {
  constexpr int kPictures = 32, kChannels = 64, kFilter = 5;
  const Conv2d conv;  // no padding: every product counts
  const RandomArray x(context, {kPictures, extent + kFilter - 1, extent + kFilter - 1, kChannels}, dtype);
  const RandomArray w(context, {kChannels, kFilter, kFilter, kChannels}, dtype);
  const RandomArray y(context, {kPictures, extent, extent, kChannels}, dtype);
  prepare_conv2d_forward(context, conv, {}, x.view(), w.view(), {}, y.view());
  const double milliseconds =
      least_milliseconds(context, sizes, [&] { conv2d_forward(context, conv, {}, x.view(), w.view(), {}, y.view()); });
  return conv2d_cost(conv, x.view(), w.view(), y.view()).flops / milliseconds / 1e9;
}

// TFLOP/s. No one shape is the best of every library: what is long and narrow is some library's best as well.
double measure_products(Context& context, const CeilingSizes& sizes, DType dtype) {
  const bool is_gpu = context.free_bytes().has_value();
  const int largest = sizes.largest_product > 0 ? sizes.largest_product : is_gpu ? 8192 : 2048;
  double best = 0;
  for (const DType result : {DType::f32, DType::bf16}) {
    if (result == DType::bf16 && dtype != DType::bf16) {
      continue;
    }
    for (int n = largest; n >= largest / 8; n /= 2) {
      best = std::max(best, measure_product(context, sizes, dtype, result, {n, n, n}));
    }
    const int wide = 16 * largest, narrow = std::max(1, largest / 16);
    best = std::max(best, measure_product(context, sizes, dtype, result, {narrow, wide, narrow}));
    best = std::max(best, measure_product(context, sizes, dtype, result, {narrow, narrow, wide}));
  }
  return std::max(best, measure_convolution(context, sizes, dtype, std::max(1, largest / 64)));
}

}  // namespace

Ceilings measure_ceilings(Context& context, const CeilingSizes& sizes) {
  Ceilings ceilings;
  ceilings.source = "measured on " + context.name();
  ceilings.by_size = measure_bandwidths(context, sizes);
  // The best of the three largest sizes: another program that moves bytes meanwhile seldom meets all of them.
  for (std::size_t i = 0; i < std::min<std::size_t>(3, ceilings.by_size.size()); ++i) {
    ceilings.gigabytes_per_second =
        std::max(ceilings.gigabytes_per_second, ceilings.by_size[ceilings.by_size.size() - 1 - i].gigabytes_per_second);
  }
  (context.supports_tf32() ? ceilings.tf32 : ceilings.f32) = measure_products(context, sizes, DType::f32);
  if (context.supports_bf16()) {
    ceilings.bf16 = measure_products(context, sizes, DType::bf16);
  }
  return ceilings;
}

}  // namespace duel
