// A recorded training trajectory: what each step needs and what it must produce, in one safetensors file, as
// tools/record_pytorch.py writes it. With B pictures in a batch, and steps counted from 1:
//
//   __metadata__                        format: "duel trajectory 2"; config: TOML, as for `duel train --config`;
//                                       steps: how many; recorder: who wrote it, for people; near_kinks: how many rows
//                                       of the draws lie so near a kink that float32 may mistake its side; classes: how
//                                       many labels count, where there are labels
//   initial/NETWORK/PARAMETER           f32, before step 1
//   step1/DRAW                          a batch of pictures, u8 [B,H,W,C], of whatever source, or noise, f32: of a GAN
//                                       d_reals, g_reals, d_latents, g_latents, shares; extents are data.synthetic_* of
//                                       the configuration
//   step1/DRAW/FIELD                    what else is drawn of the same rows: label, i32 [B]
//   step1/LOSS                          f32 [1], of each phase, penalties included: of a GAN d_loss, g_loss
//   step1/gradient/NETWORK/PARAMETER    f32, before clipping
//   step1/weight/NETWORK/PARAMETER      f32, after the update
//   step1/average/NETWORK/PARAMETER     f32, the moving average after the update
//   step1/state/NAME                    f32, what else outlives the step, behind its last phase
//   step1/float32/LOSS                  f32 [1]: |what the recorder gets in float32 - what is recorded|
//   step1/float32/gradient/...          f32 [2], of each gradient: the 2-norm and the largest element of that
//   difference
//
// A phase that does not run at a step has nothing there. Where several phases of a step update a network, the names of
// the later ones' gradients, weights and averages begin with theirs:
// step1/d_main_2/gradient/discriminator/conv1/weight.
//
// Format 1 has no float32/ and may come near kinks. It was recorded in float32 by default.
//
// Networks, draws and losses are those of the configuration's recipe; the names and layouts of parameters are those of
// a checkpoint.
#pragma once

#include "host/config/options.h"
#include "host/files/safetensors.h"
#include "host/recipes/recorded_step.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace duel {

class Trajectory {
public:
  // Checks that every tensor is there, in its type and shape, and no other. Throws kind `data`; the message begins with
  // the path.
  explicit Trajectory(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  const Options& options() const { return options_; }
  int steps() const { return steps_; }
  const Shape& picture() const { return picture_; }  // [1,H,W,C]
  const Fields& fields() const { return fields_; }   // of the rows that are drawn
  const Recipe& recipe() const { return *recipe_; }
  const RecordedStep& recorded() const { return recorded_; }  // whose draws, losses and updates it holds
  std::string recorder() const;
  bool tells_float32() const { return format_ >= 2; }
  // Why two right programs may disagree about a gradient of this record, or "".
  std::string doubt() const;

  // Contents of a tensor. Throws kind `data` where a number is not finite, or a label no class.
  std::vector<std::byte> read_batch(int step, const DrawnField& drawn) const;
  std::vector<float> read(const std::string& name) const;

private:
  int read_count(const std::string& key, int least, int most) const;
  void add_inputs();  // the fields of what pictures are spoilt to
  void record();
  void check_tensors() const;
  const Field& field_of_draw(const DrawnField& drawn) const;
  void check_tensor(const std::string& name, DType dtype, const Shape& shape) const;
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const;

  SafetensorsFile file_;
  Options options_;
  int format_ = 0, steps_ = 0, near_kinks_ = 0;
  Shape picture_;
  Fields fields_;
  std::unique_ptr<Recipe> recipe_;
  Networks networks_;
  RecordedStep recorded_;
};

std::string step_tensor(int step, const std::string& name);                            // "step3/d_loss"
std::string float32_tensor(int step, const std::string& name);                         // "step3/float32/d_loss"
std::string batch_tensor(int step, const DrawnField& drawn);                           // "step3/d_reals"
std::string parameter_name(const Parameters& parameters, const Parameter& parameter);  // "generator/dense1/weight"
// What the names of a phase's gradients, weights and averages begin with: "", or "d_main_2/" where one before it
// updates the same network.
std::string phase_prefix(const std::vector<RecordedPhase>& phases, std::size_t number);

}  // namespace duel
