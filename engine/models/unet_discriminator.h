// A discriminator that judges each pixel by all of its surroundings (Wang, Xie, Dong & Shan, "Real-ESRGAN: Training
// real-world blind super-resolution with pure synthetic data", 2021, section 3.3; Schönfeld, Schiele & Khoreva, "A
// U-Net based discriminator for generative adversarial networks", 2020): so that a generator learns where its texture
// is wrong. Every weight but the first and the last is spectrally normalised (spectral_norm.h).
//
//   pictures [N,H,W,channels] -> 3x3: F, act = x_0 -> for i = 1, 2, 3 4x4, stride 2, to 2^i F, act = x_i
//     -> for i = 2, 1, 0 twice as large (bilinear), 3x3 to 2^i F, act, + x_i
//     -> 3x3: F, act, twice -> 3x3: logits, f32 [N,H,W,1]
//
// act is leaky ReLU with slope 0.2. What is normalised has no bias. Weights start as He's normal ones for that slope,
// of which normalised ones keep the direction alone; biases start at zero.
#pragma once

#include "engine/nn/layers.h"
#include "engine/nn/network.h"

#include <vector>

namespace duel {

struct UnetDiscriminatorConfig {
  int height = 64, width = 64;  // multiples of 8
  int channels = 3;
  int filters = 64;  // F
};

// Throws kind `usage`, with the values, where no network can be made of it.
void check_unet_discriminator(const UnetDiscriminatorConfig& config);

// Arithmetic and activations have the type of the pictures, which may be of any size that is a multiple of 8.
class UnetDiscriminator {
public:
  UnetDiscriminator(Parameters& parameters, const UnetDiscriminatorConfig& config);
  Value operator()(const Pass& pass, Value pictures) const;

private:
  Conv first_;
  std::vector<Conv> down_, up_, more_;
  Conv last_;
};

}  // namespace duel
