#include "kernels/batch_norm.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(batch_norm_forward, const BatchNorm&, View x, View gamma, View beta, View y, View mean, View rstd);
DUEL_BACKENDS(batch_norm_inference, const BatchNorm&, View x, View gamma, View beta, View mean, View variance, View y);
DUEL_BACKENDS(batch_norm_backward, View dy, View x, View gamma, View mean, View rstd, View dx, View dgamma, View dbeta);
DUEL_BACKENDS(batch_norm_track, const BatchNormTrack&, View mean, View rstd, const BatchNormState&);

namespace {

void check_epsilon(const char* op, float epsilon) {
  check(epsilon > 0, "{}: epsilon is {}, but must be positive", op, epsilon);
}

using Named = std::pair<const char*, View>;

// Each an f32 number for every column of `x`.
void check_columns(const char* op, View x, std::initializer_list<Named> views) {
  for (const auto& [name, view] : views) {
    check_f32(op, name, view, Shape{x.shape.back()});
  }
}

}  // namespace

void batch_norm_forward(Context& context, const BatchNorm& p, View x, View gamma, View beta, View y, View mean,
                        View rstd) {
  check_float("batch_norm_forward", "x", x);
  check_like("batch_norm_forward", "y", y, "x", x);
  check_columns("batch_norm_forward", x, {{"gamma", gamma}, {"beta", beta}, {"mean", mean}, {"rstd", rstd}});
  check_epsilon("batch_norm_forward", p.epsilon);
  context.run([&](auto& backend) { batch_norm_forward(backend, p, x, gamma, beta, y, mean, rstd); });
}

void batch_norm_inference(Context& context, const BatchNorm& p, View x, View gamma, View beta, View mean, View variance,
                          View y) {
  check_float("batch_norm_inference", "x", x);
  check_like("batch_norm_inference", "y", y, "x", x);
  check_columns("batch_norm_inference", x, {{"gamma", gamma}, {"beta", beta}, {"mean", mean}, {"variance", variance}});
  check_epsilon("batch_norm_inference", p.epsilon);
  context.run([&](auto& backend) { batch_norm_inference(backend, p, x, gamma, beta, mean, variance, y); });
}

void batch_norm_backward(Context& context, View dy, View x, View gamma, View mean, View rstd, View dx, View dgamma,
                         View dbeta) {
  check_float("batch_norm_backward", "dy", dy);
  check_like("batch_norm_backward", "x", x, "dy", dy);
  check_like("batch_norm_backward", "dx", dx, "dy", dy);
  check_columns("batch_norm_backward", dy,
                {{"gamma", gamma}, {"mean", mean}, {"rstd", rstd}, {"dgamma", dgamma}, {"dbeta", dbeta}});
  context.run([&](auto& backend) { batch_norm_backward(backend, dy, x, gamma, mean, rstd, dx, dgamma, dbeta); });
}

void batch_norm_track(Context& context, const BatchNormTrack& p, View mean, View rstd, const BatchNormState& state) {
  check(mean.shape.rank() == 1, "batch_norm_track: mean is {}, but must be f32[C]", mean);
  check_columns("batch_norm_track", mean,
                {{"mean", mean},
                 {"rstd", rstd},
                 {"running_mean", state.running_mean},
                 {"running_variance", state.running_variance}});
  check(p.rows >= 2, "batch_norm_track: the batch has {} rows, but a variance takes 2", p.rows);
  check(p.momentum >= 0 && p.momentum <= 1, "batch_norm_track: momentum is {}, but must lie in [0,1]", p.momentum);
  check_epsilon("batch_norm_track", p.epsilon);
  context.run([&](auto& backend) { batch_norm_track(backend, p, mean, rstd, state); });
}

}  // namespace duel
