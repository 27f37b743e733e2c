#include "host/recipes/step_recorder.h"

#include "engine/ops/ops.h"
#include "engine/rewrite/differentiate.h"
#include "host/data/draw_purpose.h"
#include "kernels/check.h"

#include <algorithm>
#include <utility>

namespace duel {

namespace {

using Block = Parameters::Block;

// Of an update of several networks: that of all their gradients together.
Value joint_norm(Program& program, const std::vector<Value>& norms) {
  if (norms.size() == 1) {
    return norms[0];
  }
  Value squares;
  for (const Value norm : norms) {
    const Value square = ops::multiply(program, norm, norm);
    squares = squares.exists() ? ops::add(program, squares, square) : square;
  }
  return ops::unary(program, UnaryKind::square_root, squares);
}

}  // namespace

StepRecorder::StepRecorder(const Networks& networks, const StepSettings& settings, const std::vector<Phase>& phases,
                           RecordedStep& step)
    : networks_(networks),
      settings_(settings),
      phases_(phases),
      phase_(phases[step.phases.size() - 1]),
      whole_(step),
      recorded_(step.phases.back()),
      step_(recorded_.program.bind("step", {1}, DType::i64)) {}

Value StepRecorder::batch(const std::string& draw, const std::string& source, const std::string& field) {
  return batch(draw, source, field, compute());
}

Value StepRecorder::batch(const std::string& draw, const std::string& source, const std::string& field, DType type) {
  const DrawnField drawn{draw, source, field};
  recorded_.batches.push_back(drawn);
  return settings_.batch_of(recorded_.program, drawn, step_, type);
}

Value StepRecorder::drawn(const std::string& draw, const Shape& shape, bool is_normal) {
  recorded_.noise.push_back({draw, shape});
  Program& p = program();
  if (settings_.are_draws_given) {
    return p.bind("draw/" + draw, shape, DType::f32);
  }
  const Random random{settings_.seed, purpose_of_draw(draw)};
  return is_normal ? ops::random_normal(p, random, step_, shape) : ops::random_uniform(p, random, step_, shape);
}

Value StepRecorder::normal(const std::string& draw, const Shape& shape) {
  return drawn(draw, shape, true);
}

Value StepRecorder::uniform(const std::string& draw, const Shape& shape) {
  return drawn(draw, shape, false);
}

Value StepRecorder::state(const std::string& name, const Shape& shape, double initial) {
  const auto known = std::find_if(whole_.state.begin(), whole_.state.end(),
                                  [&](const RecordedState& each) { return each.name == name; });
  if (known == whole_.state.end()) {
    whole_.state.push_back({name, shape, initial});
  } else {
    check(known->shape == shape && known->initial == initial, "state {}: is {} from {}, but was {} from {}", name,
          shape, initial, known->shape, known->initial);
  }
  const auto [found, is_new] = states_.try_emplace(name);
  if (is_new) {
    found->second = program().bind("state/" + name, shape, DType::f32);
  }
  return found->second;
}

void StepRecorder::set_state(const std::string& name, Value value) {
  const auto found = states_.find(name);
  check(found != states_.end(), "state {}: is set in the phase {}, which has not asked for it", name, phase_.name);
  // A copy of its own: made in its place, the value would be there for readers that come before this.
  ops::write_to(program(), ops::copy(program(), value), found->second);
}

const BoundParameters& StepRecorder::weights(const std::string& network) {
  const auto found = weights_.find(network);
  return found != weights_.end() ? found->second
                                 : weights_
                                       .try_emplace(network, program(), networks_.parameters(network), Block::master,
                                                    compute() == DType::bf16)
                                       .first->second;
}

Value StepRecorder::block(const std::string& network, Block which) {
  return bind_block(program(), networks_.parameters(network), which);
}

std::vector<Value> StepRecorder::run(const std::string& network, const std::vector<Value>& inputs) {
  const NamedState state_of = [&](const std::string& name, const Shape& shape, double initial) {
    return state(network + "/" + name, shape, initial);
  };
  const bool is_training = networks_.at(network).is_trained;
  return networks_[network].forward({program(), weights(network), state_of, is_training}, inputs);
}

Value StepRecorder::scaled(const Schedule& scale, Value x) {
  return scale.changes() ? ops::scale_scheduled(program(), scale, step_, x) : ops::affine(program(), x, scale.from);
}

void StepRecorder::metric(const std::string& name, Value value) {
  const auto found = std::find(whole_.metrics.begin(), whole_.metrics.end(), name);
  check(found != whole_.metrics.end(), "recipe: {} is not among its metrics", name);
  const auto column = static_cast<std::size_t>(found - whole_.metrics.begin());
  check(whole_.phase_of_metric[column] < 0, "recipe: the metric {} is stored twice", name);
  whole_.phase_of_metric[column] = static_cast<int>(whole_.phases.size()) - 1;
  columns_.push_back(static_cast<int>(column));
  stored_.push_back(value);
}

void StepRecorder::update(Value loss, const UpdateRule& rule) {
  Program& p = program();
  metric(rule.loss, loss);
  recorded_.loss = rule.loss;
  std::vector<Value> all;
  for (const std::string& network : phase_.updates) {
    const std::vector<Value>& more = weights(network).all();
    all.insert(all.end(), more.begin(), more.end());
  }
  const std::vector<Value> gradients = differentiate(p, loss, all);
  auto next = gradients.begin();
  for (const std::string& network : phase_.updates) {
    const Parameters& parameters = networks_.parameters(network);
    for (const Parameter& parameter : parameters.list()) {
      ops::write_to(p, *next++, bind_parameter(p, parameters, Block::gradient, parameter));
    }
  }
  std::vector<Value> blocks, norms;
  for (const std::string& network : phase_.updates) {
    const Program::Scope scope(p, network + "/update");
    blocks.push_back(block(network, Block::gradient));
    norms.push_back(ops::global_norm(p, blocks.back()));
  }
  const Program::Scope scope(p, phase_.updates.front() + "/update");
  const Value norm = joint_norm(p, norms);
  metric(rule.norm, norm);
  const Value scale = rule.clip_norm > 0 ? ops::clip_scale(p, rule.clip_norm, norm) : Value{};
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::string& network = phase_.updates[i];
    const Value compute_block = compute() == DType::bf16 ? block(network, Block::compute) : Value{};
    Adam adam = rule.adam;
    adam.clock = clock_of(network);
    ops::adam(p, adam, step_, scale, blocks[i],
              {block(network, Block::master), block(network, Block::m), block(network, Block::v), compute_block});
  }
}

