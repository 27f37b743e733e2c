#include "host/sample/latent_file.h"

#include "kernels/check.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>
#include <span>

namespace duel {

namespace {

constexpr const char* kLatents = "latents";
constexpr const char* kClasses = "classes";
constexpr const char* kNames = "names";

std::vector<float> floats_of(const SafetensorsFile& file, const std::string& name, std::int64_t& width) {
  const SafetensorsFile::Entry& entry = file.entry(name);
  if (entry.dtype != DType::f32 || entry.shape.size() != 2 || entry.shape[0] < 1 || entry.shape[1] < 1) {
    throw_error(Error::Kind::data, "{}: its tensor {} must be f32 with two extents, a row for each picture",
                file.path().string(), name);
  }
  const std::vector<std::byte> bytes = file.read(name);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  for (const float value : values) {
    if (!std::isfinite(value)) {
      throw_error(Error::Kind::data, "{}: its tensor {} holds numbers that are not finite", file.path().string(), name);
    }
  }
  width = entry.shape[1];
  return values;
}

std::vector<std::string> names_of(const SafetensorsFile& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end()) {
    return {};
  }
  try {
    return nlohmann::json::parse(found->second).get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    throw_error(Error::Kind::data, "{}: its metadata {} is no JSON list of texts", file.path().string(), key);
  }
}

std::string text_of(const std::vector<std::string>& names) {  // what is not UTF-8 becomes U+FFFD
  return nlohmann::json(names).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

void write_latents(const std::filesystem::path& file, const SavedLatents& saved, TensorMetadata metadata) {
  const std::int64_t count = saved.count();
  std::vector<NamedTensor> tensors;
  tensors.push_back({kLatents, DType::f32, {count, saved.width}, std::as_bytes(std::span(saved.latents))});
  if (!saved.classes.empty()) {
    tensors.push_back(
        {kClasses, DType::f32, {count, std::ssize(saved.classes)}, std::as_bytes(std::span(saved.shares))});
    metadata[kClasses] = text_of(saved.classes);
  }
  if (!saved.names.empty()) {
    metadata[kNames] = text_of(saved.names);
  }
  write_safetensors(file, tensors, metadata);
}

SavedLatents read_latents(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  SavedLatents saved;
  std::int64_t width = 0, classes = 0;
  saved.latents = floats_of(file, kLatents, width);
  saved.width = static_cast<int>(width);
  saved.names = names_of(file, kNames);
  if (file.contains(kClasses)) {
    saved.shares = floats_of(file, kClasses, classes);
    saved.classes = names_of(file, kClasses);
    if (std::ssize(saved.classes) != classes || std::ssize(saved.shares) != classes * saved.count()) {
      throw_error(Error::Kind::data, "{}: its tensor classes must be a row of {} shares for each of {} latents",
                  path.string(), saved.classes.size(), saved.count());
    }
  }
  if (!saved.names.empty() && std::ssize(saved.names) != saved.count()) {
    throw_error(Error::Kind::data, "{}: names {} latents, but holds {}", path.string(), saved.names.size(),
                saved.count());
  }
  return saved;
}

}  // namespace duel
