#include "engine/models/tryon.h"

#include "engine/nn/flow.h"
#include "engine/nn/leaky.h"
#include "engine/ops/ops.h"
#include "kernels/check.h"

#include <fmt/format.h>

namespace duel {

namespace {

constexpr int kLevels = 4, kFinest = 2;  // of the halved sizes, and of those that have a flow
constexpr int kStartWidth = 256;
constexpr double kKnown = 0.1;  // of pixels, so that a flow is as large as features are
constexpr int kGarmentInputs = 4, kPersonInputs = 6;
constexpr Conv2d kPointwise{};
LayerInitial start_at_zero(int /*fan_in*/, int /*fan_out*/) {
  return {Initial::zeros(), Initial::zeros()};
}
const LayerForm kLeakyForm{kLeaky, he_before_leaky}, kLeakyLater{{}, he_before_leaky}, kPlain{{}, as_in_pytorch},
    kZero{{}, start_at_zero};

// Checked before the first parameter is declared.
const TryonConfig& checked(const TryonConfig& config) {
  check_tryon(config);
  return config;
}

Value instance_norm(Program& program, Value x) {
  return ops::group_norm(program, {.groups = program.shape(x).back()}, x).y;
}

}  // namespace

void check_tryon(const TryonConfig& config) {
  constexpr int kUnit = 1 << kLevels;
  if (config.height < 2 * kUnit || config.width < 2 * kUnit || config.height % kUnit != 0 ||
      config.width % kUnit != 0) {
    throw_error(Error::Kind::usage,
                "try-on: pictures are {}x{} (width, height), but both must be multiples of {} and at least {}",
                config.width, config.height, kUnit, 2 * kUnit);
  }
  if (config.filters < 2 || config.filters % 2 != 0) {
    throw_error(Error::Kind::usage, "try-on: {} filters must be an even number, at least 2", config.filters);
  }
}

std::vector<TryonFlow::Level> TryonFlow::make_encoder(Parameters& parameters, const std::string& name, int inputs,
                                                      int filters) {
  std::vector<Level> levels;
  int before = inputs;
  for (int i = 1; i <= kLevels; ++i) {
    const int channels = i == 1 ? filters / 2 : i == 2 ? filters : 2 * filters;
    const std::string level = fmt::format("{}{}", name, i);
    // One by one: the order of declarations is that of the file.
    Conv halve(parameters, level + "/halve", kHalving, before, channels, 4, kLeakyForm);
    Conv more(parameters, level + "/more", Conv2d::same(3), channels, channels, 3, kLeakyForm);
    levels.push_back({std::move(halve), std::move(more), {}});
    if (i >= kFinest) {
      levels.back().lateral.emplace(parameters, level + "/lateral", kPointwise, channels, 2 * filters, 1, kPlain);
    }
    before = channels;
  }
  return levels;
}

TryonFlow::TryonFlow(Parameters& parameters, const TryonConfig& config)
    : garment_(make_encoder(parameters, "garment", kGarmentInputs, checked(config).filters)),
      person_(make_encoder(parameters, "person", kPersonInputs, config.filters)) {
  const int channels = 2 * config.filters;
  const int cells = (config.height >> kLevels) * (config.width >> kLevels);
  start_.emplace_back(parameters, "start1", cells * 2 * channels, kStartWidth, kLeakyForm);
  start_.emplace_back(parameters, "start2", kStartWidth, kStartWidth, kLeakyForm);
  start_.emplace_back(parameters, "start3", kStartWidth, cells * 2, kZero);
  for (int i = kLevels; i >= kFinest; --i) {
    const std::string name = fmt::format("flow{}", i);
    Conv meet(parameters, name + "/meet", Conv2d::same(3), 2 * channels, channels, 3, kLeakyLater);
    Conv known(parameters, name + "/known", Conv2d::same(3), 2, channels, 3, {{}, he_before_leaky, false});
    Conv more(parameters, name + "/more", Conv2d::same(3), channels, channels, 3, kLeakyForm);
    Conv last(parameters, name + "/last", Conv2d::same(3), channels, 2, 3, kZero);
    steps_.push_back({std::move(meet), std::move(known), std::move(more), std::move(last)});
  }
}

std::vector<Value> TryonFlow::pyramid(Program& program, const BoundParameters& weights,
                                      const std::vector<Level>& levels, Value x) {
  std::vector<Value> made;
  for (const Level& level : levels) {
    x = level.more(program, weights, level.halve(program, weights, x));
    made.push_back(x);
  }
  std::vector<Value> features;
  for (std::size_t i = levels.size(); i-- > 0 && levels[i].lateral;) {
    Value all = (*levels[i].lateral)(program, weights, made[i]);
    if (!features.empty()) {
      const Shape s = program.shape(all);
      all = ops::add(program, all, ops::resample2d(program, nearest_up(), features.back(), s[1], s[2]));
    }
    features.push_back(all);
  }
  return features;
}

Value TryonFlow::start(Program& program, const BoundParameters& weights, Value garment, Value person) const {
  const Shape s = program.shape(garment);
  const Value both = ops::concat_columns(program, garment, person);
  Value x = program.reshape(both, {s[0], s[1] * s[2] * 2 * s[3]});
  for (const Dense& layer : start_) {
    x = layer(program, weights, x, &layer == &start_.back() ? DType::f32 : program.dtype(both));
  }
  return program.reshape(x, {s[0], s[1], s[2], 2});
}

std::vector<Value> TryonFlow::operator()(Program& program, const BoundParameters& weights, Value garment,
                                         Value person) const {
  const Program::Scope scope(program, "flow");
  const std::vector<Value> garments = pyramid(program, weights, garment_, garment);
  const std::vector<Value> persons = pyramid(program, weights, person_, person);
  std::vector<Value> flows = {start(program, weights, garments.front(), persons.front())};
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Value so_far = i == 0 ? flows.back() : enlarge_flow(program, flows.back());
    const Value both = ops::concat_columns(program, warp_by_flow(program, garments[i], so_far), persons[i]);
    const Value known = ops::cast(program, ops::affine(program, so_far, kKnown), program.dtype(both));
    const Value met =
        ops::add(program, steps_[i].meet(program, weights, both), steps_[i].known(program, weights, known));
    const Value more = steps_[i].more(program, weights, ops::bias_act(program, kLeaky, met, {}));
    const Value step = steps_[i].last(program, weights, more);
    flows.push_back(ops::add(program, so_far, ops::cast(program, step, DType::f32)));
  }
  for (Value& flow : flows) {
    flow = enlarge_flow(program, flow);
  }
  flows.back() = enlarge_flow(program, flows.back());
  return flows;
}

