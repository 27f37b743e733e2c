// An adversarial loss and its gradients (contract: kernels/gan_loss.h), in one launch.
//
// One thread takes pairs of logits, a grid apart; a block sums its threads' terms, and the block that finishes last the
// blocks' sums, in order. Batches of up to 1024 pictures are one block, which needs nobody else. Moved: the arrays.
#include "kernels/gan_loss.h"

#include "kernels/cuda/device.cuh"

namespace duel {

// ---- device helpers

namespace {

constexpr int kThreads = 256;
constexpr int kMostBlocks = 128;  // not more than threads: the last block gives each a sum

// One pair of logits: the term of the loss, and its derivatives.
struct Term {
  float value, dreal, dfake;
};

__device__ __forceinline__ float softplus(float x) {
  return (x < 0.0F ? 0.0F : x) + log1pf(expf(-fabsf(x)));
}
__device__ __forceinline__ float sigmoid(float x) {
  return 1.0F / (1.0F + expf(-x));
}
__device__ __forceinline__ float positive_part(float x) {
  return x < 0.0F ? 0.0F : x;  // a NaN passes
}
__device__ __forceinline__ float step(float x) {
  return x > 0.0F ? 1.0F : 0.0F;
}

__device__ __forceinline__ Term discriminator_term(LossKind kind, float r, float f) {
  switch (kind) {
    case LossKind::bce: return {0.5F * (softplus(-r) + softplus(f)), -0.5F * sigmoid(-r), 0.5F * sigmoid(f)};
    case LossKind::lsgan: return {0.5F * ((r - 1.0F) * (r - 1.0F) + f * f), r - 1.0F, f};
    case LossKind::hinge: return {positive_part(1.0F - r) + positive_part(1.0F + f), -step(1.0F - r), step(1.0F + f)};
    case LossKind::relativistic: return {softplus(f - r), -sigmoid(f - r), sigmoid(f - r)};
    case LossKind::wgan: return {f - r, -1.0F, 1.0F};
  }
  return {};
}

__device__ __forceinline__ Term generator_term(LossKind kind, float r, float f) {
  switch (kind) {
    case LossKind::bce: return {softplus(-f), 0.0F, -sigmoid(-f)};
    case LossKind::lsgan: return {0.5F * (f - 1.0F) * (f - 1.0F), 0.0F, f - 1.0F};
    case LossKind::hinge:
    case LossKind::wgan: return {-f, 0.0F, -1.0F};
    case LossKind::relativistic: return {softplus(r - f), sigmoid(r - f), -sigmoid(r - f)};
  }
  return {};
}

}  // namespace

// ---- kernels

template <class T>
__global__ void __launch_bounds__(kThreads) gan_loss_kernel(GanLoss p,
                                                            const T* real,  // [count], or null
                                                            const T* fake,  // [count]
                                                            float* loss,    // [1]
                                                            T* dreal,       // [count], or null as real; may be real
                                                            T* dfake,       // [count], may be fake
                                                            std::int64_t count, float share,  // 1 / count
                                                            float* partials,                  // [gridDim.x]
                                                            unsigned* ticket) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  float sum = 0;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < count; i += stride) {
    const float r = real != nullptr ? to_float(real[i]) : 0.0F, f = to_float(fake[i]);
    const Term term =
        p.side == LossSide::discriminator ? discriminator_term(p.kind, r, f) : generator_term(p.kind, r, f);
    sum += term.value;
    dfake[i] = from_float<T>(share * term.dfake);
    if (real != nullptr) {
      dreal[i] = from_float<T>(share * term.dreal);
    }
  }
  sum = block_sum<kThreads>(sum);
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
    loss[0] = share * sum;
  }
}

// ---- launchers

void gan_loss(CudaContext& context, const GanLoss& p, View real, View fake, View loss, View dreal, View dfake) {
  static_assert(kMostBlocks <= kThreads);
  const std::int64_t count = fake.count();
  with_float_type(fake.dtype, [&](auto element) {
    using T = decltype(element);
    launch(context, "gan_loss", {blocks_for(count, kThreads, 4, kMostBlocks), kThreads}, gan_loss_kernel<T>, p,
           real.as<const T>(), fake.as<const T>(), loss.as<float>(), dreal.as<T>(), dfake.as<T>(), count,
           static_cast<float>(1.0 / static_cast<double>(count)), static_cast<float*>(context.partials()),
           context.tickets());
  });
}

}  // namespace duel
