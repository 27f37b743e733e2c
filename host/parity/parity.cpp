#include "host/parity/parity.h"

#include "host/config/configuration.h"
#include "host/device/device.h"

#include <algorithm>

namespace duel {

const ReplayedStep* ParityReport::off() const {
  const auto found =
      std::find_if(steps.begin(), steps.end(), [](const ReplayedStep& step) { return step.first_off.has_value(); });
  return found == steps.end() ? nullptr : &*found;
}

ParityReport replay_all(Context& context, const Trajectory& trajectory, const std::string& precision,
                        const Bounds& bounds, const std::function<void(const ParityReport&)>& each) {
  const Options& o = trajectory.options();
  ParityReport report{.file = trajectory.path(),
                      .recorded_steps = trajectory.steps(),
                      .recorder = trajectory.recorder(),
                      .preset = o.preset,
                      .loss = o.loss.kind,
                      .batch = o.train.batch,
                      .picture = trajectory.picture(),
                      .device = context.name(),
                      .precision = precision,
                      .bounds = bounds,
                      .steps = {},
                      .doubt = trajectory.doubt()};
  Replay replay(context, trajectory, precision, bounds);
  for (int i = 0; i < trajectory.steps(); ++i) {
    report.steps.push_back(replay.step());
    if (each) {
      each(report);
    }
  }
  return report;
}

ParityReport run_parity(const ParityRequest& request, const std::function<void(const ParityReport&)>& each) {
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
  return replay_all(context, trajectory, options.precision, bounds, each);
}

}  // namespace duel
