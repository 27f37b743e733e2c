#include "kernels/gather.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(gather_pictures, const Random& order, View pictures, View step, View y);

void gather_pictures(Context& context, const Random& order, View pictures, View step, View y) {
  check_counter("gather_pictures", step);
  check_float("gather_pictures", "y", y);
  check(pictures.shape.rank() == 4 && pictures.dtype == DType::u8,
        "gather_pictures: pictures is {}, but must be u8 of rank 4", pictures);
  check(y.shape.with_rows(pictures.shape[0]) == pictures.shape && y.shape[0] <= pictures.shape[0],
        "gather_pictures: y is {}, but pictures is {}; y must be at most as many of the same size", y, pictures);
  context.run([&](auto& backend) { gather_pictures(backend, order, pictures, step, y); });
}

}  // namespace duel
