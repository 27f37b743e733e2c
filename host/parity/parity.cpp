#include "host/parity/parity.h"

#include "host/config/configuration.h"
#include "host/device/device.h"

#include <cstdio>
#include <optional>

namespace duel {

namespace {

constexpr const char* kRow = "{:>5} {:<8} {:>9} {:>9} {:>9}  {:<27} {:>9}  {:<27} {:>9}\n";

void print_head(Context& context, const Trajectory& trajectory, const std::string& precision, const Bounds& bounds) {
  const Options& o = trajectory.options();
  const Shape& picture = trajectory.picture();
  fmt::print("{}: {} steps of preset {}, loss {}, batch {}, pictures {}x{}x{}, recorded by {}\n",
             trajectory.path().string(), trajectory.steps(), o.preset, o.loss.kind, o.train.batch, picture[1],
             picture[2], picture[3], trajectory.recorder());
  fmt::print(
      "replayed on {} in {}; bounds: loss {:.0e}, gradient in norm {:.0e}, in one element {:.0e}, weight {:.0e}\n",
      context.name(), precision, bounds.loss, bounds.gradient_norm, bounds.gradient_element, bounds.weight);
  fmt::print(
      "Each number is a deviation from the record: of a loss, over its size; of gradients, the largest of any "
      "tensor's,\n"
      "|difference| over |recorded| in norm, and the most wrong element over the tensor's largest; of weights, over "
      "the\n"
      "learning rate. Each update takes the recorded gradients, after the engine's own were compared with them.\n"
      "Rows `recorder`: what the recording program's own float32 deviates, from the recorded weights.\n");
  fmt::print(kRow, "step", "", "d_loss", "g_loss", "in norm", "most in", "element", "most in", "weights");
}

// "generator/dense1/weight", without the kind that the column's title says.
std::string short_name(const Deviation& deviation) {
  const std::string& name = deviation.tensor;
  const std::string prefix = "gradient/";
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

std::string number(double value) {
  return fmt::format("{:.1e}", value);
}

void print_row(const std::string& step, const char* who, const Deviations& deviations, const std::string& weights) {
  fmt::print(kRow, step, who, number(deviations.d_loss), number(deviations.g_loss), number(deviations.norm.value),
             short_name(deviations.norm), number(deviations.element.value), short_name(deviations.element), weights);
}

void print_off(const ReplayedStep& step, const Trajectory& trajectory) {
  const Off& off = *step.first_off;
  fmt::print(
      "parity: off at step {}: {} deviates by {:.2e}{}{}, bound {:.1e}{}\n", step.step, off.deviation.tensor,
      off.deviation.value, *off.measure == '\0' ? "" : " ", off.measure, off.bound,
      off.recorders_float32 ? fmt::format("; the recorder's own float32 by {:.2e}", *off.recorders_float32) : "");
  const std::string doubt = trajectory.doubt();
  if (!doubt.empty()) {
    fmt::print("parity: {}\n", doubt);
  }
}

}  // namespace

int print_parity(Context& context, const Trajectory& trajectory, const std::string& precision, const Bounds& bounds) {
  Replay replay(context, trajectory, precision, bounds);
  print_head(context, trajectory, precision, bounds);
  std::optional<ReplayedStep> off;
  for (int i = 0; i < trajectory.steps(); ++i) {
    const ReplayedStep step = replay.step();
    print_row(fmt::format("{}", step.step), "duel", step.duel, number(step.weight.value));
    if (step.recorders_float32) {
      print_row("", "recorder", *step.recorders_float32, "");
    }
    std::fflush(stdout);
    if (!off && step.first_off) {
      off = step;
    }
  }
  if (off) {
    print_off(*off, trajectory);
    return kParityOffExitCode;
  }
  fmt::print("parity: ok\n");
  return 0;
}

int run_parity(const ParityRequest& request) {
  const Trajectory trajectory(request.file);
  Options options = trajectory.options();
  options.device = request.where.device;
  options.precision = request.where.precision;
  options.threads = request.where.threads;
  options.kernels = request.where.kernels;
  validate(options);
  Context context = make_context(options);
  const double t = request.tolerance;
  const Bounds bounds = t > 0 ? Bounds{t, t, t, t} : default_bounds(options.precision);
  return print_parity(context, trajectory, options.precision, bounds);
}

}  // namespace duel
