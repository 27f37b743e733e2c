// What a network knows of its rows' classes. Each layer can be made for 0 classes, and then adds nothing: so a network
// is written once, for both. `classes`: as Embedding takes them (i32 [N], or shares [N,K]); for 0 classes, no Value.
#pragma once

#include "engine/nn/layers.h"

#include <optional>

namespace duel {

// z [N,width] beside the trained row of its class, [N,2 width]. The table starts N(0, 1).
class ClassInput {
public:
  ClassInput(Parameters& parameters, int classes, int width);

  int columns() const { return columns_; }  // of what it gives: width, with classes twice that
  Value operator()(Program& program, const BoundParameters& weights, Value z, Value classes) const;

private:
  std::optional<Embedding> table_;
  int columns_;
};

// logits + the product of each row's features with the row of its class (Miyato & Koyama, "cGANs with projection
// discriminator", 2018, eq. 7). features [N,width], logits f32 [N,1]. The table starts N(0, 1 / width).
class ClassProjection {
public:
  ClassProjection(Parameters& parameters, int classes, int width);

  Value operator()(Program& program, const BoundParameters& weights, Value features, Value logits, Value classes) const;

private:
  std::optional<Embedding> table_;
};

}  // namespace duel
