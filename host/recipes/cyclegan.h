// Pictures of either kind made of pictures of the other, of which no two are a pair (CycleGAN: Zhu, Park, Isola &
// Efros, "Unpaired image-to-image translation using cycle-consistent adversarial networks", 2017), as a recipe of two
// phases:
//
//   d_main  pictures x of "main" and y of "into"; the loss of each discriminator on real pictures of its kind and
//           generated ones, with R1; one Adam update of both
//   g_main  x and y anew. With F from "main" to "into" and G back, both lose
//             both adversaries + loss.cycle * (mean |G(F(x)) - x| + mean |F(G(y)) - y|
//                                              + loss.identity * (mean |F(y) - y| + mean |G(x) - x|))
//           one Adam update of both, their moving averages
//
// In place of the paper's pool of old pictures: R1. Metrics: d_loss, g_loss, those of unpaired.h, g_grad_norm,
// adversary, cycle, and with loss.identity identity, each of both directions together.
#pragma once

#include "host/config/options.h"
#include "host/recipes/recipe.h"

#include <cstdint>
#include <memory>

namespace duel {

// Networks "generator" (from main to into), "generator_back", "discriminator" (of into), "discriminator_back"
// (unpaired_networks.h); draws d_sources, d_targets, g_sources, g_targets and, where pictures are mirrored,
// NAME_mirror. Reads main/picture and into/picture. Throws kind `usage` as Unpaired and the networks do. `steps`: of
// the run, for schedules.
std::unique_ptr<Recipe> make_cyclegan(const Options& options, const Fields& fields, std::int64_t steps);

}  // namespace duel
