// A checkpoint's two files: state.safetensors (every tensor that outlives the process) and state.json (the rest).
//
//   tensors   NETWORK/LAYER/weight and /bias; the same under "adam_m/", "adam_v/" and, for the generator, "average/"
//   JSON      {"format": 1, "step": N, "seed": S, "data": "60000 pictures of 28x28x1, crc32c ..."}
//
// The step stands in the folder's name, in the JSON and in the tensors' metadata (which other programs may have lost
// when they saved the file again); where these differ nothing is believed, and the error says which is off.
//
// Weights are f32 [in,out] for dense layers and [K,R,S,C] for convolutions. Both files can be read from Python.
#pragma once

#include "engine/nn/network.h"
#include "host/run/run_directory.h"
#include "kernels/context.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace duel {

struct CheckpointState {
  std::int64_t step = 0;
  std::uint64_t seed = 0;
  std::string data;  // which pictures it was trained on
};

// The parameters' blocks that a checkpoint is made of, in the order in which they stand in it.
std::vector<View> checkpoint_blocks(const GanModel& model);

// `blocks` holds the bytes of checkpoint_blocks(), one behind the other, in host memory; of the model only the names
// and shapes are looked at. Into an existing folder; the caller publishes it (RunDirectory).
void write_checkpoint(const GanModel& model, std::span<const std::byte> blocks, const CheckpointState& state,
                      const std::filesystem::path& folder);

// Throws kind `data`, naming what differs, where the files are damaged or belong to another architecture, or where seed
// or data are not those of `expected`; then nothing was changed. Returns what the file says.
CheckpointState read_checkpoint(Context& context, GanModel& model, const CheckpointState& expected,
                                const std::filesystem::path& folder);

CheckpointState read_checkpoint_state(const std::filesystem::path& folder);  // state.json alone
Shape checkpoint_picture_shape(const std::filesystem::path& folder);         // [1,H,W,C] of its pictures

// Throws as read_checkpoint() does where a file is damaged; compares nothing with a model.
void verify_checkpoint(const std::filesystem::path& folder);
bool is_whole_checkpoint(const std::filesystem::path& folder);
// Where the run's checkpoint of this step is damaged: the newest earlier one that is not.
std::optional<std::int64_t> whole_checkpoint_before(const RunDirectory& run, std::int64_t step);

// A checkpoint for a new run that begins with the weights of another one: its weights, no moments, an average that
// starts from the weights. `state` is that of the new run. Into an existing folder, as write_checkpoint().
void write_first_checkpoint(const std::filesystem::path& source, const CheckpointState& state,
                            const std::filesystem::path& folder);

// Only the generator's `master` and `average` blocks, whatever it was trained on: for `duel generate`.
void read_generator(Context& context, GanModel& model, const std::filesystem::path& folder);

}  // namespace duel
