// Parts of pictures (contract: kernels/crop_pictures.h).
//
// Blocks share out one picture each (large parts: several blocks a picture). The block's first thread draws the
// picture's part, with the definition of crop_pictures.h; then each thread finds, for one element of the result at a
// time, where it comes from. Neighbouring threads write neighbouring elements, and read such but in turned parts, whose
// columns they read. Bytes moved: each element of the parts read once and written once.
#include "kernels/crop_pictures.h"

#include "kernels/cuda/device.cuh"

#include <algorithm>

namespace duel {

inline constexpr int kCropThreads = 256;

// ---- kernels

template <class T>
__global__ void __launch_bounds__(kCropThreads)
    crop_pictures_kernel(CropPictures p,
                         const T* x,                // [N,height,width,C]
                         const std::int64_t* step,  // [1]
                         T* y,                      // [N,rows,columns,C]
                         int height, int width, int rows, int columns, int channels,
                         std::uint32_t chunks) {  // gridDim.x is N * chunks
  DUEL_SHARED(crop, PictureCrop);
  const std::uint32_t picture = blockIdx.x / chunks, chunk = blockIdx.x % chunks;
  if (threadIdx.x == 0) {
    crop = picture_crop(p, height, width, static_cast<std::uint64_t>(step[0]), picture);
  }
  __syncthreads();  // every thread reads it
  const std::int64_t row = std::int64_t{width} * channels, length = std::int64_t{rows} * columns * channels;
  const T* const part = x + std::int64_t{picture} * height * row + std::int64_t{crop.top} * p.scale * row +
                        std::int64_t{crop.left} * p.scale * channels;
  T* const out = y + std::int64_t{picture} * length;
  const std::int64_t stride = std::int64_t{chunks} * kCropThreads;
  for (std::int64_t e = std::int64_t{chunk} * kCropThreads + threadIdx.x; e < length; e += stride) {
    const std::int64_t pixel = e / channels;
    const int h = static_cast<int>(pixel / columns), w = static_cast<int>(pixel % columns);
    const int along_v = crop.is_turned ? w : h, along_u = crop.is_turned ? h : w;
    const int v = crop.is_upside_down ? rows - 1 - along_v : along_v;
    const int u = crop.is_mirrored ? columns - 1 - along_u : along_u;
    out[e] = part[v * row + std::int64_t{u} * channels + e % channels];
  }
}

// ---- launchers

void crop_pictures(CudaContext& context, const CropPictures& p, View x, View step, View y) {
  const auto pictures = static_cast<std::uint32_t>(x.shape[0]);
  // At least two turns of a block each, and a grid of at most 2^31 - 1 blocks.
  const std::int64_t most = std::clamp<std::int64_t>(INT32_MAX / std::int64_t{pictures}, 1, 64);
  const unsigned chunks = blocks_for(y.shape.row_count(), kCropThreads, 2, most);
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    launch(context, "crop_pictures", {pictures * chunks, kCropThreads}, crop_pictures_kernel<T>, p, x.as<const T>(),
           step.as<const std::int64_t>(), y.as<T>(), x.shape[1], x.shape[2], y.shape[1], y.shape[2], x.shape[3],
           chunks);
  });
}

}  // namespace duel
