#include "host/export/export_run.h"

#include "host/config/configuration.h"
#include "host/device/device.h"
#include "host/export/onnx_file.h"
#include "host/export/onnx_graph.h"
#include "host/export/portable_program.h"
#include "host/files/atomic_file.h"
#include "host/files/crc32c.h"
#include "host/files/safetensors.h"
#include "host/run/checkpoint_manifest.h"
#include "host/sample/generate.h"
#include "host/sample/loaded_sampling.h"
#include "kernels/check.h"

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <span>
#include <utility>

namespace duel {

namespace {

using Metadata = std::map<std::string, std::string>;

enum class Format : std::uint8_t { onnx, safetensors };

Format format_of(const std::string& to) {
  const std::string ending = std::filesystem::path(to).extension().string();
  if (ending != ".onnx" && ending != ".safetensors") {
    throw_error(Error::Kind::usage,
                "--to {}: the ending says the format, so the name must end in .onnx or .safetensors", to);
  }
  return ending == ".onnx" ? Format::onnx : Format::safetensors;
}

void check_place(const ExportRequest& request) {
  std::error_code failure;
  const std::filesystem::path to = request.to;
  if (std::filesystem::is_directory(to, failure)) {
    throw_error(Error::Kind::usage, "--to {}: is a folder; name a file in it", request.to);
  }
  if (!request.force && std::filesystem::exists(to, failure)) {
    throw_error(Error::Kind::usage, "--to {}: is there already; --force writes in its place", request.to);
  }
}

// By their names, every network of the recipe that can be run by itself.
std::map<std::string, Sampling> networks_of(const Recipe& recipe) {
  std::map<std::string, Sampling> networks = recipe.single_networks();
  if (const Sampling sampling = recipe.sampling(); sampling.record && sampling.networks.size() == 1) {
    networks.insert({sampling.networks[0], sampling});
  }
  return networks;
}

Sampling chosen(const Recipe& recipe, const ExportRequest& request) {
  const std::map<std::string, Sampling> networks = networks_of(recipe);
  std::vector<std::string> names;
  for (const auto& [name, sampling] : networks) {
    names.push_back(name);
  }
  if (request.network.empty()) {
    Sampling sampling = recipe.sampling();
    if (!sampling.record) {
      throw_error(Error::Kind::usage, "{}: the recipe {} does not say how it draws, so --network must name one of: {}",
                  request.run, recipe.name(),
                  names.empty() ? "(none can be exported)" : fmt::format("{}", fmt::join(names, ", ")));
    }
    return sampling;
  }
  const auto found = networks.find(request.network);
  if (found == networks.end()) {
    throw_error(Error::Kind::usage,
                "--network {}: the run {} of the recipe {} has no such network to export; it has: {}", request.network,
                request.run, recipe.name(), fmt::join(names, ", "));
  }
  return found->second;
}

// The sampling with the inputs that the graph is to have.
Sampling given_fields(const Sampling& sampling, const ExportRequest& request) {
  const bool has_shares = std::any_of(sampling.inputs.begin(), sampling.inputs.end(),
                                      [](const Field& field) { return field.kind == FieldKind::attributes; });
  if (request.mixes && !has_shares) {
    throw_error(Error::Kind::usage, "--mixes: the {} of {} takes no classes whose shares could be given",
                fmt::join(sampling.networks, ", "), request.run);
  }
  return request.mixes ? sampling : with_class_numbers(sampling);
}

std::string described(const OnnxArray& array) {
  std::vector<std::string> extents;
  for (const std::int64_t extent : array.shape) {
    extents.push_back(extent == kBatchExtent ? "batch" : fmt::format("{}", extent));
  }
  const char* type = array.type == OnnxType::f32 ? "f32" : array.type == OnnxType::u8 ? "u8" : "i64";
  return fmt::format("{} {} [{}]", array.name, type, fmt::join(extents, ","));
}

std::uint32_t checksum_of(const OnnxGraph& graph) {
  std::uint32_t checksum = 0;
  for (const OnnxTensor& tensor : graph.initializers) {
    checksum = tensor.is_weight ? crc32c(tensor.bytes, checksum) : checksum;
  }
  return checksum;
}

Metadata metadata_of(const ExportRequest& request, const Options& options, const Sampling& fields,
                     const OnnxGraph& graph, std::int64_t step, bool is_averaged) {
  Metadata all = {{"duel_version", request.version},
                  {"recipe", options.recipe},
                  {"preset", options.preset},
                  {"step", fmt::format("{}", step)},
                  {"network", fmt::format("{}", fmt::join(fields.networks, " "))},
                  {"weights", is_averaged ? "moving average" : "as trained"},
                  {"weights_crc32c", fmt::format("{:08x}", checksum_of(graph))}};
  for (const std::vector<Field>& list : {fields.inputs, fields.outputs}) {
    for (const Field& field : list) {
      if (field.kind == FieldKind::picture) {
        all["picture_size"] = fmt::format("{}x{}x{}", field.shape[1], field.shape[2], field.shape[3]);
      }
      if (!field.names.empty()) {
        all["classes"] = nlohmann::json(field.names).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      }
    }
  }
  return all;
}

std::string with_ranges(const OnnxGraph& graph) {
  nlohmann::ordered_json ranges;
  for (const std::vector<OnnxArray>& list : {graph.inputs, graph.outputs}) {
    for (const OnnxArray& array : list) {
      ranges[array.name] = array.note;
    }
  }
  return ranges.dump();
}

std::string to_safetensors(const OnnxGraph& graph, Metadata metadata) {
  metadata["format"] = "pt";
  metadata["layout"] =
      "as PyTorch's layers: Linear [outputs,inputs], Conv2d [outputs,inputs/groups,R,S], ConvTranspose2d "
      "[inputs,outputs/groups,R,S], Embedding [classes,width]; dense layers before and behind pictures count their "
      "numbers as [H,W,C]";
  std::vector<NamedTensor> tensors;
  for (const OnnxTensor& tensor : graph.initializers) {
    if (tensor.is_weight) {
      tensors.push_back({tensor.name, DType::f32, tensor.shape, tensor.bytes});
    }
  }
  std::string text;
  write_safetensors(
      [&](std::span<const std::byte> bytes) { text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size()); },
      tensors, metadata);
  return text;
}

}  // namespace

