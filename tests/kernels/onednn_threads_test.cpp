#include "kernels/cpu/onednn_threads.h"

#include "kernels/context.h"
#include "kernels/matmul.h"
#include "kernels/memory.h"

#include <gtest/gtest.h>
#include <dnnl.hpp>

namespace duel {
namespace {

// 128 x 128 x 128: worth several threads, and oneDNN's.
long regions_of_a_product(int threads) {
  Context context = Context::cpu(threads, KernelChoice::vendor);
  const Shape shape{128, 128};
  Buffer a(context, shape.count() * sizeof(float)), b(context, shape.count() * sizeof(float)),
      y(context, shape.count() * sizeof(float));
  context.clear(a.data(), shape.count() * sizeof(float));
  context.clear(b.data(), shape.count() * sizeof(float));
  const long before = OnednnThreads::regions();
  matmul(context, {}, a.view(shape, DType::f32), b.view(shape, DType::f32), {}, y.view(shape, DType::f32));
  return OnednnThreads::regions() - before;
}

// If libgomp's functions were taken instead of ours, its threads would spin beside ours.
TEST(OnednnThreadsTest, OneDnnRunsOnTheTeam) {
  if (dnnl::version()->cpu_runtime != DNNL_RUNTIME_OMP) {
    GTEST_SKIP() << "this oneDNN brings threads of its own";
  }
  EXPECT_EQ(regions_of_a_product(1), 0);
  EXPECT_GE(regions_of_a_product(2), 1);
  EXPECT_GE(regions_of_a_product(3), 1);
}

}  // namespace
}  // namespace duel
