#include "host/recipes/augmentation.h"

#include "engine/ops/ops.h"
#include "host/recipes/step_recorder.h"

namespace duel {

namespace {

constexpr const char* kProbability = "augment/probability";
constexpr const char* kSign = "augment/sign";
constexpr double kSignShare = 0.25;  // of the newest step in the mean sign

AugmentPictures changes_of(const std::string& policy, int height, int width) {
  const bool is_full = policy == "full";
  AugmentPictures p;
  p.shift_rows = height / 8;
  p.shift_columns = width / 8;
  p.hole_rows = is_full ? height / 4 : height * 3 / 16;
  p.hole_columns = is_full ? width / 4 : width * 3 / 16;
  p.mirrors = is_full;
  p.brightness = is_full ? 0.5F : 0.3F;
  p.saturation = is_full ? 1.0F : 0.6F;
  p.contrast = is_full ? 0.5F : 0.3F;
  return p;
}

Value number(Program& p, double value) {
  return ops::fill(p, {1}, DType::f32, value);
}

// The smaller of x and `most`, the greater of x and 0.
Value bounded(Program& p, Value x, double most) {
  const auto positive_part = [&](Value value) { return ops::bias_act(p, {ActivationKind::relu}, value, {}); };
  return positive_part(ops::affine(p, positive_part(ops::affine(p, x, -1, most)), -1, most));
}

// The mean over the logits of 1 where one is positive, else -1.
Value mean_sign(Program& p, Value logits) {
  return ops::affine(p, fraction_positive(p, logits), 2, -1);
}

}  // namespace

Augmentation::Augmentation(const Options& options, const Field& picture, std::int64_t steps)
    : is_on_(options.augment.policy != "none"),
      flips_(options.augment.flip),
      is_adaptive_(options.augment.adaptive),
      kind_(loss_named(options.loss.kind)),
      changes_(changes_of(options.augment.policy, picture.shape[1], picture.shape[2])),
      probability_(resolve("augment.probability", options.augment.probability, steps, options.train.batch)),
      target_(options.augment.target),
      rate_(options.train.batch / kAdaptPictures) {
  if (is_on_ && is_adaptive_ && probability_.changes()) {
    throw_error(Error::Kind::usage,
                "augment.probability: {}, but with augment.adaptive it must be the number to begin at",
                to_string(probability_));
  }
}

std::vector<std::string> Augmentation::metrics() const {
  return is_on_ ? std::vector<std::string>{"augment_probability"} : std::vector<std::string>{};
}

Value Augmentation::draws(StepRecorder& r, const std::string& name, int pictures) const {
  return is_on_ ? r.uniform(name, {pictures, kAugmentDraws}) : Value{};
}

Value Augmentation::augmented(StepRecorder& r, Value pictures, Value draws) const {
  return draws.exists() ? ops::augment_pictures(r.program(), changes_, pictures, draws, probability(r)) : pictures;
}

Value Augmentation::mirrored(StepRecorder& r, const std::string& name, Value reals) const {
  if (!flips_) {
    return reals;
  }
  AugmentPictures mirror;
  mirror.mirrors = true;
  Program& p = r.program();
  return ops::augment_pictures(p, mirror, reals, r.uniform(name, {p.shape(reals)[0], kAugmentDraws}), number(p, 1));
}

void Augmentation::adapt(StepRecorder& r, Value real, Value fake) const {
  if (!is_on_) {
    return;
  }
  Program& p = r.program();
  Value now = probability(r);
  if (is_adaptive_) {
    const Value judged = is_relativistic(kind_) ? ops::add(p, real, ops::affine(p, fake, -1))
                         : guess_of(kind_) == 0 ? real
                                                : ops::affine(p, real, 1, -guess_of(kind_));
    const Value before = r.state(kSign, {1}, target_);
    const Value sign =
        ops::add(p, ops::affine(p, before, 1 - kSignShare), ops::affine(p, mean_sign(p, judged), kSignShare));
    const Value direction = mean_sign(p, ops::affine(p, sign, 1, -target_));
    now = bounded(p, ops::add(p, now, ops::affine(p, direction, rate_)), kMostAdapted);
    r.set_state(kSign, sign);
    r.set_state(kProbability, now);
  }
  r.metric("augment_probability", now);
}

Value Augmentation::probability(StepRecorder& r) const {
  Program& p = r.program();
  if (is_adaptive_) {
    return r.state(kProbability, {1}, probability_.from);
  }
  return probability_.changes() ? ops::scale_scheduled(p, probability_, r.step(), number(p, 1))
                                : number(p, probability_.from);
}

}  // namespace duel
