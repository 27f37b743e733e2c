// How well the networks of a run make pictures again: each of the reference beside its reconstruction.
#pragma once

#include "host/evaluate/evaluation.h"
#include "host/evaluate/measured_run.h"
#include "kernels/context.h"
#include "kernels/tensor.h"

#include <vector>

namespace duel {

inline constexpr std::int64_t kReconstructed = 1'000;  // pictures at most

// PSNR, SSIM and MS-SSIM (host/metrics/picture_similarity.h) of the pairs, pictures of whole bytes, by the moving
// averages; their floor: another real picture in the place of the reconstruction. None of a run that reconstructs
// nothing.
std::vector<Figure> reconstruction_figures(Context& context, const MeasuredRun& run, const Shape& picture, int threads);

}  // namespace duel
