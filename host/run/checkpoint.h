// A checkpoint's two files: state.safetensors (every tensor that outlives the process) and state.json (the rest, see
// checkpoint_manifest.h).
//
//   tensors   NETWORK/LAYER/weight and the like; of what is trained the same under "adam_m/" and "adam_v/"; of networks
//             with a moving average the same under "average/"; what else outlives a step under "state/"
//
// The step stands in the folder's name, in the JSON and in the tensors' metadata (which other programs may have lost
// when they saved the file again); where these differ nothing is believed, and the error says which is off.
//
// Weights are f32 [in,out] for dense layers and [K,R,S,C] for convolutions. Both files can be read from Python.
#pragma once

#include "host/recipes/networks.h"
#include "host/recipes/state_memory.h"
#include "host/run/checkpoint_manifest.h"
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

inline constexpr const char* kTensorFile = "state.safetensors";

// A block of device memory that a checkpoint holds, and the tensors that lie in it.
struct SavedTensor {
  std::string name;
  View view;
};
struct SavedBlock {
  View block;
  std::vector<SavedTensor> tensors;
};

// In the order in which they stand in a checkpoint. Of networks that are not allocated: shapes without data.
std::vector<SavedBlock> saved_blocks(const Networks& networks, const StateMemory& state);
std::size_t bytes_of(const std::vector<SavedBlock>& blocks);
// The same before anything is allocated.
std::size_t checkpoint_bytes(const Networks& networks, const std::vector<RecordedState>& states);

// `bytes` are those of the blocks, one behind the other, in host memory. Into an existing folder; the caller publishes
// it (RunDirectory).
void write_checkpoint(const std::vector<SavedBlock>& blocks, std::span<const std::byte> bytes,
                      const CheckpointState& state, const std::filesystem::path& folder);

// Throws kind `data`, naming what differs, where the files are damaged or belong to another architecture, or where they
// are of another training than `expected` (check_same_training); then nothing was changed. Returns what the file says.
// The caller lets what follows from the weights follow (Parameters::refresh_compute).
CheckpointState read_checkpoint(Context& context, const std::vector<SavedBlock>& blocks,
                                const CheckpointState& expected, const std::filesystem::path& folder);

// Throws as read_checkpoint() does where a file is damaged; compares nothing with a model.
void verify_checkpoint(const std::filesystem::path& folder);
bool is_whole_checkpoint(const std::filesystem::path& folder);
// Where the run's checkpoint of this step is damaged: the newest earlier one that is not.
std::optional<std::int64_t> whole_checkpoint_before(const RunDirectory& run, std::int64_t step);

// A checkpoint for a new run that begins with the weights of another one: its weights, no moments, an average that
// starts from the weights, and what else outlives a step. `state` is that of the new run. Into an existing folder, as
// write_checkpoint().
void write_first_checkpoint(const std::filesystem::path& source, const CheckpointState& state,
                            const std::filesystem::path& folder);

// Of one network its weights, and of what outlives a step what is called by its name. Throws kind `data`, and changes
// nothing, where the file is damaged or of another architecture. The caller lets what follows from the weights follow.
void read_network(Context& context, const Network& network, const StateMemory& state,
                  const std::filesystem::path& folder);

// Only what is allocated of the `master` and `average` blocks, and `state`, whatever they were trained on: to draw
// from.
void read_for_sampling(Context& context, const Networks& networks, const StateMemory& state,
                       const std::filesystem::path& folder);

}  // namespace duel
