#include "host/parity/parity.h"

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
  Context context = make_context(request.where);
  const double t = request.tolerance;
  const Bounds bounds = t > 0 ? Bounds{t, t, t, t} : default_bounds(request.where.precision);
  return replay_all(context, trajectory, request.where.precision, bounds, each);
}

}  // namespace duel
