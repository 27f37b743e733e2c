// A recipe of three networks on two sources without pairs: two generators, one from each kind of picture to the other,
// and one discriminator. Written as a user would write a new recipe: what it needs of the program is here alone.
#pragma once

#include "engine/nn/layers.h"
#include "engine/nn/losses.h"
#include "engine/ops/ops.h"
#include "host/recipes/fields.h"
#include "host/recipes/step_recorder.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace duel::test {

// One dense layer from picture to picture.
class Translator : public Network {
public:
  Translator(const std::string& name, const Shape& picture)
      : Network(name),
        picture_(picture),
        layer_(parameters(), "dense", static_cast<int>(picture.count()), static_cast<int>(picture.count()),
               Activation{ActivationKind::tanh}) {}

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    Program& p = pass.program;
    const int rows = p.shape(inputs[0])[0];
    const Value flat = p.reshape(inputs[0], {rows, static_cast<int>(picture_.count())});
    return {p.reshape(layer_(p, pass.weights, flat, p.dtype(flat)), picture_.with_rows(rows))};
  }

private:
  Shape picture_;
  Dense layer_;
};

class Critic : public Network {
public:
  explicit Critic(const Shape& picture)
      : Network("critic"), layer_(parameters(), "dense", static_cast<int>(picture.count()), 1, Activation{}) {}

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    Program& p = pass.program;
    const Shape& shape = p.shape(inputs[0]);
    const Value flat = p.reshape(inputs[0], {shape[0], static_cast<int>(shape.row_count())});
    return {layer_(p, pass.weights, flat, DType::f32)};
  }

private:
  Dense layer_;
};

class CycleRecipe : public Recipe {
public:
  CycleRecipe(const Fields& fields, int critic_every)
      : a_(field_of(fields, "a", "picture", "cycle")),
        b_(field_of(fields, "b", "picture", "cycle")),
        critic_every_(critic_every) {}

  std::string name() const override { return "cycle"; }

  std::vector<NamedNetwork> make_networks() const override {
    std::vector<NamedNetwork> networks;
    networks.push_back({std::make_unique<Translator>("generator_ab", a_.shape), true});
    networks.push_back({std::make_unique<Translator>("generator_ba", b_.shape)});
    networks.push_back({std::make_unique<Critic>(b_.shape)});
    return networks;
  }

  std::vector<Phase> phases() const override {
    return {{"critic", {"critic"}, [this](StepRecorder& r) { record_critic(r); }, critic_every_},
            {"generators", {"generator_ab", "generator_ba"}, [this](StepRecorder& r) { record_generators(r); }}};
  }

  std::vector<DrawnField> batches() const override {
    return {{"reals", "b", "picture"}, {"sources", "a", "picture"}, {"from", "a", "picture"}};
  }

  std::vector<std::string> metrics() const override {
    return {"critic_loss", "critic_norm", "generators_loss", "generators_norm"};
  }

  Sampling sampling() const override {
    Sampling sampling;
    sampling.inputs = {a_};
    sampling.outputs = {b_};
    sampling.networks = {"generator_ab"};
    sampling.record = [](Program&, const Sampling::Run& run, std::span<const Value> inputs) {
      return run("generator_ab", {inputs[0]});
    };
    return sampling;
  }

private:
  static UpdateRule rule(const char* loss, const char* norm) {
    UpdateRule rule;
    rule.adam.learning_rate = 1e-3;
    rule.clip_norm = 1;
    rule.loss = loss;
    rule.norm = norm;
    return rule;
  }

  void record_critic(StepRecorder& r) const {
    Program& p = r.program();
    const Value real = r.batch("reals", "b", "picture");
    const Value fake = r.run("generator_ab", {r.batch("sources", "a", "picture")})[0];
    const Value real_logits = r.run("critic", {real})[0], fake_logits = r.run("critic", {fake})[0];
    // The mean logit of reals, as it was at the step before and is now.
    const Value before = r.state("mean_logit", {1}, 0.25);
    const Value loss = discriminator_loss(p, LossKind::hinge, real_logits, fake_logits);
    const Value drift = ops::add(p, ops::mean(p, real_logits), ops::affine(p, before, -1.0));
    r.set_state("mean_logit", ops::mean(p, real_logits));
    r.update(ops::add(p, loss, ops::affine(p, ops::multiply(p, drift, drift), 0.01)),
             rule("critic_loss", "critic_norm"));
  }

  void record_generators(StepRecorder& r) const {
    Program& p = r.program();
    const Value x = r.batch("from", "a", "picture");
    const Value there = r.run("generator_ab", {x})[0], back = r.run("generator_ba", {there})[0];
    const Value adversarial = generator_loss(p, LossKind::hinge, r.run("critic", {there})[0], {});
    const Value difference = ops::add(p, back, ops::affine(p, x, -1.0));
    const Value cycle = ops::mean(p, ops::multiply(p, difference, difference));
    r.update(ops::add(p, adversarial, ops::affine(p, cycle, 10.0)), rule("generators_loss", "generators_norm"));
    r.average("generator_ab", 0.9);
  }

  Field a_, b_;
  int critic_every_;
};

}  // namespace duel::test
