// An adversary for a recipe that makes pictures of something: a discriminator, which is shown pictures as they should
// be and as they were made, each beside what it was made of (Isola et al., 2017). model.adversary = patch judges
// patches (engine/models/patch_discriminator.h), unet each pixel (engine/models/unet_discriminator.h). With D its
// logits, c the condition, x the picture and y the made one, the mean of all logits:
//
//   d_main     discriminator_loss (engine/nn/losses.h, loss.kind) of D(c, x) and D(c, y), with R1 where asked for; one
//              Adam update of the discriminator by optimizer.discriminator_learning_rate
//   d_penalty  where loss.penalty_every is more than 1, R1 alone, every so many steps; d_main has none then
//   loss()     for the maker's own phase: loss.adversary * generator_loss
//
// R1 is loss.r1 / 2 times the mean over pictures of |d (sum of a picture's logits) / dx|^2, the condition held, as in
// Suvorov et al. ("Resolution-robust large mask inpainting with Fourier convolutions", 2022).
#pragma once

#include "engine/nn/losses.h"
#include "host/config/options.h"
#include "host/recipes/recipe.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace duel {

// Pictures of a batch, [N,H,W,C] in the compute type. The condition has their extents.
struct JudgedPictures {
  Value condition, real, made;
};

class PatchAdversary {
public:
  static constexpr const char* kName = "discriminator";
  // Draws a batch and has its pictures made. All that it draws is called by what it is given and a name: "", "d_" or
  // "penalty_".
  using Make = std::function<JudgedPictures(StepRecorder&, const std::string& prefix)>;

  // Of the least pictures [1,H,W,C] that it is shown, with so many channels of the condition beside theirs. Throws kind
  // `usage` where it cannot judge them. `steps`: of the run, for schedules.
  PatchAdversary(const Options& options, std::int64_t steps, const Shape& picture, int condition_channels);

  bool is_on() const { return !options_.loss.adversary.is_zero(); }
  NamedNetwork make_network() const;
  std::vector<Phase> phases(const Make& make) const;  // before the maker's
  std::vector<std::string> prefixes() const;          // of the draws of these phases
  // d_loss, d_accuracy_real, d_accuracy_fake (or d_pairs_right), d_grad_norm, r1, penalty_loss, penalty_grad_norm:
  // those that there are.
  std::vector<std::string> metrics() const;
  Value loss(StepRecorder& r, const JudgedPictures& pictures) const;

private:
  bool has_r1() const { return !options_.loss.r1.is_zero(); }
  bool is_lazy() const { return has_r1() && options_.loss.penalty_every > 1; }
  Value logits(StepRecorder& r, Value condition, Value pictures) const;
  Value weighted(StepRecorder& r, const char* key, const ScheduleOption& weight, double factor, Value loss) const;
  Value penalty(StepRecorder& r, Value real, Value logits) const;
  void update(StepRecorder& r, Value loss, const char* name, const char* norm) const;
  void record(StepRecorder& r, const JudgedPictures& pictures) const;
  void record_penalty(StepRecorder& r, const JudgedPictures& pictures) const;

  Options options_;
  std::int64_t steps_;
  Shape picture_;
  int condition_channels_;
  LossKind loss_;
};

}  // namespace duel
