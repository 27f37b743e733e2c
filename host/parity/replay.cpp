#include "host/parity/replay.h"

#include "engine/nn/losses.h"
#include "host/data/dataset.h"
#include "host/run/model.h"
#include "host/train/trainer.h"
#include "kernels/check.h"
#include "kernels/gather.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace duel {

namespace {

using Block = Parameters::Block;

constexpr double kLeastLoss = 0.01;             // what a loss is measured against at the least
constexpr double kLeastPartOfGradients = 0.05;  // of the network's largest gradient
constexpr double kNothing = 1e-20;              // instead of dividing by zero
constexpr double kRounding = 0x1p-22;           // of a weight, by both programs together, in each step

Options with_precision(Options options, const std::string& precision) {
  options.precision = precision;
  return options;
}

double largest_magnitude(const std::vector<float>& values) {
  double largest = 0;
  for (const float value : values) {
    largest = std::max(largest, std::fabs(static_cast<double>(value)));
  }
  return largest;
}

double norm_of(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) {
    sum += static_cast<double>(value) * static_cast<double>(value);
  }
  return std::sqrt(sum);
}

double finite_or_infinity(double value) {
  return std::isfinite(value) ? value : std::numeric_limits<double>::infinity();
}

// The part `rounding` of each element is no difference.
double largest_difference(const std::vector<float>& got, const std::vector<float>& recorded, double rounding = 0) {
  double largest = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double wanted = recorded[i];
    const double difference = finite_or_infinity(std::fabs(static_cast<double>(got[i]) - wanted));
    largest = std::max(largest, difference - rounding * std::fabs(wanted));
  }
  return largest;
}

double norm_of_difference(const std::vector<float>& got, const std::vector<float>& recorded) {
  double sum = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = static_cast<double>(got[i]) - static_cast<double>(recorded[i]);
    sum += difference * difference;
  }
  return finite_or_infinity(std::sqrt(sum));
}

void keep_larger(Deviation& largest, const Deviation& other) {
  if (largest.tensor.empty() || other.value > largest.value) {
    largest = other;
  }
}

// The first node that reads the whole gradient.
std::size_t update_of(const Execution& phase) {
  const std::vector<Node>& nodes = phase.program().nodes();
  const auto found = std::find_if(nodes.begin(), nodes.end(), [](const Node& n) { return n.op == "global_norm"; });
  check(found != nodes.begin() && found != nodes.end(), "replay: a phase has no node global_norm");
  return static_cast<std::size_t>(found - nodes.begin());
}

}  // namespace

Bounds default_bounds(const std::string& precision) {
  if (precision == "bf16") {
    return {5e-2, 2e-1, 5e-1, 1e-4};
  }
  if (precision == "tf32") {
    return {1e-2, 5e-2, 1e-1, 1e-4};
  }
  return {1e-4, 1e-4, 1e-4, 1e-4};
}

GanModel Replay::make_allocated_model() {
  Dataset batch;
  batch.name = trajectory_.path().string();
  batch.count = options_.train.batch;
  batch.height = trajectory_.picture()[1];
  batch.width = trajectory_.picture()[2];
  batch.channels = trajectory_.picture()[3];
  batch.pixels.resize(static_cast<std::size_t>(trajectory_.picture().with_rows(batch.count).count()));
  check_trainable(context_, options_, batch);
  GanModel model = make_model(options_, trajectory_.picture());
  allocate_for_training(context_, model, options_);
  return model;
}

// The data set is one batch, which is exchanged before each phase.
GanBuffers Replay::buffers() const {
  const int batch = options_.train.batch;
  const View latents = latents_.view({batch, options_.model.latent}, DType::f32);
  return {pictures_.view(trajectory_.picture().with_rows(batch), DType::u8),
          counter_.view({1}, DType::i64),
          ring_.view({1, static_cast<int>(gan_metrics(options_).size())}, DType::f32),
          {latents, latents, shares_.view({batch}, DType::f32)}};
}

