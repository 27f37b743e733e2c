#include "kernels/optimizer.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

#include <cmath>

namespace duel {

DUEL_BACKENDS(adam, const Adam&, View step, View gradient_scale, View gradient, const AdamState&);
DUEL_BACKENDS(ema, const Schedule& decay, View step, View w, View average);
DUEL_BACKENDS(global_norm, View gradient, View y);
DUEL_BACKENDS(clip_scale, double max_norm, View norm, View y);

void adam(Context& context, const Adam& p, View step, View gradient_scale, View gradient, const AdamState& state) {
  check_counter("adam", step);
  check(is_present(state.w), "adam: w has no shape");
  for (const auto& [name, view] : {std::pair{"w", state.w}, {"m", state.m}, {"v", state.v}, {"gradient", gradient}}) {
    check_f32("adam", name, view, state.w.shape);
  }
  if (is_present(gradient_scale)) {
    check_f32("adam", "gradient_scale", gradient_scale, Shape{1});
  }
  check(!is_present(state.compute) || (state.compute.shape == state.w.shape && state.compute.dtype == DType::bf16),
        "adam: compute is {}, but must be bf16{}", state.compute, state.w.shape);
  if (is_present(state.average)) {
    check_f32("adam", "average", state.average, state.w.shape);
  }
  context.run([&](auto& backend) { adam(backend, p, step, gradient_scale, gradient, state); });
}

void ema(Context& context, const Schedule& decay, View step, View w, View average) {
  if (decay.changes() || is_present(step)) {
    check_counter("ema", step);
  }
  check(is_present(w), "ema: w has no shape");
  check_f32("ema", "w", w, w.shape);
  check_f32("ema", "average", average, w.shape);
  context.run([&](auto& backend) { ema(backend, decay, step, w, average); });
}

void global_norm(Context& context, View gradient, View y) {
  check(is_present(gradient), "global_norm: gradient has no shape");
  check_f32("global_norm", "gradient", gradient, gradient.shape);
  check_f32("global_norm", "y", y, Shape{1});
  context.run([&](auto& backend) { global_norm(backend, gradient, y); });
}

void clip_scale(Context& context, double max_norm, View norm, View y) {
  check_f32("clip_scale", "norm", norm, Shape{1});
  check_f32("clip_scale", "y", y, Shape{1});
  check(max_norm > 0, "clip_scale: max_norm is {}, but must be positive", max_norm);
  context.run([&](auto& backend) { clip_scale(backend, max_norm, norm, y); });
}

void check_adam(std::string_view name, const Adam& p) {
  check_schedule(fmt::format("{}: learning rate", name), p.learning_rate, 0);
  check_schedule(fmt::format("{}: beta2", name), p.beta2, 0, 1);
  if (p.beta2.from == 1 || p.beta2.to == 1) {
    throw_error(Error::Kind::usage, "{}: beta2 comes to 1, but must stay below (it is {})", name, to_string(p.beta2));
  }
  if (!(p.weight_decay >= 0) || !std::isfinite(p.weight_decay)) {
    throw_error(Error::Kind::usage, "{}: the weight decay is {:g}, but must be at least 0", name, p.weight_decay);
  }
}

Cost adam_cost(const AdamState& state) {
  const double n = static_cast<double>(state.w.count());
  // Reads g, w, m, v; writes w, m, v; reads and writes the average.
  return {12 * n, 28 * n + (is_present(state.compute) ? 2 * n : 0) + (is_present(state.average) ? 8 * n : 0)};
}

}  // namespace duel
