#include "host/run/checkpoint.h"

#include "host/files/atomic_file.h"
#include "host/files/file_descriptor.h"
#include "host/files/safetensors.h"
#include "kernels/check.h"
#include "kernels/memory.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

namespace duel {

namespace {

constexpr const char* kStatePrefix = "state/";

using Block = Parameters::Block;

const char* prefix_of(Block block) {
  switch (block) {
    case Block::master: return "";
    case Block::m: return "adam_m/";
    case Block::v: return "adam_v/";
    case Block::average: return "average/";
    default: throw_error(Error::Kind::internal, "checkpoint: this block is not saved");
  }
}

std::vector<Block> blocks_of(const NamedNetwork& each) {
  std::vector<Block> blocks = {Block::master};
  if (each.is_trained) {
    blocks.insert(blocks.end(), {Block::m, Block::v});
  }
  if (each.is_averaged) {
    blocks.push_back(Block::average);
  }
  return blocks;
}

SavedBlock saved_block(const Parameters& parameters, Block block) {
  SavedBlock saved{parameters.view(block), {}};
  for (const Parameter& parameter : parameters.list()) {
    saved.tensors.push_back(
        {prefix_of(block) + parameters.network() + "/" + parameter.name, parameters.view(block, parameter)});
  }
  return saved;
}

void add_state(const StateMemory& state, std::vector<SavedBlock>& blocks) {
  if (state.arrays().empty()) {
    return;
  }
  SavedBlock& saved = blocks.emplace_back(SavedBlock{state.block(), {}});
  for (const StateMemory::Array& array : state.arrays()) {
    saved.tensors.push_back({kStatePrefix + array.name, array.view});
  }
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ","));
}

std::vector<std::int64_t> extents_of(View view) {
  return {view.shape.begin(), view.shape.end()};
}

// Reads all of them before the first is uploaded, so that a damaged file changes nothing.
void read_tensors(Context& context, const std::vector<SavedBlock>& blocks, const SafetensorsFile& file) {
  std::vector<SavedTensor> tensors;
  for (const SavedBlock& block : blocks) {
    tensors.insert(tensors.end(), block.tensors.begin(), block.tensors.end());
  }
  const std::filesystem::path& path = file.path();
  std::vector<std::vector<std::byte>> contents;
  for (const SavedTensor& tensor : tensors) {
    if (!file.contains(tensor.name)) {
      throw_error(Error::Kind::data, "{}: is of another architecture: it has no {} {}", path.string(), tensor.name,
                  tensor.view);
    }
    const SafetensorsFile::Entry& entry = file.entry(tensor.name);
    if (entry.shape != extents_of(tensor.view) || entry.dtype != tensor.view.dtype) {
      throw_error(Error::Kind::data, "{}: is of another architecture: {} is {}{} there, but {} by the configuration",
                  path.string(), tensor.name, name_of(entry.dtype), shape_text(entry.shape), tensor.view);
    }
    contents.push_back(file.read(tensor.name));
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    context.upload(tensors[i].view.data, contents[i].data(), contents[i].size());
  }
}

std::optional<std::int64_t> read_decimal(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = failure == std::errc() && end == text.data() + text.size() && value >= 0;
  return whole ? std::optional(value) : std::nullopt;
}

// Each place where the step stands says the same, or the one that is outvoted is named.
void check_step(std::int64_t in_json, const SafetensorsFile& tensors, const std::filesystem::path& folder) {
  struct Witness {
    std::string who;
    std::int64_t step;
  };
  std::vector<Witness> witnesses = {{kManifestFile, in_json}};
  constexpr std::string_view kStep = "step_";
  const std::string name = folder.filename().string();
  if (name.starts_with(kStep)) {
    if (const auto step = read_decimal(std::string_view(name).substr(kStep.size()))) {
      witnesses.push_back({"the folder's name", *step});
    }
  }
  if (const auto found = tensors.metadata().find("step"); found != tensors.metadata().end()) {
    witnesses.push_back({kTensorFile, read_decimal(found->second).value_or(-1)});
  }
  const auto votes = [&](const Witness& of) {
    return std::count_if(witnesses.begin(), witnesses.end(), [&](const Witness& w) { return w.step == of.step; });
  };
  if (votes(witnesses[0]) == std::ssize(witnesses)) {
    return;
  }
  std::stable_sort(witnesses.begin(), witnesses.end(),
                   [&](const Witness& a, const Witness& b) { return votes(a) < votes(b); });
  std::string text;
  for (std::size_t i = 0; i < witnesses.size(); ++i) {
    text += fmt::format("{}{} says step {}",
                        i == 0   ? ""
                        : i == 1 ? ", but "
                                 : " and ",
                        witnesses[i].who, witnesses[i].step);
  }
  const bool is_outvoted = votes(witnesses.back()) > votes(witnesses[0]);
  throw_error(Error::Kind::data, "{}: {}{}", folder.string(), text,
              is_outvoted ? fmt::format(", so {} is wrong", witnesses[0].who) : ", so it cannot be trusted");
}

void write_files(std::span<const NamedTensor> tensors, const CheckpointState& state,
                 const std::filesystem::path& folder) {
  write_safetensors(folder / kTensorFile, tensors,
                    {{"format", "duel checkpoint 2"}, {"recipe", state.recipe}, {"step", std::to_string(state.step)}});
  write_manifest(state, folder);
}

}  // namespace

