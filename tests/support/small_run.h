// Options and data of a training that takes milliseconds: 8x6 pictures, narrow networks.
#pragma once

#include "host/config/presets.h"
#include "host/data/open_dataset.h"

namespace duel::test {

inline Options small_options(const std::string& preset_name = "steady") {
  Options options = preset(preset_name);
  options.seed = 11;
  options.kernels = "ours";  // nothing measured may decide what a test computes
  options.data.source = "synthetic";
  options.data.synthetic_count = 40;
  options.data.synthetic_height = 8;
  options.data.synthetic_width = 6;
  options.model.latent = 5;
  options.model.generator_widths = {12, 9};
  options.model.filters = 3;
  options.model.features = 5;
  options.model.widths = {16, 8};
  options.model.discriminator_channels = {4, 6};
  options.model.discriminator_widths = {7};
  options.train.batch = 6;
  options.train.steps = 40;
  return options;
}

inline Options small_vae_options() {
  Options options = small_options("vae");
  options.data.synthetic_width = 12;  // a multiple of 4
  options.model.filters = 3;
  return options;
}

inline Data small_dataset(const Options& options) {
  return open_dataset(options.data);
}

}  // namespace duel::test
