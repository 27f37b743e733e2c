// The classic GAN (Goodfellow et al., 2014, with a convolutional discriminator): a dense generator against two
// convolutions and a dense layer. Widths and depths are configuration.
//
//   generator      z [N,latent] -> dense + act, for each width -> dense H*W*C + tanh -> [N,H,W,C]
//   discriminator  x [N,H,W,C] -> conv same + act, for each channel count -> flatten -> dense + act, for each width
//                  -> dense 1: a logit, f32
//
// With classes the generator's first layer takes the trained row of the class beside z, and the logit is that plus the
// product of the last hidden layer with the discriminator's row of the class (engine/nn/classes.h); both networks take
// the classes as a second input. Weights start Glorot uniform, biases at zero.
#pragma once

#include "engine/nn/network.h"
#include "kernels/activation.h"

#include <memory>
#include <vector>

namespace duel {

struct ClassicConfig {
  int height = 28, width = 28, channels = 1;
  int latent = 100;
  int classes = 0;  // 0: without
  std::vector<int> generator_widths;
  Activation generator_activation;
  std::vector<int> discriminator_channels;
  int discriminator_kernel = 3;
  std::vector<int> discriminator_widths;
  Activation discriminator_activation;
};

std::unique_ptr<Network> make_classic_generator(const ClassicConfig& config);
std::unique_ptr<Network> make_classic_discriminator(const ClassicConfig& config);

}  // namespace duel