Replay::Replay(Context& context, const Trajectory& trajectory, const std::string& precision, const Bounds& bounds)
    : context_(context),
      trajectory_(trajectory),
      options_(with_precision(trajectory.options(), precision)),
      bounds_(bounds),
      model_(make_allocated_model()),
      pictures_(context, static_cast<std::size_t>(trajectory.picture().with_rows(options_.train.batch).count())),
      counter_(context, sizeof(std::int64_t)),
      ring_(context, gan_metrics(options_).size() * sizeof(float)),
      latents_(context, static_cast<std::size_t>(options_.train.batch) * options_.model.latent * sizeof(float)),
      shares_(context, static_cast<std::size_t>(options_.train.batch) * sizeof(float)),
      phases_(record_gan(model_, options_, buffers())),
      discriminator_phase_(context, std::move(phases_.discriminator)),
      generator_phase_(context, std::move(phases_.generator)),
      arena_(context, std::max(discriminator_phase_.plan().arena_bytes, generator_phase_.plan().arena_bytes)) {
  counter_.clear();
  discriminator_phase_.attach(arena_.data());
  generator_phase_.attach(arena_.data());
  for (Network* network : {model_.generator.get(), model_.discriminator.get()}) {
    network->parameters().initialize(context, options_.seed, 0);  // clears what Adam keeps
    for (const Block block : {Block::master, Block::average}) {
      load("initial/", network->parameters(), block);
    }
    network->parameters().refresh_compute(context);
  }
}

void Replay::load(const std::string& prefix, const Parameters& parameters, Block block) {
  if (!parameters.has(block)) {
    return;
  }
  for (const Parameter& parameter : parameters.list()) {
    upload<float>(context_, parameters.view(block, parameter),
                  trajectory_.read(prefix + parameter_name(parameters, parameter)));
  }
}

// So that the operator which gathers them, shuffled, puts each one into its recorded place.
void Replay::upload_pictures(const char* name, Purpose purpose) {
  const std::vector<std::uint8_t> recorded = trajectory_.read_pictures(step_tensor(now_.step, name));
  std::vector<std::uint8_t> shuffled(recorded.size());
  const auto batch = static_cast<std::uint32_t>(options_.train.batch);
  const std::size_t length = recorded.size() / batch;
  for (std::uint32_t place = 0; place < batch; ++place) {
    const std::uint32_t index =
        picture_index({options_.seed, purpose}, batch, batch, static_cast<std::uint64_t>(now_.step - 1), place);
    std::copy_n(recorded.begin() + static_cast<std::ptrdiff_t>(place * length), length,
                shuffled.begin() + static_cast<std::ptrdiff_t>(index * length));
  }
  context_.upload(pictures_.data(), shuffled.data(), shuffled.size());
}

void Replay::upload_floats(const char* name, const View& view) {
  upload<float>(context_, view, trajectory_.read(step_tensor(now_.step, name)));
}

ReplayedStep Replay::step() {
  check(now_.step < trajectory_.steps(), "replay: all {} steps are done", trajectory_.steps());
  const int step = now_.step + 1;
  now_ = {};
  now_.step = step;
  if (trajectory_.tells_float32()) {
    now_.recorders_float32.emplace();
  }
  const Options::Optimizer& optimizer = options_.optimizer;

  upload_pictures("d_reals", Purpose::d_reals);
  upload_floats("d_latents", buffers().sources.d_latents);
  if (!options_.loss.gradient_penalty.is_zero()) {
    upload_floats("shares", buffers().sources.shares);
  }
  run_phase(discriminator_phase_, model_.discriminator->parameters(), optimizer.discriminator_learning_rate.number());

  if (generator_loss_needs_reals(loss_named(options_.loss.kind))) {
    upload_pictures("g_reals", Purpose::g_reals);
  }
  upload_floats("g_latents", buffers().sources.g_latents);
  run_phase(generator_phase_, model_.generator->parameters(), optimizer.generator_learning_rate.number());
  return now_;
}

