// Pictures of one kind made of pictures of another, of which no two are a pair, in one direction (CUT: Park, Efros,
// Zhang & Zhu, "Contrastive learning for unpaired image-to-image translation", 2020), as a recipe of two phases:
//
//   d_main  pictures x of "main" and y of "into"; loss of the discriminator on y and G(x), with R1; its Adam update
//   g_main  x and y anew. The generator G and the projector P lose, with L(x) the contrast of G(x) with x,
//             adversary + loss.contrast * (mean of L(x) + loss.identity * mean of L(y))
//           Adam update of both, the generator's moving average
//
// L(x): P of G's features of G(x) at loss.places places against P of G's features of x, which are not differentiated,
// at the same places (patch_contrast.h), the mean over the maps of features. Places are drawn anew in each step, for
// each picture and map: one in each cell of a grid over it, where the paper draws pixels.
//
// In place of the pool of old pictures that some programs judge: R1. Metrics: d_loss, g_loss, those of unpaired.h,
// g_grad_norm, adversary, contrast, and with loss.identity identity.
#pragma once

#include "host/config/options.h"
#include "host/recipes/recipe.h"

#include <cstdint>
#include <memory>

namespace duel {

// Networks "generator", "projector", "discriminator" (unpaired_networks.h); draws d_sources, d_targets, g_sources,
// g_targets, places1 and so on, and where pictures are mirrored NAME_mirror. Reads main/picture and into/picture.
// Throws kind `usage` as Unpaired and the networks do. `steps`: of the run, for schedules.
std::unique_ptr<Recipe> make_cut(const Options& options, const Fields& fields, std::int64_t steps);

}  // namespace duel
