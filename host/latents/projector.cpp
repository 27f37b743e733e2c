#include "host/latents/projector.h"

#include "engine/ops/ops.h"
#include "engine/rewrite/differentiate.h"
#include "engine/rewrite/fuse.h"
#include "engine/rewrite/small_nodes.h"
#include "kernels/check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace duel {

namespace {

constexpr int kLeastHalved = 8;                    // extent of a level that is halved again
constexpr double kRising = 0.05, kFalling = 0.25;  // shares of the steps

Schedule rate_of(const ProjectorSettings& settings) {
  const auto part = [&](double share) { return static_cast<std::int64_t>(share * settings.steps); };
  // At the step behind the last one it is 0.
  return Schedule::cosine(settings.learning_rate, 0, settings.steps - std::max<std::int64_t>(part(kFalling), 1),
                          settings.steps)
      .with_warm_up(part(kRising));
}

Value mean_squares(Program& program, Value difference) {  // of each row
  const float share = 1.0F / static_cast<float>(program.shape(difference).row_count());
  return ops::reduce_sum(program, {Axes::each_row, share}, ops::multiply(program, difference, difference));
}

Value pyramid(Program& program, Value difference) {
  const Program::Scope scope(program, "pixels");
  Value sum = mean_squares(program, difference);
  int levels = 1;
  for (;; ++levels) {
    const Shape shape = program.shape(difference);
    if (shape[1] % 2 != 0 || shape[2] % 2 != 0 || std::min(shape[1], shape[2]) < kLeastHalved) {
      break;
    }
    difference = ops::resample2d(program, area_down(), difference, shape[1] / 2, shape[2] / 2);
    sum = ops::add(program, sum, mean_squares(program, difference));
  }
  return ops::affine(program, sum, 1.0 / levels);
}

Buffer floats(Context& context, std::int64_t count) {
  return {context, static_cast<std::size_t>(count) * sizeof(float)};
}

}  // namespace

Projector::Projector(Context& context, const SamplingModel& generator, Parameters::Block block,
                     const ProjectorSettings& settings, const std::optional<FeatureNetwork>& features)
    : context_(context),
      settings_(settings),
      picture_(generator.sampling.outputs[0].shape),
      latent_(static_cast<int>(drawn_inputs(generator.sampling).latent.shape.row_count())),
      execution_(make_execution(generator, block, features)),
      arena_(context, execution_.plan().arena_bytes),
      step_(context, sizeof(std::int64_t)),
      latents_(floats(context, std::int64_t{kRows} * latent_)),
      m_(floats(context, std::int64_t{kRows} * latent_)),
      v_(floats(context, std::int64_t{kRows} * latent_)),
      class_shares_(floats(context, std::int64_t{kRows} * classes_)),
      targets_(floats(context, kRows * picture_.count())),
      target_features_(floats(context, std::int64_t{kRows} * width_)),
      feature_scales_(floats(context, kRows)) {
  Storage storage = generator.storage;
  storage.add("step", step_.view({1}, DType::i64));
  storage.add("latents", latents_.view({kRows, latent_}, DType::f32));
  storage.add("latents/m", m_.view({kRows * latent_}, DType::f32));
  storage.add("latents/v", v_.view({kRows * latent_}, DType::f32));
  storage.add("targets", targets_.view(picture_.with_rows(kRows), DType::f32));
  if (classes_ > 0) {
    storage.add("classes", class_shares_.view({kRows, classes_}, DType::f32));
  }
  if (features) {
    for (const auto& [name, view] : features->model.storage.all()) {
      storage.add(name, view);
    }
    storage.add("targets/features", target_features_.view({kRows, width_}, DType::f32));
    storage.add("targets/scales", feature_scales_.view({kRows}, DType::f32));
    features_of_.emplace(context, features->model, Parameters::Block::average);
    feature_output_ = features->output;
  }
  execution_.attach(arena_.data(), storage);
}

