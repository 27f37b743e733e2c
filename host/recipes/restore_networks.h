// The network of the recipe restore: from a spoilt picture to what it should be.
#pragma once

#include "engine/nn/network.h"
#include "host/config/options.h"
#include "host/data/source.h"

#include <memory>

namespace duel {

// "restorer": the field `input` to the field `picture`, of any number of rows and, of what is put through it, of any
// extents that its levels allow. Where the input has opacity beside the picture's colours, pixels that are not opaque
// are not looked at but filled from those around them (engine/nn/fill_holes.h), to begin from, and those that are come
// out as they went in. Grey that is to become colour goes in as colour; where it is the
// picture's luma (data.degrade = grey), it is given back to what is made, whose colours alone are then the network's.
// Of several degradations a second input says by which each picture was spoilt, i32 [N]; it goes in as a channel each.
// Pixels then come out as they went in only where the job is the one that leaves holes.
//
//   msr-resnet  engine/models/msr_resnet.h; of inputs that are 2, 3 or 4 times smaller
//   nafnet      engine/models/nafnet.h; of inputs of the same size
//   unet        engine/models/unet.h; of inputs of the same size, with as many levels as what it is trained on, a part
//               or a whole picture, can be halved
//
// Throws kind `usage` where it cannot be made for these fields.
std::unique_ptr<Network> make_restorer(const Options& options, const Field& input, const Field& picture);
inline constexpr const char* kRestorer = "restorer";

// What the extents of pictures that it is given must be multiples of. `picture`: that it is trained on, whole.
int restorer_granule(const Options& options, const Field& picture);

// So many times larger are pictures than inputs: 1, 2, ...
int restoration_scale(const Field& input, const Field& picture);

}  // namespace duel
