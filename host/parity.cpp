#include "host/parity.h"

#include "host/device.h"
#include "host/replay.h"

#include <cstdio>

namespace duel {

namespace {

struct Off {
  int step;
  Deviation deviation;
};

void print_head(Context& context, const Trajectory& trajectory, const std::string& precision, double tolerance) {
  const Options& o = trajectory.options();
  const Shape& picture = trajectory.picture();
  fmt::print("{}: {} steps of preset {}, loss {}, batch {}, pictures {}x{}x{}, recorded by {}\n",
             trajectory.path().string(), trajectory.steps(), o.preset, o.loss.kind, o.train.batch, picture[1],
             picture[2], picture[3], trajectory.recorder());
  fmt::print("replayed on {} in {}, tolerance {:.1e}\n", context.name(), precision, tolerance);
  fmt::print(
      "Each number is the largest |duel - recorded| of a tensor, over its largest recorded element; of weights, over "
      "the\n"
      "learning rate. Each update takes the recorded gradients, after the engine's own were compared with them.\n");
  fmt::print("{:>5} {:>9} {:>9} {:>10}  {:<34} {:>9}  {}\n", "step", "d_loss", "g_loss", "gradients", "most in",
             "weights", "most in");
}

// "generator/dense1/weight", without the kind that the column's title says.
std::string short_name(const Deviation& deviation) {
  const std::string& name = deviation.tensor;
  for (const std::string prefix : {"gradient/", "weight/"}) {
    if (name.starts_with(prefix)) {
      return name.substr(prefix.size());
    }
  }
  return name;
}

}  // namespace

double default_tolerance(const std::string& precision) {
  return precision == "bf16" ? 1e-1 : precision == "tf32" ? 1e-2 : 1e-4;
}

int print_parity(Context& context, const Trajectory& trajectory, const std::string& precision, double tolerance) {
  Replay replay(context, trajectory, precision, tolerance);
  print_head(context, trajectory, precision, tolerance);
  std::optional<Off> off;
  for (int i = 0; i < trajectory.steps(); ++i) {
    const ReplayedStep step = replay.step();
    fmt::print("{:>5} {:>9.1e} {:>9.1e} {:>10.1e}  {:<34} {:>9.1e}  {}\n", step.step, step.d_loss, step.g_loss,
               step.gradient.value, short_name(step.gradient), step.weight.value, short_name(step.weight));
    std::fflush(stdout);
    if (!off && step.first_off) {
      off = Off{step.step, *step.first_off};
    }
  }
  if (off) {
    fmt::print("parity: off at step {}: {} deviates by {:.2e}, tolerance {:.1e}\n", off->step, off->deviation.tensor,
               off->deviation.value, tolerance);
    return 1;
  }
  fmt::print("parity: ok\n");
  return 0;
}

int run_parity(const ParityRequest& request) {
  const Trajectory trajectory(request.file);
  Options options = trajectory.options();
  options.device = request.device;
  options.precision = request.precision;
  options.threads = request.threads;
  options.kernels = request.kernels;
  validate(options);
  Context context = make_context(options);
  return print_parity(context, trajectory, request.precision,
                      request.tolerance.value_or(default_tolerance(request.precision)));
}

}  // namespace duel
