#include "kernels/scale_scheduled.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(scale_scheduled, const Schedule& scale, View step, View x, View y);

void scale_scheduled(Context& context, const Schedule& scale, View step, View x, View y) {
  check_counter("scale_scheduled", step);
  check(is_present(x), "scale_scheduled: x has no shape");
  check_f32("scale_scheduled", "x", x, x.shape);
  check_f32("scale_scheduled", "y", y, x.shape);
  context.run([&](auto& backend) { scale_scheduled(backend, scale, step, x, y); });
}

}  // namespace duel
