#include "kernels/softmax.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(softmax, View x, View y);
DUEL_BACKENDS(softmax_backward, View dy, View y, View dx);

void softmax(Context& context, View x, View y) {
  check_float("softmax", "x", x);
  check_like("softmax", "y", y, "x", x);
  context.run([&](auto& backend) { softmax(backend, x, y); });
}

void softmax_backward(Context& context, View dy, View y, View dx) {
  check_float("softmax_backward", "y", y);
  check_like("softmax_backward", "dy", dy, "y", y);
  check_like("softmax_backward", "dx", dx, "y", y);
  context.run([&](auto& backend) { softmax_backward(backend, dy, y, dx); });
}

}  // namespace duel
