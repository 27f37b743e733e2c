// A generator of one dense layer, whose latents and directions are known from its weights.
#pragma once

#include "engine/nn/layers.h"
#include "host/sample/sampler.h"

#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace duel::test {

// z [N,4] -> a picture of 4x4, one dense layer with a bias.
class OneLayer : public Network {
public:
  explicit OneLayer(ActivationKind kind)
      : Network("generator"), dense_(parameters(), "dense", 4, 16, {{kind}, glorot_and_zeros}) {}
  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    const Value y = dense_(pass.program, pass.weights, inputs[0], DType::f32);
    return {pass.program.reshape(y, {pass.program.shape(y)[0], 4, 4, 1})};
  }

private:
  Dense dense_;
};

// A generator of one layer, with weights that are drawn.
class OneLayerModel {
public:
  explicit OneLayerModel(ActivationKind kind = ActivationKind::identity) {
    std::vector<NamedNetwork> list;
    list.push_back({std::make_unique<OneLayer>(kind), false, false});
    networks_ = Networks(std::move(list));
    networks_.allocate_for_training(context, false);
    networks_.initialize(context, 3);
    const View block = networks_.parameters("generator").view(Parameters::Block::master);
    std::vector<float> values = download<float>(context, block);
    for (float& value : values) {
      value *= 0.4F;  // so that pictures stay within -1..1
    }
    upload<float>(context, block, values);
    networks_.add_to(storage_);
    sampling_.inputs = {{"latent", FieldKind::vector, {1, 4}, DType::f32}};
    sampling_.outputs = {picture_field("picture", 4, 4, 1)};
    sampling_.networks = {"generator"};
    sampling_.record = [](Program&, const Sampling::Run& run, std::span<const Value> inputs) {
      return run("generator", {inputs[0]});
    };
  }

  SamplingModel model() const { return {sampling_, networks_, storage_}; }
  std::vector<float> weights() {  // [4,16]
    const Parameters& parameters = networks_.parameters("generator");
    return download<float>(context, parameters.view(Parameters::Block::master, parameters.list()[0]));
  }

  Context context = Context::cpu(1, KernelChoice::ours);

private:
  Networks networks_;
  Storage storage_;
  Sampling sampling_;
};

}  // namespace duel::test
