#include "kernels/random.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(random_normal, const Random&, View step, View y);
DUEL_BACKENDS(random_uniform, const Random&, View step, View y);

namespace {

void check_random(const char* op, View step, View y) {
  check_counter(op, step);
  check_float(op, "y", y);
  check(y.count() <= (std::int64_t{1} << 34), "{}: y is {}, but may have at most 2^34 elements", op, y);
}

}  // namespace

void random_normal(Context& context, const Random& p, View step, View y) {
  check_random("random_normal", step, y);
  context.run([&](auto& backend) { random_normal(backend, p, step, y); });
}

void random_uniform(Context& context, const Random& p, View step, View y) {
  check_random("random_uniform", step, y);
  context.run([&](auto& backend) { random_uniform(backend, p, step, y); });
}

}  // namespace duel
