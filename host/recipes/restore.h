// A network that makes pictures of what they were spoilt to, as a recipe of one phase, or with loss.adversary against a
// discriminator of patches, whose phases (patch_adversary.h) come before it:
//
//   main  pairs: pictures and their inputs, a part of each at the same place (data.crop), mirrored and turned alike
//         (augment.flip, augment.turn); the network's picture of the input; the loss; one Adam update, the moving
//         average
//
// The discriminator sees a picture beside its input, which is enlarged to it by bilinear; of missing pixels, beside
// which are known. Its phases draw pairs of their own.
//
// Noise and missing pixels are drawn on the device, others in each step: noise at its deviation, held in the pictures'
// range but not rounded; where pixels are missing, the field "known" of a row drawn by itself. Other inputs are the
// field "input" of the same row, as they are of every row to measure on.
//
//   loss.restoration   l1    mean |made - picture|, pictures in -1..1
//                      psnr  mean over pictures of 10 log10(mean (made - picture)^2 + 1e-8), pictures in 0..1: minus
//                            their PSNR (Chen et al., "Simple baselines for image restoration", 2022)
//
// It is multiplied by loss.restoration_weight; with perceptual.run the distance by what a frozen classifier sees is
// added (perceptual_distance.h), and with an adversary what that makes of the pictures.
//
// Metrics: loss, psnr (of the parts, before they are rounded), grad_norm; where more is added, restoration (the loss
// above, not multiplied) and perceptual; with an adversary g_loss and g_grad_norm in their place, and the
// discriminator's; and of rows that are held out, whole and
// rounded to bytes, all channels alike, by the average of the weights:
//   held_out_psnr     mean over the pictures
//   held_out_ssim     the same, where pictures are large enough for it
//   held_out_missing  psnr of the pixels alone that are missing in the input, where any are
#pragma once

#include "host/config/options.h"
#include "host/recipes/recipe.h"

#include <cstdint>
#include <memory>

namespace duel {

// Networks "restorer" (restore_networks.h) and "discriminator"; draws pairs, parts, noise, deviations, holes, and for
// the discriminator d_pairs and so on, penalty_pairs and so on. Reads main/picture and main/input. Throws kind `usage`
// where the data have no inputs, where parts do not lie in the pictures or cannot be turned, and as make_restorer()
// does. `steps`: of the run, for schedules.
std::unique_ptr<Recipe> make_restore(const Options& options, const Fields& fields, std::int64_t steps);

}  // namespace duel
