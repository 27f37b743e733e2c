// What recipes have in common that learn from two sources of pictures without pairs: "main", whose pictures are given,
// and "into" (data.into), what they are to become.
#pragma once

#include "engine/nn/losses.h"
#include "host/config/options.h"
#include "host/recipes/augmentation.h"
#include "host/recipes/recipe.h"
#include "host/recipes/step_recorder.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace duel {

inline constexpr const char* kGiven = "main";
inline constexpr const char* kWanted = "into";

class Unpaired {
public:
  // Throws kind `usage` where there is no second source, where its pictures are of other extents, or where loss.kind
  // compares pairs. `steps`: of the run, for schedules.
  Unpaired(const Options& options, const Fields& fields, std::int64_t steps, const char* recipe);

  const Field& picture() const { return picture_; }  // of either source

  // A batch of `source`, by the draw, mirrored as augment.flip says by the draw NAME_mirror.
  Value pictures(StepRecorder& r, const std::string& draw, const char* source) const;

  // One discriminator's pictures of a step.
  struct Judged {
    const char* discriminator;
    Value real, fake;
  };
  // The discriminators' phase, an update of them all by the sum of their losses: loss.kind and, on real pictures, R1,
  //   loss.r1 / 2 * mean over pictures of |gradient of the mean of the picture's logits|^2
  // Metrics: discriminator_metrics(), of several discriminators their mean but for d_loss and d_grad_norm.
  void update_discriminators(StepRecorder& r, const std::vector<Judged>& all) const;
  std::vector<std::string> discriminator_metrics() const;

  // What a generator loses to a discriminator: twice what losses.h says, so that least squares are (f - 1)^2 as in the
  // papers, whose weights beside it are to be kept.
  Value adversary(StepRecorder& r, const char* discriminator, Value fake) const;
  // Adam's of the generators and what learns with them; metrics g_loss, g_grad_norm.
  void update_generators(StepRecorder& r, Value loss, const std::vector<const char*>& averaged) const;

  // From a picture of the one kind to one of the other, by the network's first output.
  Sampling sampling(const char* generator) const;

private:
  Options options_;
  std::int64_t steps_;
  Field picture_;
  Augmentation augmentation_;
  LossKind kind_;
};

// sum + weight * loss, either of which may not exist yet.
Value add_weighted(Program& program, Value sum, double weight, Value loss);

}  // namespace duel
