#include "host/run/checkpoint.h"

#include "host/files/atomic_file.h"
#include "host/files/file_descriptor.h"
#include "host/files/safetensors.h"
#include "kernels/check.h"
#include "kernels/memory.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

namespace duel {

namespace {

constexpr int kFormat = 1;
constexpr const char* kTensorFile = "state.safetensors";
constexpr const char* kJsonFile = "state.json";

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

struct SavedTensor {
  std::string name;
  View device;
};

std::vector<SavedTensor> saved_tensors(const Parameters& parameters, std::initializer_list<Block> blocks) {
  std::vector<SavedTensor> tensors;
  for (const Block block : blocks) {
    for (const Parameter& parameter : parameters.list()) {
      if (parameters.has(block)) {
        tensors.push_back(
            {prefix_of(block) + parameters.network() + "/" + parameter.name, parameters.view(block, parameter)});
      }
    }
  }
  return tensors;
}

constexpr std::initializer_list<Block> kBlocks = {Block::master, Block::m, Block::v, Block::average};

std::vector<const Parameters*> all_parameters(const GanModel& model) {
  return {&model.generator->parameters(), &model.discriminator->parameters()};
}

std::vector<SavedTensor> all_tensors(const GanModel& model) {
  std::vector<SavedTensor> tensors;
  for (const Parameters* parameters : all_parameters(model)) {
    const auto more = saved_tensors(*parameters, kBlocks);
    tensors.insert(tensors.end(), more.begin(), more.end());
  }
  return tensors;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ","));
}

std::vector<std::int64_t> extents_of(View view) {
  return {view.shape.begin(), view.shape.end()};
}

// Reads all of them before the first is uploaded, so that a damaged file changes nothing.
void read_tensors(Context& context, const std::vector<SavedTensor>& tensors, const SafetensorsFile& file) {
  const std::filesystem::path& path = file.path();
  std::vector<std::vector<std::byte>> contents;
  for (const SavedTensor& tensor : tensors) {
    if (!file.contains(tensor.name)) {
      throw_error(Error::Kind::data, "{}: is of another architecture: it has no {} {}", path.string(), tensor.name,
                  tensor.device);
    }
    const SafetensorsFile::Entry& entry = file.entry(tensor.name);
    if (entry.shape != extents_of(tensor.device) || entry.dtype != tensor.device.dtype) {
      throw_error(Error::Kind::data, "{}: is of another architecture: {} is {}{} there, but {} by the configuration",
                  path.string(), tensor.name, name_of(entry.dtype), shape_text(entry.shape), tensor.device);
    }
    contents.push_back(file.read(tensor.name));
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    context.upload(tensors[i].device.data, contents[i].data(), contents[i].size());
  }
}

CheckpointState read_json(const std::filesystem::path& path) {
  if (std::error_code failure; !std::filesystem::exists(path, failure) && !failure) {
    throw_error(Error::Kind::data, "{}: has no {}, so it is no whole checkpoint", path.parent_path().string(),
                kJsonFile);
  }
  const nlohmann::json json = nlohmann::json::parse(read_text_file(path), nullptr, false);
  if (!json.is_object() || !json.contains("format") || !json["format"].is_number_integer()) {
    throw_error(Error::Kind::data, "{}: is not the JSON of a checkpoint", path.string());
  }
  if (json["format"] != kFormat) {
    throw_error(Error::Kind::data, "{}: has format {}, but this program reads format {}", path.string(),
                json["format"].dump(), kFormat);
  }
  const bool whole = json.contains("step") && json["step"].is_number_integer() && json["step"] >= 0 &&
                     json.contains("seed") && json["seed"].is_number_unsigned() && json.contains("data") &&
                     json["data"].is_string();
  if (!whole) {
    throw_error(Error::Kind::data, "{}: lacks a step, a seed or the name of the data", path.string());
  }
  return {json["step"], json["seed"], json["data"]};
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
  std::vector<Witness> witnesses = {{kJsonFile, in_json}};
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
                    {{"format", "duel checkpoint 1"}, {"step", std::to_string(state.step)}});
  const nlohmann::ordered_json json = {
      {"format", kFormat}, {"step", state.step}, {"seed", state.seed}, {"data", state.data}};
  write_file_atomically(folder / kJsonFile, json.dump(2) + "\n");
}

}  // namespace

