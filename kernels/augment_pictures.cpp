#include "kernels/augment_pictures.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

#include <limits>

namespace duel {

DUEL_BACKENDS(augment_pictures, const AugmentPictures&, View x, View draws, View probability, View y);
DUEL_BACKENDS(augment_pictures_backward, const AugmentPictures&, View dy, View draws, View probability, View dx);

namespace {

void check_extent(const char* op, const char* name, int pixels) {
  check(pixels >= 0 && pixels <= 65535, "{}: {} is {} pixels, but must be 0 to 65535", op, name, pixels);
}

void check_strength(const char* op, const char* name, float strength, float most) {
  check(strength >= 0 && strength <= most, "{}: {} is {:g}, but must be from 0 to {:g}", op, name, strength, most);
}

void check_augmentation(const char* op, const AugmentPictures& p, const char* from_name, View from, View draws,
                        View probability, const char* to_name, View to) {
  check_float(op, from_name, from);
  check(from.shape.rank() == 4 && from.shape[3] <= 4, "{}: {} is {}, but must be pictures [N,H,W,C] of 1 to 4 channels",
        op, from_name, from);
  check(std::int64_t{from.shape[1]} * from.shape[2] <= std::numeric_limits<int>::max(),
        "{}: {} is {}, but a picture may have at most 2^31 - 1 pixels", op, from_name, from);
  check_f32(op, "draws", draws, {from.shape[0], kAugmentDraws});
  check_f32(op, "probability", probability, {1});
  check_like(op, to_name, to, from_name, from);
  check_extent(op, "shift_rows", p.shift_rows);
  check_extent(op, "shift_columns", p.shift_columns);
  check_extent(op, "hole_rows", p.hole_rows);
  check_extent(op, "hole_columns", p.hole_columns);
  check_strength(op, "brightness", p.brightness, 2);
  check_strength(op, "saturation", p.saturation, 1);
  check_strength(op, "contrast", p.contrast, 1);
}

}  // namespace

void augment_pictures(Context& context, const AugmentPictures& p, View x, View draws, View probability, View y) {
  check_augmentation("augment_pictures", p, "x", x, draws, probability, "y", y);
  context.run([&](auto& backend) { augment_pictures(backend, p, x, draws, probability, y); });
}

void augment_pictures_backward(Context& context, const AugmentPictures& p, View dy, View draws, View probability,
                               View dx) {
  check_augmentation("augment_pictures_backward", p, "dy", dy, draws, probability, "dx", dx);
  context.run([&](auto& backend) { augment_pictures_backward(backend, p, dy, draws, probability, dx); });
}

}  // namespace duel