void Replay::run_phase(const Execution& phase, const Parameters& parameters, double learning_rate) {
  const bool is_discriminator = &phase == &discriminator_phase_;
  const std::size_t update = update_of(phase);
  const std::optional<Off> off_before = now_.first_off;
  phase.run(context_, [&](std::size_t node) {
    if (node + 1 == update) {
      exchange_gradients(parameters);
    }
  });
  // A phase stores its metrics at its end, but computes the loss before the gradients.
  const std::optional<Off> off_gradients = std::exchange(now_.first_off, off_before);
  compare_loss(is_discriminator ? "d_loss" : "g_loss", is_discriminator ? &Deviations::d_loss : &Deviations::g_loss);
  if (!now_.first_off) {
    now_.first_off = off_gradients;
  }
  compare_weights("weight", parameters, Block::master, learning_rate);
  if (parameters.has(Block::average)) {
    compare_weights("average", parameters, Block::average, learning_rate);
  }
}

void Replay::compare_loss(const char* name, double Deviations::*loss) {
  const std::vector<std::string> names = gan_metrics(options_);
  const auto column = static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  const std::vector<float> got{download<float>(context_, buffers().ring)[column]};
  const std::vector<float> recorded = trajectory_.read(step_tensor(now_.step, name));
  const double magnitude = std::max(largest_magnitude(recorded), kLeastLoss);
  const double value = largest_difference(got, recorded) / magnitude;
  now_.duel.*loss = value;
  std::optional<double> recorders;
  if (now_.recorders_float32) {
    recorders = trajectory_.read(float32_tensor(now_.step, name))[0] / magnitude;
    (*now_.recorders_float32).*loss = *recorders;
  }
  note({{name, value}, bounds_.loss, "", recorders});
}

void Replay::exchange_gradients(const Parameters& parameters) {
  std::vector<std::vector<float>> recorded;
  double largest = 0;
  for (const Parameter& parameter : parameters.list()) {
    recorded.push_back(trajectory_.read(step_tensor(now_.step, "gradient/" + parameter_name(parameters, parameter))));
    largest = std::max(largest, largest_magnitude(recorded.back()));
  }
  for (std::size_t i = 0; i < recorded.size(); ++i) {
    const Parameter& parameter = parameters.list()[i];
    const View view = parameters.view(Block::gradient, parameter);
    compare_gradient("gradient/" + parameter_name(parameters, parameter), download<float>(context_, view), recorded[i],
                     std::max(kLeastPartOfGradients * largest, kNothing));
    upload<float>(context_, view, recorded[i]);
  }
}

void Replay::compare_gradient(const std::string& name, const std::vector<float>& got,
                              const std::vector<float>& recorded, double least_magnitude) {
  const double norm = std::max(norm_of(recorded), least_magnitude);
  const double element = std::max(largest_magnitude(recorded), least_magnitude);
  const Deviation in_norm{name, norm_of_difference(got, recorded) / norm};
  const Deviation in_element{name, largest_difference(got, recorded) / element};
  keep_larger(now_.duel.norm, in_norm);
  keep_larger(now_.duel.element, in_element);
  std::optional<double> norm_in_float32, element_in_float32;
  if (now_.recorders_float32) {
    const std::vector<float> differences = trajectory_.read(float32_tensor(now_.step, name));
    norm_in_float32 = differences[0] / norm;
    element_in_float32 = differences[1] / element;
    keep_larger(now_.recorders_float32->norm, {name, *norm_in_float32});
    keep_larger(now_.recorders_float32->element, {name, *element_in_float32});
  }
  note({in_norm, bounds_.gradient_norm, "in norm", norm_in_float32});
  note({in_element, bounds_.gradient_element, "in one element", element_in_float32});
}

void Replay::compare_weights(const char* group, const Parameters& parameters, Block block, double learning_rate) {
  for (const Parameter& parameter : parameters.list()) {
    const std::string name = fmt::format("{}/{}", group, parameter_name(parameters, parameter));
    const std::vector<float> recorded = trajectory_.read(step_tensor(now_.step, name));
    const std::vector<float> got = download<float>(context_, parameters.view(block, parameter));
    const double difference = largest_difference(got, recorded, kRounding * now_.step);
    const Deviation deviation{name, difference / std::max(learning_rate, kNothing)};
    keep_larger(now_.weight, deviation);
    note({deviation, bounds_.weight, "", {}});
  }
}

void Replay::note(Off off) {
  if (!now_.first_off && off.deviation.value > off.bound) {
    now_.first_off = std::move(off);
  }
}

}  // namespace duel
