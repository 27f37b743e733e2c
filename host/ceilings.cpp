#include "host/ceilings.h"

#include "kernels/check.h"
#include "kernels/elementwise.h"
#include "kernels/matmul.h"
#include "kernels/memory.h"
#include "kernels/random.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <functional>

namespace duel {

namespace {

using Clock = std::chrono::steady_clock;

// Seconds of a call: the least of several windows of at least 50 ms, as a ceiling is what is possible.
double least_seconds(Context& context, const std::function<void()>& call) {
  const auto window = [&](int calls) {
    context.synchronize();
    const Clock::time_point begin = Clock::now();
    for (int i = 0; i < calls; ++i) {
      call();
    }
    context.synchronize();
    return std::chrono::duration<double>(Clock::now() - begin).count() / calls;
  };
  const double once = std::min(window(1), window(1));
  const int calls = static_cast<int>(std::clamp(0.05 / once, 1.0, 1000.0));
  double least = once;
  for (int i = 0; i < 7; ++i) {
    least = std::min(least, window(calls));
  }
  return least;
}

double measure_copy(Context& context, bool is_gpu) {
  const int megabytes = is_gpu ? 1024 : 256;
  const Shape shape{megabytes, 1 << 18};
  Buffer from(context, static_cast<std::size_t>(megabytes) << 20), to(context, from.bytes());
  from.clear();
  const double seconds = least_seconds(context, [&] {
    affine(context, {1, 0}, from.view(shape, DType::f32), to.view(shape, DType::f32));
  });
  return 2 * static_cast<double>(from.bytes()) / seconds / 1e9;
}

// TFLOP/s of a square product of random numbers: zeros would take less power, and so run faster than work does.
double measure_product(Context& context, DType dtype, int n) {
  const Shape shape{n, n};
  const std::size_t count = static_cast<std::size_t>(shape.count());
  Buffer random(context, count * sizeof(float)), counter(context, sizeof(std::int64_t));
  Buffer a(context, count * size_of(dtype)), b(context, count * size_of(dtype)), y(context, count * sizeof(float));
  counter.clear();
  const View numbers = random.view(shape, DType::f32);
  for (std::uint32_t i = 0; i < 2; ++i) {
    random_normal(context, {i, Purpose::sample_latents}, counter.view({1}, DType::i64), numbers);
    cast(context, numbers, (i == 0 ? a : b).view(shape, dtype));
  }
  const View left = a.view(shape, dtype), right = b.view(shape, dtype), product = y.view(shape, DType::f32);
  prepare_matmul(context, {}, left, right, {}, product);
  const double seconds = least_seconds(context, [&] { matmul(context, {}, left, right, {}, product); });
  return 2 * static_cast<double>(count) * n / seconds / 1e12;
}

struct Known {
  const char* name;
  Ceilings ceilings;
};

// Copies and bf16 of Hopper: measured, by a device copy and a product of 8192^3. The rest: the makers' data sheets,
// dense.
const std::vector<Known>& known() {
  static const std::vector<Known> list = {
      {"h100",
       {"H100 SXM: copy and bf16 as measured with cuBLAS, f32 and tf32 of the data sheet", 3000, 66.9, 494.7, 798}},
      {"h200", {"H200: bf16 as measured with cuBLAS, the rest of the data sheet", 4800, 66.9, 494.7, 790}},
      {"a100", {"A100 SXM 80 GB: data sheet", 2039, 19.5, 156, 312}},
  };
  return list;
}

}  // namespace

double Ceilings::tflops(DType dtype, bool allow_tf32) const {
  return dtype == DType::bf16 ? bf16 : allow_tf32 && tf32 > 0 ? tf32 : f32;
}

Ceilings measure_ceilings(Context& context) {
  const bool is_gpu = context.free_bytes().has_value();
  const int n = is_gpu ? 8192 : 2048;
  Ceilings ceilings;
  ceilings.source = "measured on " + context.name();
  ceilings.gigabytes_per_second = measure_copy(context, is_gpu);
  (context.supports_tf32() ? ceilings.tf32 : ceilings.f32) = measure_product(context, DType::f32, n);
  if (context.supports_bf16()) {
    ceilings.bf16 = measure_product(context, DType::bf16, n);
  }
  return ceilings;
}

Ceilings known_ceilings(std::string_view name) {
  for (const Known& one : known()) {
    if (name == one.name) {
      return one.ceilings;
    }
  }
  throw_error(Error::Kind::usage, "--ceilings {}: must be measured, or one of {}", name,
              fmt::join(known_ceiling_names(), ", "));
}

std::vector<std::string> known_ceiling_names() {
  std::vector<std::string> names;
  for (const Known& one : known()) {
    names.emplace_back(one.name);
  }
  return names;
}

}  // namespace duel