Exported export_run(const ExportRequest& request) {
  const Format format = format_of(request.to);
  check_place(request);
  const RunDirectory run = RunDirectory::open_for_reading(request.run);
  DeviceRequest where;
  where.device = "cpu";
  Context context = make_context(where);
  std::optional<LoadedSampling> loaded;
  Options options;
  Sampling fields;
  const auto choose = [&](const Recipe& recipe) {
    fields = given_fields(chosen(recipe, request), request);
    return with_pictures_in_f32(fields);
  };
  Exported exported;
  exported.step = read_checkpoint_of(run, request.step, [&](const std::filesystem::path& checkpoint) {
    const std::filesystem::path config = run.config_path(checkpoint);
    options = options_from_toml(read_text_file(config), config.string());
    loaded.emplace(context, run, checkpoint, 0, choose);
  });
  exported.network = fmt::format("{}", fmt::join(fields.networks, ", "));
  const PortableProgram portable(context, loaded->model(),
                                 request.raw ? Parameters::Block::master : Parameters::Block::average);
  const OnnxGraph graph = make_onnx_graph(exported.network, portable, fields);
  const bool is_averaged =
      !request.raw && std::any_of(fields.networks.begin(), fields.networks.end(),
                                  [&](const auto& name) { return loaded->networks.at(name).is_averaged; });
  Metadata metadata = metadata_of(request, options, fields, graph, exported.step, is_averaged);
  if (format == Format::onnx) {
    metadata["ranges"] = with_ranges(graph);
    for (const OnnxArray& array : graph.inputs) {
      exported.inputs.push_back(described(array));
    }
    for (const OnnxArray& array : graph.outputs) {
      exported.outputs.push_back(described(array));
    }
  }
  const std::string file =
      format == Format::onnx ? to_onnx(graph, metadata, request.version) : to_safetensors(graph, metadata);
  write_file_atomically(request.to, file);
  exported.bytes = file.size();
  for (const OnnxTensor& tensor : graph.initializers) {
    exported.weights += tensor.is_weight ? tensor.bytes.size() / sizeof(float) : 0;
  }
  return exported;
}

}  // namespace duel
