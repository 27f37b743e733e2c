// Pictures moved and coloured (contract: kernels/augment_pictures.h).
//
// A block makes one picture, so that where the contrast changes it sums the mean itself. Its first thread works out
// what becomes of the picture, with the definitions of augment_pictures.h and augment_places.h; then each thread takes
// a pixel of the result at a time. Neighbouring threads read neighbouring pixels, in a mirrored picture the other way
// round. Bytes moved: each element read once, where the contrast changes twice (the second time from L2), and written
// once.
#include "kernels/augment_pictures.h"

#include "kernels/augment_places.h"
#include "kernels/cuda/device.cuh"

namespace duel {

inline constexpr int kAugmentThreads = 512;

// ---- device helpers

// What becomes of a picture.
struct AugmentPlan {
  PictureAugmentation numbers;
  AugmentPlaces places;
};

template <int channels>
struct AugmentedPixel {
  static constexpr int kColours = channels < 3 ? 1 : 3;
  float values[channels];

  __device__ __forceinline__ float sum_of_colours() const {
    float sum = 0;
#pragma unroll
    for (int c = 0; c < kColours; ++c) {
      sum += values[c];
    }
    return sum;
  }
};

template <int channels, class T>
__device__ __forceinline__ AugmentedPixel<channels> load_pixel(const T* picture, int pixel) {
  AugmentedPixel<channels> loaded;
#pragma unroll
  for (int c = 0; c < channels; ++c) {
    loaded.values[c] = to_float(picture[std::int64_t{pixel} * channels + c]);
  }
  return loaded;
}

// Pixel (row, column) of the moved picture.
template <int channels, class T>
__device__ __forceinline__ AugmentedPixel<channels> moved_pixel(const AugmentPlaces& places, const T* picture,
                                                                int width, int row, int column) {
  if (places.is_there(row, column)) {
    return load_pixel<channels>(picture, (row + places.down) * width + places.across * column + places.begin);
  }
  return {};
}

// ---- kernels

template <bool is_backward, int channels, class T>
__global__ void __launch_bounds__(kAugmentThreads) augment_pictures_kernel(AugmentPictures p,
                                                                           const T* from,       // [N,H,W,C]
                                                                           const float* draws,  // [N,kAugmentDraws]
                                                                           const float* probability,  // [1]
                                                                           T* to,                     // [N,H,W,C]
                                                                           int height, int width) {   // gridDim.x is N
  constexpr int kColours = AugmentedPixel<channels>::kColours;
  DUEL_SHARED(plan, AugmentPlan);
  const std::int64_t picture = blockIdx.x;
  const int pixels = height * width;
  from += picture * pixels * channels;
  to += picture * pixels * channels;
  if (threadIdx.x == 0) {
    plan.numbers = picture_augmentation(p, draws + picture * kAugmentDraws, probability[0], height, width);
    plan.places =
        is_backward ? places_backward(p, plan.numbers, height, width) : places_forward(p, plan.numbers, height, width);
  }
  __syncthreads();  // every thread reads it
  const PictureAugmentation a = plan.numbers;
  const AugmentPlaces places = plan.places;
  float added = is_backward ? 0.0F : a.offset;
  if (a.mean != 0) {  // the same in the whole block
    float sum = 0;
    for (int i = static_cast<int>(threadIdx.x); i < pixels; i += kAugmentThreads) {
      sum += (is_backward ? moved_pixel<channels>(places, from, width, i / width, i % width)
                          : load_pixel<channels>(from, i))
                 .sum_of_colours();
    }
    sum = block_sum<kAugmentThreads>(sum);
    added += a.mean * (sum / (static_cast<float>(pixels) * kColours));
  }
  for (int i = static_cast<int>(threadIdx.x); i < pixels; i += kAugmentThreads) {
    const int row = i / width, column = i % width;
    AugmentedPixel<channels> pixel = moved_pixel<channels>(places, from, width, row, column);
    // What was moved in from beyond the picture has no colour to change; in a gradient every pixel has a share of m.
    if (a.changes_colours() && (is_backward || places.is_there(row, column))) {
      const float of_all = a.grey / kColours * pixel.sum_of_colours() + added;
#pragma unroll
      for (int c = 0; c < kColours; ++c) {
        pixel.values[c] = a.own * pixel.values[c] + of_all;
      }
    }
#pragma unroll
    for (int c = 0; c < channels; ++c) {
      to[std::int64_t{i} * channels + c] = from_float<T>(pixel.values[c]);
    }
  }
}

// ---- launchers

namespace {

template <bool is_backward>
void augment(CudaContext& context, const char* op, const AugmentPictures& p, View from, View draws, View probability,
             View to) {
  with_float_type(from.dtype, [&](auto element) {
    using T = decltype(element);
    const auto run = [&](auto kernel) {
      launch(context, op, {static_cast<unsigned>(from.shape[0]), kAugmentThreads}, kernel, p, from.as<const T>(),
             draws.as<const float>(), probability.as<const float>(), to.as<T>(), from.shape[1], from.shape[2]);
    };
    switch (from.shape[3]) {
      case 1: run(augment_pictures_kernel<is_backward, 1, T>); break;
      case 2: run(augment_pictures_kernel<is_backward, 2, T>); break;
      case 3: run(augment_pictures_kernel<is_backward, 3, T>); break;
      default: run(augment_pictures_kernel<is_backward, 4, T>); break;
    }
  });
}

}  // namespace

void augment_pictures(CudaContext& context, const AugmentPictures& p, View x, View draws, View probability, View y) {
  augment<false>(context, "augment_pictures", p, x, draws, probability, y);
}

void augment_pictures_backward(CudaContext& context, const AugmentPictures& p, View dy, View draws, View probability,
                               View dx) {
  augment<true>(context, "augment_pictures_backward", p, dy, draws, probability, dx);
}

}  // namespace duel
