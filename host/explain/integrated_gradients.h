// Integrated gradients: what each number of a picture adds to the logit on the straight way from a baseline without
// anything to the picture (Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks", 2017, section 3).
#pragma once

#include "host/explain/answering_network.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace duel {

// Opacity, the last of 2 or 4 channels, stays as it is in each of them.
enum class Baseline : std::uint8_t {
  black,
  grey,     // the middle of the range
  blurred,  // the picture itself without detail: by a Gaussian of a tenth of its longer side
};

// The baseline of a picture [1,H,W,C].
std::vector<float> baseline_of(Baseline kind, std::span<const float> picture, const Shape& shape);

struct Integration {
  int points = 50;  // on the way, in the middles of as many equal parts
  Baseline baseline = Baseline::black;
};

struct IntegratedGradients {
  // Attributions sum to the difference of the logits, so far as the points are enough: by the fundamental theorem of
  // calculus.
  struct Completeness {
    double sum = 0;         // of the attributions
    double difference = 0;  // of the logit, of the picture less of its baseline
    // (sum - difference) / difference; nothing where the logits do not differ.
    std::optional<double> gap() const;
  };
  std::vector<float> attributions;         // [N,H,W,C]
  std::vector<Completeness> completeness;  // [N]
};

IntegratedGradients integrated_gradients(Context& context, const AnsweringNetwork& network, const Questions& questions,
                                         const Integration& integration);

}  // namespace duel
