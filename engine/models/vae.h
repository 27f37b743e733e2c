// A convolutional variational autoencoder (Kingma & Welling, 2014) for pictures whose extents are multiples of 4, with
// the optimal sigma of Rybkin, Daniilidis & Levine ("Simple and effective VAE training with calibrated decoders",
// 2021): no weight between its two terms is to be chosen.
//
//   encoder   [N,H,W,C] -> 3x3: F, ReLU -> 4x4, stride 2: 2F, ReLU -> 5x5, stride 2: 4F, ReLU
//             -> dense: mean and log variance [N,latent] of the posterior
//   decoder   z [N,latent] -> dense 4F * H/4 * W/4, ReLU -> transposed 6x6, stride 2: 2F, ReLU -> the same: F, ReLU
//             -> transposed 5x5: the picture [N,H,W,C], sigmoid, from [0,1] to [-1,1]
//
// Weights and biases start as PyTorch's layers do.
#pragma once

#include "engine/nn/layers.h"

#include <cstdint>

namespace duel {

struct VaeConfig {
  int height = 28, width = 28, channels = 1;  // multiples of 4; 1 to 4
  int latent = 20;
  int filters = 32;  // F
};

// Throws kind `usage`, with the values, where no networks can be made of it.
void check_vae(const VaeConfig& config);

struct Posterior {
  Value mean, log_variance;  // f32 [N,latent]
};

class VaeEncoder {
public:
  VaeEncoder(Parameters& parameters, const VaeConfig& config);
  Posterior operator()(Program& program, const BoundParameters& weights, Value pictures) const;

private:
  int latent_;
  ConvSame conv1_;
  Conv conv2_, conv3_;
  Dense dense_;
};

class VaeDecoder {
public:
  VaeDecoder(Parameters& parameters, const VaeConfig& config);
  Value operator()(Program& program, const BoundParameters& weights, Value z) const;  // in the type of z

private:
  int height_, width_, filters_;
  Dense dense_;
  ConvTransposed up1_, up2_, last_;
};

// mean + noise exp(log_variance / 2): the sample that gradients pass through. noise f32 [N,latent], N(0, 1).
Value sample_posterior(Program& program, const Posterior& posterior, Value noise);

// The Kullback-Leibler divergence of each picture's posterior from N(0, 1), in nats: f32 [N],
//   -1/2 sum over the latents of (1 + log_variance - mean^2 - exp(log_variance))
Value divergence_from_prior(Program& program, const Posterior& posterior);

// The mean squared difference of each picture: f32 [N]. `pictures`, `reconstructions`: alike, f32 or bf16.
Value squared_errors(Program& program, Value pictures, Value reconstructions);

// What the reconstruction of a picture of D numbers costs, in nats, on average: f32 [1], the negative logarithm of the
// normal density around the reconstruction with the best deviation for the batch,
//   D (log sigma + 1/2 log 2 pi + mse / (2 sigma^2)),   log sigma = soft_clip(log(mse) / 2)
// mse f32 [1]. soft_clip(x) = m + softplus(x - m), which keeps sigma above e^m. m is log 2 - 6, as pictures are in
// [-1,1]: the paper's -6 is for [0,1].
Value optimal_sigma_loss(Program& program, Value mse, std::int64_t numbers_a_picture);
double optimal_sigma_loss(double mse, std::int64_t numbers_a_picture);  // the same of a number

}  // namespace duel
