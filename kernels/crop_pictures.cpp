#include "kernels/crop_pictures.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(crop_pictures, const CropPictures&, View x, View step, View y);

Shape crop_pictures_output(const CropPictures& p, const Shape& x) {
  check(x.rank() == 4, "crop_pictures: x is {}, but must be pictures [N,H,W,C]", x);
  check(p.height >= 1 && p.width >= 1 && p.scale >= 1, "crop_pictures: parts are {}x{} at scale {}, all at least 1",
        p.height, p.width, p.scale);
  check(p.height <= x[1] / p.scale && p.width <= x[2] / p.scale,
        "crop_pictures: no part of {}x{} at scale {} lies in pictures of {}x{}", p.height, p.width, p.scale, x[1],
        x[2]);
  check(!p.turns || p.height == p.width, "crop_pictures: parts of {}x{} cannot be turned; they must be square",
        p.height, p.width);
  return {x[0], p.height * p.scale, p.width * p.scale, x[3]};
}

void crop_pictures(Context& context, const CropPictures& p, View x, View step, View y) {
  check_counter("crop_pictures", step);
  check_float("crop_pictures", "x", x);
  const Shape output = crop_pictures_output(p, x.shape);
  check(y.shape == output && y.dtype == x.dtype, "crop_pictures: y is {}, but must be {} of x's type", y, output);
  context.run([&](auto& backend) { crop_pictures(backend, p, x, step, y); });
}

}  // namespace duel
