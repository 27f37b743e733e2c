#include "host/parity/replay.h"

#include "host/data/batch_plan.h"
#include "host/train/trainable.h"
#include "kernels/check.h"
#include "kernels/gather.h"
#include "kernels/optimizer.h"

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

double learning_rate_of(const Execution& phase, std::int64_t step) {
  const std::vector<Node>& nodes = phase.program().nodes();
  const auto found = std::find_if(nodes.begin(), nodes.end(), [](const Node& n) { return n.op == "adam"; });
  check(found != nodes.end(), "replay: a phase has no node adam");
  return value_at(std::any_cast<Adam>(found->parameters).learning_rate, step);
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

namespace {

// One batch of zeros, of the record's fields.
Data batch_of(const Trajectory& trajectory) {
  const auto rows = static_cast<std::size_t>(trajectory.options().train.batch);
  Data data;
  for (const auto& [name, fields] : trajectory.fields()) {
    std::vector<MemorySource::Column> columns;
    for (const Field& field : fields) {
      columns.push_back({field, std::vector<std::uint8_t>(rows * field.row_bytes())});
    }
    data[name] = std::make_unique<MemorySource>(trajectory.path().string(), std::move(columns));
  }
  return data;
}

Options on_device(Options options, const std::string& precision) {
  options.precision = precision;
  options.schedule.residency = "device";
  return options;
}

}  // namespace

Replay::Replay(Context& context, const Trajectory& trajectory, const std::string& precision, const Bounds& bounds)
    : Replay(context, trajectory, on_device(trajectory.options(), precision), bounds, batch_of(trajectory)) {}

Replay::Replay(Context& context, const Trajectory& trajectory, const Options& options, const Bounds& bounds, Data batch)
    : context_(context),
      trajectory_(trajectory),
      options_(options),
      bounds_(bounds),
      batch_(std::move(batch)),
      plan_(plan_trainable(context, options_, batch_, {.are_draws_given = true})),
      rows_(context, plan_.batches.bytes()),
      given_(allocate()),
      memory_(context, std::move(plan_.step), plan_.networks, given_, kRingRows) {
  plan_.networks.initialize(context, options_.seed);  // clears what Adam keeps
  for (const NamedNetwork& each : plan_.networks.list()) {
    Parameters& parameters = each.network->parameters();
    for (const Block block : {Block::master, Block::average}) {
      load("initial/", parameters, block);
    }
    parameters.refresh_compute(context);
  }
}

Storage Replay::allocate() {
  plan_.networks.allocate_for_training(context_, options_.precision == "bf16");
  Storage storage;
  plan_.batches.add_to(storage, static_cast<std::byte*>(rows_.data()));
  for (const RecordedPhase& phase : plan_.step.phases) {
    for (const RecordedDraw& draw : phase.noise) {
      Buffer& buffer = noise_[draw.name];
      buffer = Buffer(context_, static_cast<std::size_t>(draw.shape.count()) * sizeof(float));
      storage.add("draw/" + draw.name, buffer.view(draw.shape, DType::f32));
    }
  }
  return storage;
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
void Replay::upload_batch(const DrawnField& drawn) {
  const std::vector<std::byte> recorded = trajectory_.read_batch(now_.step, drawn);
  std::vector<std::byte> shuffled(recorded.size());
  const auto batch = static_cast<std::uint32_t>(options_.train.batch);
  const std::size_t length = recorded.size() / batch;
  const Random order = plan_.batches.order(drawn.draw, drawn.source);
  for (std::uint32_t place = 0; place < batch; ++place) {
    const std::uint32_t index = row_index(order, batch, batch, static_cast<std::uint64_t>(now_.step - 1), place);
    std::copy_n(recorded.begin() + static_cast<std::ptrdiff_t>(place * length), length,
                shuffled.begin() + static_cast<std::ptrdiff_t>(index * length));
  }
  const View* rows = memory_.storage().find("data/" + drawn.source + "/" + drawn.field);
  check(rows != nullptr && rows->bytes() == shuffled.size(), "replay: {} is not where one batch of it can be put",
        drawn.field);
  context_.upload(rows->data, shuffled.data(), shuffled.size());
}

void Replay::upload_floats(const std::string& name, const View& view) {
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
  for (std::size_t i = 0; i < memory_.phases().size(); ++i) {
    if (memory_.phases()[i].recorded.runs_at(now_.step - 1)) {
      run_phase(i);
    }
  }
  compare_state();
  return now_;
}

void Replay::run_phase(std::size_t number) {
  const StepPhase& phase = memory_.phases()[number];
  for (const DrawnField& drawn : phase.recorded.batches) {
    upload_batch(drawn);
  }
  for (const RecordedDraw& draw : phase.recorded.noise) {
    upload_floats(draw.name, noise_.at(draw.name).view(draw.shape, DType::f32));
  }
  if (phase.recorded.updates.empty()) {
    phase.execution.run(context_);
    return;
  }
  const std::string prefix = phase_prefix(trajectory_.recorded().phases, number);
  const std::size_t update = update_of(phase.execution);
  const std::optional<Off> off_before = now_.first_off;
  phase.execution.run(context_, [&](std::size_t node) {
    if (node + 1 == update) {
      exchange_gradients(phase.recorded, prefix);
    }
  });
  // A phase stores its metrics at its end, but computes the loss before the gradients.
  const std::optional<Off> off_gradients = std::exchange(now_.first_off, off_before);
  compare_loss(phase.recorded.loss);
  if (!now_.first_off) {
    now_.first_off = off_gradients;
  }
  for (const std::string& name : phase.recorded.updates) {
    const Parameters& parameters = plan_.networks.parameters(name);
    const double learning_rate = learning_rate_of(phase.execution, now_.step - 1);
    compare_weights(prefix + "weight", parameters, Block::master, learning_rate);
    if (parameters.has(Block::average)) {
      compare_weights(prefix + "average", parameters, Block::average, learning_rate);
    }
  }
}

void Replay::compare_loss(const std::string& name) {
  const std::vector<std::string>& names = memory_.metrics();
  const auto column = static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  const std::size_t row = static_cast<std::size_t>(now_.step - 1) % kRingRows;
  const std::vector<float> got{download<float>(context_, memory_.metric_rows())[row * names.size() + column]};
  const std::vector<float> recorded = trajectory_.read(step_tensor(now_.step, name));
  const double magnitude = std::max(largest_magnitude(recorded), kLeastLoss);
  const double value = largest_difference(got, recorded) / magnitude;
  now_.duel.losses.push_back({name, value});
  std::optional<double> recorders;
  if (now_.recorders_float32) {
    recorders = trajectory_.read(float32_tensor(now_.step, name))[0] / magnitude;
    now_.recorders_float32->losses.push_back({name, *recorders});
  }
  note({{name, value}, bounds_.loss, "", recorders});
}

void Replay::exchange_gradients(const RecordedPhase& phase, const std::string& prefix) {
  for (const std::string& network : phase.updates) {
    const Parameters& parameters = plan_.networks.parameters(network);
    std::vector<std::vector<float>> recorded;
    double largest = 0;
    for (const Parameter& parameter : parameters.list()) {
      recorded.push_back(
          trajectory_.read(step_tensor(now_.step, prefix + "gradient/" + parameter_name(parameters, parameter))));
      largest = std::max(largest, largest_magnitude(recorded.back()));
    }
    for (std::size_t i = 0; i < recorded.size(); ++i) {
      const Parameter& parameter = parameters.list()[i];
      const View view = parameters.view(Block::gradient, parameter);
      compare_gradient(prefix + "gradient/" + parameter_name(parameters, parameter), download<float>(context_, view),
                       recorded[i], std::max(kLeastPartOfGradients * largest, kNothing));
      upload<float>(context_, view, recorded[i]);
    }
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

void Replay::compare_state() {
  for (const StateMemory::Array& array : memory_.state().arrays()) {
    const std::string name = "state/" + array.name;
    const std::vector<float> recorded = trajectory_.read(step_tensor(now_.step, name));
    const double difference = largest_difference(download<float>(context_, array.view), recorded);
    const Deviation deviation{name, difference / std::max(largest_magnitude(recorded), kNothing)};
    keep_larger(now_.state, deviation);
    note({deviation, bounds_.loss, "", {}});
  }
}

void Replay::compare_weights(const std::string& group, const Parameters& parameters, Block block,
                             double learning_rate) {
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
