// One batch of pictures on the device, scaled to [-1, 1]: gathered, shuffled, out of a data set that lies there whole,
// or loaded from a ring of slots that the host fills ahead.
//
//   gather_pictures   y[i,...] = pictures[index(i),...] / 127.5 - 1
//   load_pictures     y[i,...] = ring[(step mod S) * rows + first + i,...] / 127.5 - 1
//
// step i64 [1]; y f32 or bf16 [B,H,W,C].
//
// gather_pictures: pictures u8 [M,H,W,C], B <= M. An epoch is M / B steps (rounded down); in each, places
// step*B .. step*B+B-1 of a permutation of the pictures are taken, keyed by seed, purpose and epoch (philox.h): every
// epoch has its own order, no picture comes twice in one, and nothing is stored.
//
// load_pictures: ring u8 [S*rows,H,W,C], S slots of `rows` pictures each; first + B <= rows.
#pragma once

#include "kernels/context.h"
#include "kernels/philox.h"
#include "kernels/random.h"
#include "kernels/tensor.h"

namespace duel {

void gather_pictures(Context&, const Random& order, View pictures, View step, View y);

struct PictureSlot {
  int rows = 0;   // pictures in a slot
  int first = 0;  // the first of them to load
};

void load_pictures(Context&, const PictureSlot&, View ring, View step, View y);

// The picture that place `place` of the batch takes at `step`: the definition, for every backend and for tests.
constexpr std::uint32_t picture_index(const Random& order, std::uint32_t pictures, std::uint32_t batch,
                                      std::uint64_t step, std::uint32_t place) {
  const std::uint64_t steps_per_epoch = pictures / batch;
  const PhiloxBlock key = philox(order.seed, order.purpose, step / steps_per_epoch, 0);
  return permute_index(key, pictures, static_cast<std::uint32_t>(step % steps_per_epoch) * batch + place);
}

}  // namespace duel