std::vector<View> checkpoint_blocks(const GanModel& model) {
  std::vector<View> blocks;
  for (const Parameters* parameters : all_parameters(model)) {
    for (const Block block : kBlocks) {
      if (parameters->has(block)) {
        blocks.push_back(parameters->view(block));
      }
    }
  }
  return blocks;
}

void write_checkpoint(const GanModel& model, std::span<const std::byte> blocks, const CheckpointState& state,
                      const std::filesystem::path& folder) {
  std::vector<NamedTensor> named;
  std::size_t begin = 0;
  for (const Parameters* parameters : all_parameters(model)) {
    for (const Block block : kBlocks) {
      if (!parameters->has(block)) {
        continue;
      }
      const View whole = parameters->view(block);
      check(begin + whole.bytes() <= blocks.size(), "checkpoint: {} bytes are less than the blocks of the model",
            blocks.size());
      for (const SavedTensor& tensor : saved_tensors(*parameters, {block})) {
        const auto offset = static_cast<std::byte*>(tensor.device.data) - static_cast<std::byte*>(whole.data);
        // A View can be written to; this one is only read.
        auto* const values = const_cast<std::byte*>(blocks.data() + begin + offset);
        named.push_back(named_tensor(tensor.name, {values, tensor.device.shape, tensor.device.dtype}));
      }
      begin += whole.bytes();
    }
  }
  write_files(named, state, folder);
}

CheckpointState read_checkpoint(Context& context, GanModel& model, const CheckpointState& expected,
                                const std::filesystem::path& folder) {
  const CheckpointState state = read_json(folder / kJsonFile);
  if (state.seed != expected.seed) {
    throw_error(Error::Kind::data, "{}: was trained with seed {}, but the configuration says {}", folder.string(),
                state.seed, expected.seed);
  }
  if (state.data != expected.data) {
    throw_error(Error::Kind::data, "{}: was trained on {}, but the data are now {}", folder.string(), state.data,
                expected.data);
  }
  const SafetensorsFile file(folder / kTensorFile);
  check_step(state.step, file, folder);
  read_tensors(context, all_tensors(model), file);
  model.generator->parameters().refresh_compute(context);
  model.discriminator->parameters().refresh_compute(context);
  return state;
}

CheckpointState read_checkpoint_state(const std::filesystem::path& folder) {
  return read_json(folder / kJsonFile);
}

// The last dense layer has H*W*C outputs, so H, W and C apart stand in the words of `data` only.
Shape checkpoint_picture_shape(const std::filesystem::path& folder) {
  const std::string data = read_checkpoint_state(folder).data;
  int height = 0, width = 0, channels = 0;
  if (std::sscanf(data.c_str(), "%*d pictures of %dx%dx%d", &height, &width, &channels) != 3 || height < 1 ||
      width < 1 || channels < 1) {
    throw_error(Error::Kind::data, "{}: does not say the size of its pictures: \"{}\"", folder.string(), data);
  }
  return {1, height, width, channels};
}

void verify_checkpoint(const std::filesystem::path& folder) {
  const CheckpointState state = read_json(folder / kJsonFile);
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

void read_generator(Context& context, GanModel& model, const std::filesystem::path& folder) {
  const CheckpointState state = read_json(folder / kJsonFile);
  const SafetensorsFile file(folder / kTensorFile);
  check_step(state.step, file, folder);
  read_tensors(context, saved_tensors(model.generator->parameters(), {Block::master, Block::average}), file);
}

}  // namespace duel
