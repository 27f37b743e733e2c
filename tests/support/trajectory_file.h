// The recorded trajectories under tests/golden, and copies of them with something altered.
#pragma once

#include "host/config/options.h"
#include "host/files/safetensors.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"

#include <cstring>
#include <functional>

namespace duel::test {

inline std::filesystem::path golden_folder() {
  return std::filesystem::path(source_folder()) / "tests/golden";
}

inline std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const std::string& name : names_in(golden_folder())) {
    if (name.ends_with(".safetensors")) {
      names.push_back(std::filesystem::path(name).stem().string());
    }
  }
  return names;
}

inline std::filesystem::path golden_path(const std::string& name) {
  return golden_folder() / (name + ".safetensors");
}

// Whether an activation of either network has one: only there does rounding turn gradients on and off.
inline bool has_kinks(const Options& options) {
  const auto has_one = [](const std::string& activation) { return activation.ends_with("relu"); };
  return options.model.networks != "classic" || has_one(options.model.generator_activation) ||
         has_one(options.model.discriminator_activation);
}

// A file's contents in memory, to be altered and written again.
struct TensorFile {
  struct Tensor {
    DType dtype;
    std::vector<std::int64_t> shape;
    std::vector<std::byte> bytes;

    std::size_t count() const { return bytes.size() / sizeof(float); }
    float get(std::size_t index) const {
      float value = 0;
      std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
      return value;
    }
    void set(std::size_t index, float value) { std::memcpy(bytes.data() + index * sizeof value, &value, sizeof value); }
  };
  std::map<std::string, Tensor> tensors;
  TensorMetadata metadata;

  explicit TensorFile(const std::filesystem::path& path) {
    const SafetensorsFile file(path);
    metadata = file.metadata();
    for (const auto& [name, entry] : file.entries()) {
      tensors[name] = {entry.dtype, entry.shape, file.read(name)};
    }
  }

  void write(const std::filesystem::path& path) const {
    std::vector<NamedTensor> named;
    for (const auto& [name, tensor] : tensors) {
      named.push_back({name, tensor.dtype, tensor.shape, tensor.bytes});
    }
    write_safetensors(path, named, metadata);
  }
};

}  // namespace duel::test
