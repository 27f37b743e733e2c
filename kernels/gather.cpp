#include "kernels/gather.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(gather_pictures, const Random& order, View pictures, View step, View y);
DUEL_BACKENDS(load_pictures, const PictureSlot& slot, View ring, View step, View y);

void gather_pictures(Context& context, const Random& order, View pictures, View step, View y) {
  check_counter("gather_pictures", step);
  check_float("gather_pictures", "y", y);
  check(pictures.shape.rank() == 4 && pictures.dtype == DType::u8,
        "gather_pictures: pictures is {}, but must be u8 of rank 4", pictures);
  check(y.shape.with_rows(pictures.shape[0]) == pictures.shape && y.shape[0] <= pictures.shape[0],
        "gather_pictures: y is {}, but pictures is {}; y must be at most as many of the same size", y, pictures);
  context.run([&](auto& backend) { gather_pictures(backend, order, pictures, step, y); });
}

void load_pictures(Context& context, const PictureSlot& slot, View ring, View step, View y) {
  check_counter("load_pictures", step);
  check_float("load_pictures", "y", y);
  check(ring.shape.rank() == 4 && ring.dtype == DType::u8, "load_pictures: ring is {}, but must be u8 of rank 4", ring);
  check(slot.rows >= 1 && ring.shape[0] % slot.rows == 0,
        "load_pictures: ring is {}, which is no whole number of slots of {} pictures", ring, slot.rows);
  check(y.shape.with_rows(ring.shape[0]) == ring.shape,
        "load_pictures: y is {}, but ring is {}; pictures differ in size", y, ring);
  check(slot.first >= 0 && slot.first <= slot.rows - y.shape[0],
        "load_pictures: {} pictures from number {} on are not in a slot of {}", y.shape[0], slot.first, slot.rows);
  context.run([&](auto& backend) { load_pictures(backend, slot, ring, step, y); });
}

}  // namespace duel