TryonPainter::TryonPainter(Parameters& parameters, const TryonConfig& config, int inputs) {
  const int filters = checked(config).filters;
  for (int i = 0; i < kLevels; ++i) {
    const int before = i == 0 ? inputs : filters << (i - 1);
    down_.emplace_back(parameters, fmt::format("down{}", i + 1), kHalving, before, filters << i, 4, kPlain);
  }
  for (int i = kLevels; i >= 1; --i) {
    const int before = i == kLevels ? filters << (i - 1) : filters << i;  // twice as many: what came down is beside it
    const int made = i == 1 ? 5 : filters << (i - 2);
    up_.emplace_back(parameters, fmt::format("up{}", i), kHalving, before, made, 4, kPlain);
  }
}

TryonPainter::Painted TryonPainter::operator()(Program& program, const BoundParameters& weights, Value x) const {
  const Program::Scope scope(program, "painter");
  std::vector<Value> made;
  for (std::size_t i = 0; i < down_.size(); ++i) {
    x = down_[i](program, weights, i == 0 ? x : ops::bias_act(program, kLeaky, x, {}));
    x = i == 0 || i + 1 == down_.size() ? x : instance_norm(program, x);
    made.push_back(x);
  }
  for (std::size_t i = 0; i < up_.size(); ++i) {
    if (i > 0) {
      x = ops::concat_columns(program, instance_norm(program, x), made[made.size() - 1 - i]);
    }
    x = up_[i](program, weights, ops::bias_act(program, {ActivationKind::relu}, x, {}));
  }
  const Value masks = ops::bias_act(program, {ActivationKind::sigmoid}, ops::slice_columns(program, x, 3, 2), {});
  return {ops::bias_act(program, {ActivationKind::tanh}, ops::slice_columns(program, x, 0, 3), {}),
          ops::slice_columns(program, masks, 0, 1), ops::slice_columns(program, masks, 1, 1)};
}

}  // namespace duel
