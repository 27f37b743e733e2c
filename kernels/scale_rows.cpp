#include "kernels/scale_rows.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(scale_rows, View scale, View x, View addend, View y);

void scale_rows(Context& context, View scale, View x, View addend, View y) {
  check_float("scale_rows", "x", x);
  check_f32("scale_rows", "scale", scale, {x.shape[0]});
  if (is_present(addend)) {
    check_like("scale_rows", "addend", addend, "x", x);
  }
  check_like("scale_rows", "y", y, "x", x);
  context.run([&](auto& backend) { scale_rows(backend, scale, x, addend, y); });
}

}  // namespace duel