// Phases that are alike count together.
UpdateClock StepRecorder::clock_of(const std::string& network) const {
  std::vector<UpdateClock::Term> terms;
  for (const Phase& each : phases_) {
    if (std::find(each.updates.begin(), each.updates.end(), network) == each.updates.end()) {
      continue;
    }
    const bool is_before = &each < &phase_;
    const auto alike = std::find_if(terms.begin(), terms.end(), [&](const UpdateClock::Term& term) {
      return term.every == each.every && term.after == (is_before ? 1 : 0);
    });
    if (alike == terms.end()) {
      terms.push_back({each.every, is_before ? 1 : 0, 1});
    } else {
      ++alike->times;
    }
  }
  return UpdateClock(terms);
}

void StepRecorder::average(const std::string& network, const Schedule& decay) {
  ops::ema(program(), decay, step_, block(network, Block::master), block(network, Block::average));
}

void StepRecorder::finish(bool is_last_phase) {
  if (!columns_.empty()) {
    const Shape ring = {settings_.ring_rows, static_cast<int>(whole_.metrics.size())};
    ops::store_scalars(program(), columns_, stored_, step_, program().bind("metrics", ring, DType::f32));
  }
  if (is_last_phase) {
    ops::advance_counter(program(), step_);
  }
}

}  // namespace duel
