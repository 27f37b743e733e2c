#include "host/run/checkpoint_manifest.h"

#include "host/files/atomic_file.h"
#include "kernels/check.h"

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <system_error>
#include <utility>

namespace duel {

namespace {

constexpr int kFormat = 2;

constexpr std::array<std::pair<FieldKind, const char*>, 5> kKinds = {{{FieldKind::picture, "picture"},
                                                                      {FieldKind::mask, "mask"},
                                                                      {FieldKind::label, "label"},
                                                                      {FieldKind::attributes, "attributes"},
                                                                      {FieldKind::vector, "vector"}}};
constexpr std::array<DType, 3> kTypes = {DType::u8, DType::i32, DType::f32};

const char* name_of(FieldKind kind) {
  return std::find_if(kKinds.begin(), kKinds.end(), [&](const auto& each) { return each.first == kind; })->second;
}

nlohmann::ordered_json to_json(const Field& field) {
  nlohmann::ordered_json json = {{"name", field.name}, {"kind", name_of(field.kind)}};
  json["shape"] = std::vector<int>(field.shape.begin() + 1, field.shape.end());
  json["dtype"] = duel::name_of(field.dtype);
  if (!field.names.empty()) {
    json["names"] = field.names;
  }
  return json;
}

Shape row_of(const std::vector<int>& extents) {
  switch (extents.size()) {
    case 0: return {1};
    case 1: return {1, extents[0]};
    case 2: return {1, extents[0], extents[1]};
    default: return {1, extents[0], extents[1], extents[2]};
  }
}

// Throws nlohmann's exceptions and std::out_of_range where it is no field.
Field to_field(const nlohmann::json& json) {
  const auto kind =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const auto& each) { return json.at("kind") == each.second; });
  const auto type =
      std::find_if(kTypes.begin(), kTypes.end(), [&](DType each) { return json.at("dtype") == duel::name_of(each); });
  const auto extents = json.at("shape").get<std::vector<int>>();
  const bool is_known = kind != kKinds.end() && type != kTypes.end() && extents.size() < Shape::kMaxRank &&
                        std::all_of(extents.begin(), extents.end(), [](int extent) { return extent >= 1; });
  if (!is_known) {
    throw std::out_of_range("a field");
  }
  Field field;
  field.name = json.at("name").get<std::string>();
  field.kind = kind->first;
  field.dtype = *type;
  field.shape = row_of(extents);
  field.names = json.value("names", std::vector<std::string>());
  if (field.kind == FieldKind::picture && field.dtype == DType::u8) {
    field.scale = kPictureScale;  // of all such, so that it is not written down
  }
  return field;
}

Fields fields_of_format_1(const std::string& data) {
  int height = 0, width = 0, channels = 0;
  const int read = std::sscanf(data.c_str(), "%*d pictures of %dx%dx%d", &height, &width, &channels);
  if (read != 3 || height < 1 || width < 1 || channels < 1) {
    return {};
  }
  return {{"main", {picture_field("picture", height, width, channels)}}};
}

bool is_of_format(const nlohmann::json& json) {
  return json.is_object() && json.contains("format") && json["format"].is_number_integer();
}

bool has_common_part(const nlohmann::json& json) {
  return json.contains("step") && json["step"].is_number_integer() && json["step"] >= 0 && json.contains("seed") &&
         json["seed"].is_number_unsigned() && json.contains("data") && json["data"].is_string();
}

const std::vector<std::string>* class_names(const Fields& fields, const std::string& source, const std::string& field) {
  const auto found = fields.find(source);
  if (found == fields.end()) {
    return nullptr;
  }
  const auto named =
      std::find_if(found->second.begin(), found->second.end(), [&](const Field& each) { return each.name == field; });
  return named == found->second.end() ? nullptr : &named->names;
}

}  // namespace

void write_manifest(const CheckpointState& state, const std::filesystem::path& folder) {
  nlohmann::ordered_json json = {
      {"format", kFormat}, {"step", state.step}, {"seed", state.seed}, {"recipe", state.recipe}, {"data", state.data}};
  nlohmann::ordered_json& fields = json["fields"] = nlohmann::ordered_json::object();
  for (const auto& [source, list] : state.fields) {
    fields[source] = nlohmann::ordered_json::array();
    for (const Field& field : list) {
      fields[source].push_back(to_json(field));
    }
  }
  write_file_atomically(folder / kManifestFile, json.dump(2) + "\n");
}

CheckpointState read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kManifestFile;
  if (std::error_code failure; !std::filesystem::exists(path, failure) && !failure) {
    throw_error(Error::Kind::data, "{}: has no {}, so it is no whole checkpoint", folder.string(), kManifestFile);
  }
  const nlohmann::json json = nlohmann::json::parse(read_text_file(path), nullptr, false);
  if (!is_of_format(json)) {
    throw_error(Error::Kind::data, "{}: is not the JSON of a checkpoint", path.string());
  }
  if (json["format"] != 1 && json["format"] != kFormat) {
    throw_error(Error::Kind::data, "{}: has format {}, but this program reads formats 1 and {}", path.string(),
                json["format"].dump(), kFormat);
  }
  if (!has_common_part(json)) {
    throw_error(Error::Kind::data, "{}: lacks a step, a seed or the name of the data", path.string());
  }
  CheckpointState state{json["step"], json["seed"], json["data"]};
  if (json["format"] == 1) {
    state.fields = fields_of_format_1(state.data);
    return state;
  }
  try {
    state.recipe = json.at("recipe").get<std::string>();
    for (const auto& [source, list] : json.at("fields").items()) {
      for (const nlohmann::json& field : list) {
        state.fields[source].push_back(to_field(field));
      }
    }
  } catch (const std::exception&) {
    throw_error(Error::Kind::data, "{}: lacks a recipe, or the fields of its data are not what this program knows",
                path.string());
  }
  return state;
}

void check_same_training(const CheckpointState& state, const CheckpointState& expected,
                         const std::filesystem::path& folder) {
  if (state.recipe != expected.recipe) {
    throw_error(Error::Kind::data, "{}: is of the recipe {}, but the configuration asks for {}", folder.string(),
                state.recipe, expected.recipe);
  }
  if (state.seed != expected.seed) {
    throw_error(Error::Kind::data, "{}: was trained with seed {}, but the configuration says {}", folder.string(),
                state.seed, expected.seed);
  }
  if (state.data != expected.data) {
    throw_error(Error::Kind::data, "{}: was trained on {}, but the data are now {}", folder.string(), state.data,
                expected.data);
  }
  for (const auto& [source, fields] : state.fields) {
    for (const Field& field : fields) {
      const std::vector<std::string>* now = class_names(expected.fields, source, field.name);
      if (now != nullptr && *now != field.names) {
        throw_error(Error::Kind::data, "{}: was trained with the classes {}, but those of the data are now {}",
                    folder.string(), fmt::join(field.names, ", "), fmt::join(*now, ", "));
      }
    }
  }
}

Shape picture_shape(const CheckpointState& state, const std::filesystem::path& folder) {
  const auto main = state.fields.find("main");
  if (main != state.fields.end()) {
    for (const Field& field : main->second) {
      if (field.kind == FieldKind::picture) {
        return field.shape;
      }
    }
  }
  throw_error(Error::Kind::data, "{}: does not say the size of its pictures: \"{}\"", folder.string(), state.data);
}

}  // namespace duel
