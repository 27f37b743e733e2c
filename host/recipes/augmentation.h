// What a discriminator's pictures go through before it sees them, real and generated ones alike, or a classifier's, so
// that it cannot learn a few real ones by heart (kernels/augment_pictures.h). Sheets, generated files and what is
// classified never do.
//
//   augment.policy   each change is made to a share of the pictures, the probability
//     none           nothing
//     product        moves by up to 1/8 of the extents; a hole of up to 3/8; brightness +-0.3 (of 2), saturation +-60
//     %,
//                    contrast +-30 %. Neither mirrored, which would turn lettering round, nor in other hues
//     full           as in Zhao et al. (2020): a hole of up to 1/2, brightness +-0.5, saturation +-100 %, contrast +-50
//     %;
//                    and half of the share mirrored
//
//   augment.probability   a number or a schedule; with augment.adaptive it begins there, and then follows the rule of
//                         Karras et al. (2020, section 3.1): at each step it rises where the mean sign of what the
//                         discriminator makes of real pictures, averaged over about 4 steps, is above augment.target,
//                         and else it falls, so quickly that kAdaptPictures pictures take it from 0 to 1; 0.8 is the
//                         most. The sign is that of a real picture's logit less guess_of(loss), for the
//                         relativistic loss that of each pair's difference. Both numbers are state:
//                         augment/probability, augment/sign
//   augment.flip          of real pictures one in two is mirrored, as if the data had them too: generated ones will be
#pragma once

#include "engine/nn/losses.h"
#include "engine/program/program.h"
#include "host/config/options.h"
#include "host/data/source.h"
#include "kernels/augment_pictures.h"
#include "kernels/schedule.h"

#include <cstdint>
#include <string>
#include <vector>

namespace duel {

class StepRecorder;

inline constexpr double kAdaptPictures = 100'000;
inline constexpr double kMostAdapted = 0.8;  // beyond it changes are learnt

class Augmentation {
public:
  // Throws kind `usage` where augment.adaptive is to begin at a schedule.
  Augmentation(const Options& options, const Field& picture, std::int64_t steps);

  std::vector<std::string> metrics() const;  // augment_probability, where there is a policy

  // By a draw called `name`, for so many pictures. None where there is no policy.
  Value draws(StepRecorder& r, const std::string& name, int pictures) const;
  // The pictures themselves where there are no draws.
  Value augmented(StepRecorder& r, Value pictures, Value draws) const;
  // As augment.flip says, by a draw called `name`.
  Value mirrored(StepRecorder& r, const std::string& name, Value reals) const;
  // Stores the metric, and adapts the probability for what is recorded later. real, fake: logits [N,1].
  void adapt(StepRecorder& r, Value real, Value fake) const;

private:
  Value probability(StepRecorder& r) const;

  bool is_on_, flips_, is_adaptive_;
  LossKind kind_;
  AugmentPictures changes_;
  Schedule probability_;
  double target_, rate_;
};

}  // namespace duel