std::vector<SavedBlock> saved_blocks(const Networks& networks, const StateMemory& state) {
  std::vector<SavedBlock> blocks;
  for (const NamedNetwork& each : networks.list()) {
    for (const Block block : blocks_of(each)) {
      blocks.push_back(saved_block(each.network->parameters(), block));
    }
  }
  add_state(state, blocks);
  return blocks;
}

std::size_t checkpoint_bytes(const Networks& networks, const std::vector<RecordedState>& states) {
  std::size_t bytes = StateMemory::bytes_of(states);
  for (const NamedNetwork& each : networks.list()) {
    bytes += blocks_of(each).size() * each.network->parameters().view(Block::master).bytes();
  }
  return bytes;
}

std::size_t bytes_of(const std::vector<SavedBlock>& blocks) {
  std::size_t bytes = 0;
  for (const SavedBlock& saved : blocks) {
    bytes += saved.block.bytes();
  }
  return bytes;
}

void write_checkpoint(const std::vector<SavedBlock>& blocks, std::span<const std::byte> bytes,
                      const CheckpointState& state, const std::filesystem::path& folder) {
  check(bytes.size() == bytes_of(blocks), "checkpoint: {} bytes are not the {} of its blocks", bytes.size(),
        bytes_of(blocks));
  std::vector<NamedTensor> named;
  std::size_t begin = 0;
  for (const SavedBlock& saved : blocks) {
    for (const SavedTensor& tensor : saved.tensors) {
      const auto offset = static_cast<std::byte*>(tensor.view.data) - static_cast<std::byte*>(saved.block.data);
      // A View can be written to; this one is only read.
      auto* const values = const_cast<std::byte*>(bytes.data() + begin + offset);
      named.push_back(named_tensor(tensor.name, {values, tensor.view.shape, tensor.view.dtype}));
    }
    begin += saved.block.bytes();
  }
  write_files(named, state, folder);
}

CheckpointState read_checkpoint(Context& context, const std::vector<SavedBlock>& blocks,
                                const CheckpointState& expected, const std::filesystem::path& folder) {
  const CheckpointState state = read_manifest(folder);
  check_same_training(state, expected, folder);
  const SafetensorsFile file(folder / kTensorFile);
  check_step(state.step, file, folder);
  read_tensors(context, blocks, file);
  return state;
}

void verify_checkpoint(const std::filesystem::path& folder) {
  const CheckpointState state = read_manifest(folder);
  const SafetensorsFile file(folder / kTensorFile);
  check_step(state.step, file, folder);
  file.verify();
}

bool is_whole_checkpoint(const std::filesystem::path& folder) {
  try {
    verify_checkpoint(folder);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::optional<std::int64_t> whole_checkpoint_before(const RunDirectory& run, std::int64_t step) {
  const std::vector<std::int64_t> steps = run.checkpoints();
  if (is_whole_checkpoint(run.checkpoint_path(step))) {
    return std::nullopt;
  }
  const auto found = std::find_if(steps.rbegin(), steps.rend(), [&](std::int64_t other) {
    return other < step && is_whole_checkpoint(run.checkpoint_path(other));
  });
  return found == steps.rend() ? std::nullopt : std::optional(*found);
}

void write_first_checkpoint(const std::filesystem::path& source, const CheckpointState& state,
                            const std::filesystem::path& folder) {
  verify_checkpoint(source);
  const SafetensorsFile file(source / kTensorFile);
  std::vector<std::vector<std::byte>> contents;
  std::vector<NamedTensor> tensors;
  for (const auto& [name, entry] : file.entries()) {
    const auto begins = [&, &full = name](Block block) { return full.starts_with(prefix_of(block)); };
    const bool is_moment = begins(Block::m) || begins(Block::v);
    const std::string weight = begins(Block::average) ? name.substr(std::strlen(prefix_of(Block::average))) : name;
    contents.push_back(is_moment ? std::vector<std::byte>(entry.bytes) : file.read(weight));
    tensors.push_back({name, entry.dtype, entry.shape, contents.back()});
  }
  write_files(tensors, state, folder);
}

void read_network(Context& context, const Network& network, const StateMemory& state,
                  const std::filesystem::path& folder) {
  verify_checkpoint(folder);
  std::vector<SavedBlock> blocks = {saved_block(network.parameters(), Block::master)};
  add_state(state, blocks);
  std::erase_if(blocks.back().tensors, [&](const SavedTensor& tensor) {
    return tensor.name.starts_with(kStatePrefix) && !tensor.name.starts_with(kStatePrefix + network.name() + "/");
  });
  read_tensors(context, blocks, SafetensorsFile(folder / kTensorFile));
}

void read_for_sampling(Context& context, const Networks& networks, const StateMemory& state,
                       const std::filesystem::path& folder) {
  const CheckpointState manifest = read_manifest(folder);
  const SafetensorsFile file(folder / kTensorFile);
  check_step(manifest.step, file, folder);
  std::vector<SavedBlock> blocks;
  for (const NamedNetwork& each : networks.list()) {
    const Parameters& parameters = each.network->parameters();
    for (const Block block : {Block::master, Block::average}) {
      if (parameters.has(block)) {
        blocks.push_back(saved_block(parameters, block));
      }
    }
  }
  add_state(state, blocks);
  read_tensors(context, blocks, file);
}

}  // namespace duel
