// A generative adversarial network (Goodfellow et al., 2014) as a recipe of two networks and two phases:
//
//   d_main  (optimizer.d_updates times, each on draws of its own)
//           reals x and fresh latents z; loss of the discriminator on x and G(z), with R1, R2 or WGAN-GP where asked
//           for; its gradient, norm, clipping; one Adam update of the discriminator
//   d_penalty  where loss.penalty_every is more than 1, the penalties alone, every so many steps; d_main has none then
//   Before the discriminator sees pictures, real or generated, they are augmented (augmentation.h); R1, R2 and WGAN-GP
//   are of gradients with respect to the pictures before that
//   g_main  fresh latents (and reals, for a relativistic loss); loss of the generator through the discriminator, whose
//           weights are not differentiated; Adam update of the generator, its moving average
#pragma once

#include "host/config/options.h"
#include "host/recipes/recipe.h"

#include <cstdint>
#include <memory>

namespace duel {

// Networks "generator" and "discriminator" (gan_networks.h); draws d_reals, d_latents, shares (each real picture's part
// in WGAN-GP's mixtures), g_reals, g_latents; and those of augmentation: d_augment (real pictures, then generated
// ones), g_augment, g_reals_augment, penalty_augment, shares_augment, d_reals_mirror, g_reals_mirror. Reads
// main/picture, and with data.labels main/label: generated pictures take the classes of the real batch, so that
// relativistic pairs are of one class. `steps`: of the run, for schedules.
std::unique_ptr<Recipe> make_gan(const Options& options, const Fields& fields, std::int64_t steps);

}  // namespace duel
