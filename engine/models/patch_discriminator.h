// A discriminator of patches (Isola, Zhu, Zhou & Efros, "Image-to-image translation with conditional adversarial
// networks", 2017, section 3.2.2 and appendix 6.1.2): it judges each part of a picture by itself.
//
//   pictures [N,H,W,channels] -> 4x4, stride 2: F, act -> for i = 2 .. halvings the same: F_i, norm, act
//     -> 4x4, stride 1: F_(halvings + 1), norm, act -> 4x4, stride 1: logits, f32 [N,h,w,1]
//
// F_i = 2^(i-1) F, at most 8 F; act is leaky ReLU with slope 0.2. With three halvings a logit sees 70x70 pixels; an
// extent H becomes h = floor(H / 2^halvings) - 2. It judges a picture beside what it was made of where both are its
// channels, one behind the other.
//
//   without norm   weights start as He's normal ones for that slope, biases zero. A picture's gradient then leads
//                  through convolutions alone
//   with           instance norm (group_normalization.h), and weights N(0, 0.02); what is normalised has no bias
#pragma once

#include "engine/nn/group_normalization.h"
#include "engine/nn/layers.h"

#include <string>
#include <vector>

namespace duel {

struct PatchDiscriminatorConfig {
  int height = 64, width = 64;
  int channels = 3;
  int filters = 64;            // F
  int halvings = 3;            // 1 to 8
  bool is_normalized = false;  // by instance norm
};

// Throws kind `usage`, with the values, where no network can be made of it; of pictures that are too small, with the
// least extent.
void check_patch_discriminator(const PatchDiscriminatorConfig& config);

// Arithmetic and activations have the type of the pictures, which may be of any size that comes to a logit.
class PatchDiscriminator {
public:
  PatchDiscriminator(Parameters& parameters, const PatchDiscriminatorConfig& config);
  Value operator()(Program& program, const BoundParameters& weights, Value pictures) const;

private:
  struct Normed {
    Conv conv;
    InstanceNormalization norm;
  };

  std::vector<Conv> plain_;     // without norm: the first one, or all but the last
  std::vector<Normed> normed_;  // what follows
  Conv last_;
};

}  // namespace duel
