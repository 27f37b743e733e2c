// The networks that a generative adversarial network is made of, as the options say.
#pragma once

#include "engine/nn/network.h"
#include "host/config/options.h"

#include <memory>

namespace duel {

struct GanNetworks {
  std::unique_ptr<Network> generator;      // z [N,latent] (and classes) -> pictures
  std::unique_ptr<Network> discriminator;  // pictures (and classes) -> logits f32 [N,1]
};

// picture [1,H,W,C]; classes: how many, or 0. Throws kind `usage` where the networks cannot be made for these.
GanNetworks make_gan_networks(const Options::Model& model, const Shape& picture, int classes);

}  // namespace duel
