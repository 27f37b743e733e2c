// Instructions that C++ does not have, each behind a function with two bodies: PTX for a GPU, and that of
// tests/emulator/instructions.h, which does what the PTX manual says and complains where it would be undefined.
//
//   mma_bf16         d[16,8] += a[16,16] b[16,8], bf16 operands, f32 sums     mma.sync.m16n8k16     sm_80
//   mma_tf32         d[16,8] += a[16,8] b[8,8], operands rounded to TF32      mma.sync.m16n8k8      sm_80
//   to_tf32          f32 rounded to nearest TF32, as bits                      cvt.rna.tf32.f32      sm_80
//   load_matrices    four 8x8 matrices of 16-bit elements, lane 8m+i giving row i of matrix m      ldmatrix.x4 sm_75
//   load_transposed  the same, each matrix transposed                          ldmatrix.x4.trans     sm_75
//   copy_async       16 (or 4) bytes global to shared, `bytes` of them read and the rest zero      cp.async sm_80
//                    by way of the first cache (.ca) or, 16 bytes not Cached, past it (.cg)
//   copy_commit, copy_wait<N>    closes a group; waits until at most N groups are in flight
//   cluster_barrier     all threads of all blocks of a cluster: what any of them wrote before, all read after
//                       barrier.cluster sm_90
//   in_cluster(p, r)    where the block of rank r has what this one has at p, in a shared array    mapa sm_90
//   wait_for_previous_kernel, let_next_kernel_start    programmatic dependent launch               griddepcontrol sm_90
//
// Fragments (PTX ISA, "Matrix Fragments for mma.m16n8k16"), with g = lane/4 and t = lane%4:
//   bf16 a[r]: row g + 8(r&1), columns 2t + 8(r>>1) + {0,1};  b[r]: rows 2t + 8r + {0,1}, column g
//   tf32 a[r]: row g + 8(r&1), column t + 4(r>>1);            b[r]: row t + 4r, column g
//   d[i]: row g + 8(i>>1), column 2t + (i&1)
//
// On a GPU older than an instruction the body is a trap: the dispatcher never gets there (matmul.cu, conv2d.cu).
#pragma once

#include "kernels/cuda/platform.cuh"

#ifdef DUEL_EMULATED

#include <emulator/instructions.h>

#else

namespace duel {

__device__ __forceinline__ std::uint32_t shared_address(const void* pointer) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
}

__device__ __forceinline__ void mma_bf16(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  __trap();
#endif
}

__device__ __forceinline__ void mma_tf32(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  __trap();
#endif
}

__device__ __forceinline__ std::uint32_t to_tf32(float value) {
  std::uint32_t bits = 0;
#if __CUDA_ARCH__ >= 800
  asm("cvt.rna.tf32.f32 %0, %1;\n" : "=r"(bits) : "f"(value));
#else
  __trap();
#endif
  return bits;
}

__device__ __forceinline__ void load_matrices(std::uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}

__device__ __forceinline__ void load_transposed(std::uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}

// Copies Size bytes (16 or 4), of which the first `bytes` are read and the rest become zero. Both addresses are
// multiples of Size.
template <int Size, bool Cached = Size == 4>
__device__ __forceinline__ void copy_async(void* shared, const void* global, int bytes) {
#if __CUDA_ARCH__ >= 800
  if constexpr (Size == 16 && Cached) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 16, %2;\n" ::"r"(shared_address(shared)), "l"(global),
                 "r"(bytes)
                 : "memory");
  } else if constexpr (Size == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(shared_address(shared)), "l"(global),
                 "r"(bytes)
                 : "memory");
  } else {
    static_assert(Size == 4 && Cached);
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;\n" ::"r"(shared_address(shared)), "l"(global), "r"(bytes)
                 : "memory");
  }
#else
  __trap();
#endif
}

__device__ __forceinline__ void copy_commit() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;\n" ::: "memory");
#endif
}

template <int Groups>
__device__ __forceinline__ void copy_wait() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;\n" ::"n"(Groups) : "memory");
#endif
}

__device__ __forceinline__ void cluster_barrier() {
#if __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.arrive.release;\nbarrier.cluster.wait.acquire;\n" ::: "memory");
#else
  __trap();
#endif
}

template <class T>
__device__ __forceinline__ const T* in_cluster(const T* shared, unsigned rank) {
#if __CUDA_ARCH__ >= 900
  std::uint64_t address;
  asm("mapa.u64 %0, %1, %2;\n" : "=l"(address) : "l"(shared), "r"(rank));
  return reinterpret_cast<const T*>(address);
#else
  __trap();
  return shared;
#endif
}

__device__ __forceinline__ void wait_for_previous_kernel() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;\n" ::: "memory");
#endif
}

__device__ __forceinline__ void let_next_kernel_start() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;\n" ::: "memory");
#endif
}

}  // namespace duel

#endif
