// The networks of recipes that learn to make pictures of one kind of pictures of another, of which no two are a pair.
#pragma once

#include "engine/nn/network.h"
#include "host/config/options.h"
#include "host/data/source.h"

#include <memory>
#include <string>
#include <vector>

namespace duel {

// A generator (engine/models/translator.h): pictures -> pictures, and behind them its features. Reads model.filters and
// model.blocks. Throws kind `usage` where it cannot be made for the field.
std::unique_ptr<Network> make_translator(const std::string& name, const Options::Model& model, const Field& picture);

// A discriminator of patches (engine/models/patch_discriminator.h) of model.filters without norm, of three halvings or
// as many as the pictures allow: pictures -> logits, f32 [N,h,w,1].
std::unique_ptr<Network> make_patch_judge(const std::string& name, const Options::Model& model, const Field& picture);

// engine/models/place_projector.h, for the features of that generator: rows of each of its maps -> as many, projected.
// Reads model.features.
std::unique_ptr<Network> make_projector(const std::string& name, const Options::Model& model, const Field& picture);

}  // namespace duel