Execution Projector::make_execution(const SamplingModel& generator, Parameters::Block block,
                                    const std::optional<FeatureNetwork>& features) {
  Program p;
  std::vector<RecordedState> state;
  const Value z = p.bind("latents", {kRows, latent_}, DType::f32);
  std::vector<Value> inputs = {z};
  if (const std::optional<Field> field = drawn_inputs(generator.sampling).classes) {
    classes_ = static_cast<int>(field->shape.row_count());
    inputs.push_back(p.bind("classes", {kRows, classes_}, DType::f32));
  }
  outputs_.pictures = record_outputs(p, generator.sampling, generator.networks, block, inputs, state)[0];
  const Value targets = p.bind("targets", picture_.with_rows(kRows), DType::f32);
  outputs_.pixels = pyramid(p, ops::add(p, outputs_.pictures, ops::affine(p, targets, -1.0)));
  outputs_.loss = outputs_.pixels;
  if (features) {
    const Program::Scope scope(p, "features");
    const SamplingModel& model = features->model;
    const std::array given = {outputs_.pictures};
    const Value made =
        record_outputs(p, model.sampling, model.networks, Parameters::Block::average, given, state)[features->output];
    width_ = static_cast<int>(p.shape(made).row_count());
    const Value wanted = p.bind("targets/features", {kRows, width_}, DType::f32);
    const Value scales = p.bind("targets/scales", {kRows}, DType::f32);
    const Value rows = p.reshape(made, {kRows, width_});
    outputs_.features = ops::multiply(p, scales, mean_squares(p, ops::add(p, rows, ops::affine(p, wanted, -1.0))));
    outputs_.loss = ops::add(p, outputs_.loss, ops::affine(p, outputs_.features, settings_.feature_weight));
  }
  {
    const Program::Scope scope(p, "prior");
    const double deviation = std::sqrt(2.0 * latent_);
    outputs_.squares = ops::reduce_sum(p, {Axes::each_row, 1.0F}, ops::multiply(p, z, z));
    const Value excess = ops::affine(p, outputs_.squares, 1 / deviation, -latent_ / deviation);
    outputs_.loss =
        ops::add(p, outputs_.loss, ops::affine(p, ops::multiply(p, excess, excess), settings_.prior_weight));
  }
  const Value gradient = differentiate(p, outputs_.loss, {z})[0];
  const Value step = p.bind("step", {1}, DType::i64);
  const Shape all{kRows * latent_};
  Adam adam;
  adam.learning_rate = rate_of(settings_);
  adam.epsilon = 1e-8;
  ops::adam(p, adam, step, {}, p.reshape(gradient, all),
            {p.bind("latents", all, DType::f32),
             p.bind("latents/m", all, DType::f32),
             p.bind("latents/v", all, DType::f32),
             {}});
  ops::advance_counter(p, step);
  for (const Value each : {outputs_.pictures, outputs_.loss, outputs_.pixels, outputs_.features, outputs_.squares}) {
    if (each.exists()) {
      p.keep(each);
    }
  }
  fuse(p);
  group_small_nodes(p);
  return {context_, std::move(p)};
}

std::vector<ProjectedRow> Projector::run(std::span<const ProjectionTask> tasks) {
  check(!tasks.empty() && tasks.size() <= kRows, "projector: {} tasks, where 1 to {} are taken at once", tasks.size(),
        kRows);
  // Rows without a task are those of the first one again: they cost nothing more, and no number in them is strange.
  std::vector<float> latents, shares, targets;
  for (std::size_t row = 0; row < kRows; ++row) {
    const ProjectionTask& task = tasks[row < tasks.size() ? row : 0];
    check(std::ssize(task.start) == latent_ && std::ssize(task.classes) == classes_ &&
              std::ssize(task.picture) == picture_.count(),
          "projector: a start of {} numbers, {} classes and {} pixels, where {}, {} and {} are taken",
          task.start.size(), task.classes.size(), task.picture.size(), latent_, classes_, picture_.count());
    latents.insert(latents.end(), task.start.begin(), task.start.end());
    shares.insert(shares.end(), task.classes.begin(), task.classes.end());
    for (const std::uint8_t pixel : task.picture) {
      targets.push_back(static_cast<float>(pixel) / 127.5F - 1);
    }
  }
  upload<float>(context_, latents_.view({kRows, latent_}, DType::f32), latents);
  upload<float>(context_, targets_.view(picture_.with_rows(kRows), DType::f32), targets);
  if (classes_ > 0) {
    upload<float>(context_, class_shares_.view({kRows, classes_}, DType::f32), shares);
  }
  if (width_ > 0) {
    give_features(tasks);
  }
  m_.clear();
  v_.clear();
  step_.clear();
  // Once more than there are steps: then the rate is 0, and the losses are those of the latents that remain.
  for (int i = 0; i <= settings_.steps; ++i) {
    execution_.run(context_);
  }
  const auto of = [&](Value value) {
    return value.exists() ? download<float>(context_, execution_.view(value)) : std::vector<float>(kRows);
  };
  const std::vector<float> found = download<float>(context_, latents_.view({kRows, latent_}, DType::f32));
  const std::vector<float> pictures = of(outputs_.pictures), loss = of(outputs_.loss), pixels = of(outputs_.pixels),
                           features = of(outputs_.features), squares = of(outputs_.squares);
  std::vector<ProjectedRow> rows;
  for (std::size_t row = 0; row < tasks.size(); ++row) {
    const auto part = [&](const std::vector<float>& values, std::int64_t size) {
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(row) * size;
      return std::vector<float>(begin, begin + size);
    };
    rows.push_back(
        {part(found, latent_), part(pictures, picture_.count()), loss[row], pixels[row], features[row], squares[row]});
  }
  return rows;
}

void Projector::give_features(std::span<const ProjectionTask> tasks) {
  std::vector<std::uint8_t> pixels;
  for (std::size_t row = 0; row < kRows; ++row) {
    const std::span<const std::uint8_t> picture = tasks[row < tasks.size() ? row : 0].picture;
    pixels.insert(pixels.end(), picture.begin(), picture.end());
  }
  const std::array rows = {std::as_bytes(std::span<const std::uint8_t>(pixels))};
  const std::vector<float> features = features_of_->run(context_, rows)[feature_output_];
  std::vector<float> scales;
  for (std::size_t row = 0; row < kRows; ++row) {
    double squares = 0;
    for (int i = 0; i < width_; ++i) {
      const double value = features[row * static_cast<std::size_t>(width_) + static_cast<std::size_t>(i)];
      squares += value * value;
    }
    scales.push_back(squares > 0 ? static_cast<float>(width_ / squares) : 0.0F);
  }
  upload<float>(context_, target_features_.view({kRows, width_}, DType::f32), features);
  upload<float>(context_, feature_scales_.view({kRows}, DType::f32), scales);
}

}  // namespace duel
