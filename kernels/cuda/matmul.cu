// Matrix products (contract: kernels/matmul.h): which operands they have. product.cuh says who computes what.
//
// spills: for sm_100 and sm_120 ptxas holds some instances of tensor_product_kernel, 64 wide, to 64 registers, with
// which eight blocks fit on a multiprocessor, and puts aside two to four words a thread. For sm_75 to sm_90 it does
// not.
#include "kernels/cuda/matmul_ours.h"

#include "kernels/cuda/product.cuh"

namespace duel {

namespace {

int checked_extent(const char* what, std::int64_t extent) {
  check(extent < std::int64_t{1} << 31, "matmul: {} is {}, but the CUDA backend takes extents below 2^31", what,
        extent);
  return static_cast<int>(extent);
}

template <bool AAlongK, bool BAlongK>
void multiply(CudaContext& context, const Matmul& p, View a, View b, View bias, View y, int m, int n, int k) {
  with_float_type(a.dtype, [&](auto element) {
    using T = decltype(element);
    const Epilogue<PlainRows> epilogue({}, y, bias, p.activation, m, n);
    product(context, "matmul", Matrix<T, AAlongK>(a, m, k), Matrix<T, BAlongK>(b, n, k), epilogue, k);
  });
}

}  // namespace

// ---- launchers

void matmul_ours(CudaContext& context, const Matmul& p, View a, View b, View bias, View y) {
  const int m = checked_extent("the number of rows", y.shape[0]),
            n = checked_extent("the number of columns", y.shape.row_count()),
            k = checked_extent("the inner extent", a.count() / m);
  // B(n,k) is b[k,n]: neighbours in n are neighbours in memory unless b is transposed.
  if (p.transpose_a) {
    p.transpose_b ? multiply<false, true>(context, p, a, b, bias, y, m, n, k)
                  : multiply<false, false>(context, p, a, b, bias, y, m, n, k);
  } else {
    p.transpose_b ? multiply<true, true>(context, p, a, b, bias, y, m, n, k)
                  : multiply<true, false>(context, p, a, b, bias, y, m, n, k);
  }
}

}  // namespace duel
