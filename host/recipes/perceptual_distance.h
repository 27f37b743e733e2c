// How unlike two pictures look to a classifier that was trained before: a frozen network in a recipe that makes
// pictures of pictures (Johnson et al., "Perceptual losses for real-time style transfer and super-resolution", 2016,
// equation 2, with a classifier of the shop's own in the place of VGG-16).
//
//   distance   mean over the classifier's stages of  sum (f(made) - f(true))^2 / sum f(true)^2,
//              f the map at a stage's end, as the classifier draws: with the running statistics of its norms
//
// A map is measured in its own size, so that no stage counts more because its numbers are larger. The classifier is
// convolutional but for its last layers, which are not looked at: pictures may have another size than it was trained
// on, though their details should be as large.
#pragma once

#include "host/config/options.h"
#include "host/recipes/recipe.h"

#include <cstdint>
#include <vector>

namespace duel {

class PerceptualDistance {
public:
  // Throws kind `usage` where options.perceptual does not describe a network for these pictures.
  PerceptualDistance(const Options& options, const Field& picture, std::int64_t steps);

  bool is_on() const { return options_.perceptual.run != "none"; }
  NamedNetwork make_network() const;  // "classifier"
  std::vector<Pretrained> pretrained() const;
  // Of pictures [N,H,W,C], times perceptual.weight; the distance itself becomes the metric "perceptual".
  Value loss(StepRecorder& r, Value made, Value real) const;

private:
  Options options_;
  std::int64_t steps_;
};

}  // namespace duel
