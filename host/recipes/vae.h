// A variational autoencoder (Kingma & Welling, 2014) with an optimal sigma (engine/models/vae.h) as a recipe of two
// networks and one phase:
//
//   main  reals x and noise; z = mean + noise * deviation of the encoder's posterior; the negative ELBO, that is what
//         the reconstruction of x from z costs and the posterior's divergence from N(0, 1); one Adam update of both
//         networks, their moving averages
//
// Metrics:
//   loss               the negative ELBO of a picture, in nats, by which the networks learn: with pictures in -1..1
//   elbo_bits_per_dim  the same a number of the picture, in bits, with pictures in 0..255:
//                          loss / (D log 2) + log2(127.5)          of D numbers, as a pixel is 127.5 (x + 1)
//                      The likelihood in it is the normal density at whole numbers, without noise that would spread
//                      them. For deviations above a few grey levels it is also that of the grey level itself, the
//                      density's integral from half below to half above, which is lower by at most 1 / (24 sigma^2 ln
//                      2) bits: 0.004 at a sigma of 4. Sigma is the batch's own. Lower is better.
//   mse                squared error of a reconstruction from z, of pictures in 0..1, the mean over its numbers
//   kl                 the divergence of a picture, in nats
//   grad_norm          of both networks together
// and of rows that are held out, by the averages of the weights:
//   held_out_elbo_bits_per_dim, held_out_kl   as above, from one z a picture; one sigma for all of the rows, their own
//   held_out_mse       as mse, but of reconstructions from the mean of the posterior: what sheets show
#pragma once

#include "host/config/options.h"
#include "host/recipes/recipe.h"

#include <cstdint>
#include <memory>

namespace duel {

// Networks "encoder" and "decoder"; draws reals, noise. Reads main/picture. Throws kind `usage` where no networks can
// be made for its pictures, and for data.labels, as nothing is learnt by class. `steps`: of the run, for schedules.
std::unique_ptr<Recipe> make_vae(const Options& options, const Fields& fields, std::int64_t steps);

// elbo_bits_per_dim of a loss, as above.
double vae_bits_per_dim(double loss, std::int64_t numbers_a_picture);

}  // namespace duel
