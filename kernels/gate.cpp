#include "kernels/gate.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(gate, View x, View y);
DUEL_BACKENDS(gate_backward, View dy, View x, View dx);

namespace {

void check_halves(const char* op, View x, const char* name, View half) {
  check_float(op, "x", x);
  check(is_present(half) && half.dtype == x.dtype && x.shape.back() % 2 == 0 &&
            half.shape == x.shape.with_columns(x.shape.back() / 2),
        "{}: {} is {}, but must have half of the columns of x, {}", op, name, half, x);
}

}  // namespace

void gate(Context& context, View x, View y) {
  check_halves("gate", x, "y", y);
  context.run([&](auto& backend) { gate(backend, x, y); });
}

void gate_backward(Context& context, View dy, View x, View dx) {
  check_halves("gate_backward", x, "dy", dy);
  check_like("gate_backward", "dx", dx, "x", x);
  context.run([&](auto& backend) { gate_backward(backend, dy, x, dx); });
}

}  // namespace duel
