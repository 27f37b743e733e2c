#include "host/parity/trajectory.h"

#include "host/config/configuration.h"
#include "host/config/degradation.h"
#include "host/data/degraded_source.h"
#include "host/data/tryon_source.h"
#include "host/recipes/fields.h"
#include "host/recipes/record_step.h"
#include "host/recipes/registry.h"
#include "kernels/check.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <cmath>
#include <cstring>
#include <set>

namespace duel {

namespace {

constexpr int kMostClasses = 1 << 20;
constexpr std::array<const char*, 2> kFormats = {"duel trajectory 1", "duel trajectory 2"};

std::string described(DType dtype, const std::vector<std::int64_t>& shape) {
  return fmt::format("{}[{}]", name_of(dtype), fmt::join(shape, ","));
}

}  // namespace

std::string step_tensor(int step, const std::string& name) {
  return fmt::format("step{}/{}", step, name);
}

std::string float32_tensor(int step, const std::string& name) {
  return step_tensor(step, "float32/" + name);
}

std::string batch_tensor(int step, const DrawnField& drawn) {
  return step_tensor(step, drawn.field == "picture" ? drawn.draw : drawn.draw + "/" + drawn.field);
}

std::string parameter_name(const Parameters& parameters, const Parameter& parameter) {
  return parameters.network() + "/" + parameter.name;
}

std::string phase_prefix(const std::vector<RecordedPhase>& phases, std::size_t number) {
  const RecordedPhase& phase = phases[number];
  const bool is_later = std::any_of(
      phases.begin(), phases.begin() + static_cast<std::ptrdiff_t>(number), [&](const RecordedPhase& before) {
        return std::ranges::find_first_of(before.updates, phase.updates) != before.updates.end();
      });
  return is_later ? phase.name + "/" : "";
}

template <class... Args>
void Trajectory::fail(fmt::format_string<Args...> format, Args&&... args) const {
  throw_error(Error::Kind::data, "{}: {}", path().string(), fmt::format(format, std::forward<Args>(args)...));
}

Trajectory::Trajectory(const std::filesystem::path& path) : file_(path) {
  const auto format = file_.metadata().find("format");
  const auto known = format == file_.metadata().end() ? kFormats.end() : std::ranges::find(kFormats, format->second);
  if (known == kFormats.end()) {
    fail("is no recorded trajectory: its metadata has {} instead of the format \"{}\"",
         format == file_.metadata().end() ? "no format" : fmt::format("the format \"{}\"", format->second),
         fmt::join(kFormats, "\" or \""));
  }
  format_ = static_cast<int>(known - kFormats.begin()) + 1;
  try {
    options_ = options_from_toml(file_.metadata("config"), "its configuration");
  } catch (const Error& error) {  // of kind usage, but here it is the file that is at fault
    if (error.kind() != Error::Kind::usage) {
      throw;
    }
    fail("{}", error.what());
  }
  steps_ = read_count("steps", 1, INT_MAX);
  near_kinks_ = format_ >= 2 ? read_count("near_kinks", 0, INT_MAX) : 0;
  const Options::Data& data = options_.data;
  picture_ = {1, data.synthetic_height, data.synthetic_width, data.synthetic_channels};
  const bool is_tryon = options_.recipe == "tryon";
  fields_["main"] = is_tryon ? tryon_fields(picture_[1], picture_[2])
                             : std::vector{picture_field("picture", picture_[1], picture_[2], picture_[3])};
  if (file_.metadata().contains("classes")) {
    fields_["main"].push_back(label_field(
        "label", std::vector<std::string>(static_cast<std::size_t>(read_count("classes", 1, kMostClasses)))));
  }
  if (data.into != "none") {
    fields_["into"] = {fields_["main"][0]};
  }
  if (data.degrade != "none") {
    add_inputs();
  }
  record();
  check_tensors();
}

void Trajectory::add_inputs() {
  try {
    const Degradation degradation = degradation_of(options_.data.degrade);
    for (const Field& field : degraded_fields(degradation, picture_, options_.data.crop)) {
      fields_["main"].push_back(field);
    }
  } catch (const Error& error) {
    fail("its pictures cannot be spoilt: {}", error.what());
  }
}

// On given draws: what a replay needs of the record.
void Trajectory::record() {
  StepSettings settings;
  settings.batch = options_.train.batch;
  settings.are_draws_given = true;
  settings.batch_of = [&](Program& program, const DrawnField& drawn, Value, DType type) {
    const Field& field = field_of_draw(drawn);
    return program.bind("draw/" + drawn.draw + "/" + drawn.field, field.shape.with_rows(settings.batch),
                        field.dtype == DType::i32 ? DType::i32 : type);
  };
  try {
    recipe_ = make_recipe(options_, fields_, total_steps(options_, 1));
    networks_ = Networks(recipe_->make_networks());
    recorded_ = record_step(*recipe_, networks_, settings);
  } catch (const Error& error) {
    fail("the networks of its configuration cannot be made: {}", error.what());
  }
}

const Field& Trajectory::field_of_draw(const DrawnField& drawn) const {
  return field_of(fields_, drawn.source, drawn.field, options_.recipe);
}

int Trajectory::read_count(const std::string& key, int least, int most) const {
  const std::string& text = file_.metadata(key);
  int count = 0;
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failure != std::errc() || rest != text.data() + text.size() || count < least || count > most) {
    fail("its metadata says {} = \"{}\", but that must be a number from {} to {}", key, text, least, most);
  }
  return count;
}

void Trajectory::check_tensors() const {
  std::set<std::string> wanted;
  const auto want = [&](const std::string& name, DType dtype, const Shape& shape) {
    check_tensor(name, dtype, shape);
    wanted.insert(name);
  };
  const auto want_all = [&](const std::string& prefix, const Parameters& parameters) {
    for (const Parameter& parameter : parameters.list()) {
      want(prefix + parameter_name(parameters, parameter), DType::f32, parameter.shape);
    }
  };
  for (const NamedNetwork& each : networks_.list()) {
    want_all("initial/", each.network->parameters());
  }
  for (int step = 1; step <= steps_; ++step) {
    for (std::size_t i = 0; i < recorded_.phases.size(); ++i) {
      const RecordedPhase& phase = recorded_.phases[i];
      if (!phase.runs_at(step - 1)) {
        continue;
      }
      for (const DrawnField& drawn : phase.batches) {
        const Field& field = field_of_draw(drawn);
        want(batch_tensor(step, drawn), field.dtype, field.shape.with_rows(options_.train.batch));
      }
      for (const RecordedDraw& draw : phase.noise) {
        want(step_tensor(step, draw.name), DType::f32, draw.shape);
      }
      if (!phase.loss.empty()) {
        want(step_tensor(step, phase.loss), DType::f32, {1});
        if (tells_float32()) {
          want(float32_tensor(step, phase.loss), DType::f32, {1});
        }
      }
      const std::string prefix = phase_prefix(recorded_.phases, i);
      for (const std::string& name : phase.updates) {
        const NamedNetwork& network = networks_.at(name);
        const Parameters& parameters = network.network->parameters();
        want_all(step_tensor(step, prefix + "gradient/"), parameters);
        want_all(step_tensor(step, prefix + "weight/"), parameters);
        if (network.is_averaged) {
          want_all(step_tensor(step, prefix + "average/"), parameters);
        }
        for (const Parameter& parameter : parameters.list()) {
          if (tells_float32()) {
            want(float32_tensor(step, prefix + "gradient/" + parameter_name(parameters, parameter)), DType::f32, {2});
          }
        }
      }
    }
    for (const RecordedState& state : recorded_.state) {
      want(step_tensor(step, "state/" + state.name), DType::f32, state.shape);
    }
  }
  for (const auto& [name, entry] : file_.entries()) {
    if (!wanted.contains(name)) {
      fail("holds {} tensors, but {} steps of its configuration are {} tensors, and \"{}\" {} is not among them",
           file_.entries().size(), steps_, wanted.size(), name, described(entry.dtype, entry.shape));
    }
  }
}

void Trajectory::check_tensor(const std::string& name, DType dtype, const Shape& shape) const {
  const auto found = file_.entries().find(name);
  const View wanted{nullptr, shape, dtype};
  if (found == file_.entries().end()) {
    fail("has no tensor \"{}\", which must be {} by its configuration", name, wanted);
  }
  const SafetensorsFile::Entry& entry = found->second;
  if (entry.dtype != dtype || !std::equal(entry.shape.begin(), entry.shape.end(), shape.begin(), shape.end())) {
    fail("tensor \"{}\" is {}, but {} by its configuration", name, described(entry.dtype, entry.shape), wanted);
  }
}

std::string Trajectory::recorder() const {
  const auto found = file_.metadata().find("recorder");
  return found == file_.metadata().end() ? "an unknown program" : found->second;
}

std::string Trajectory::doubt() const {
  if (format_ < 2) {
    return "a record of format 1 may come so near a ReLU's kink that its gradient is a matter of rounding: record it "
           "anew";
  }
  if (near_kinks_ > 0) {
    return fmt::format(
        "{} rows of its draws lie so near a ReLU's kink that its gradient is a matter of rounding: so large a network "
        "cannot be kept clear of them",
        near_kinks_);
  }
  return "";
}

std::vector<std::byte> Trajectory::read_batch(int step, const DrawnField& drawn) const {
  const std::string name = batch_tensor(step, drawn);
  std::vector<std::byte> bytes = file_.read(name);
  const Field& field = field_of_draw(drawn);
  if (field.kind == FieldKind::label) {
    std::vector<std::int32_t> labels(bytes.size() / sizeof(std::int32_t));
    std::memcpy(labels.data(), bytes.data(), bytes.size());
    const auto classes = static_cast<std::int32_t>(field.names.size());
    const auto wrong = std::ranges::find_if(labels, [&](std::int32_t label) { return label < 0 || label >= classes; });
    if (wrong != labels.end()) {
      fail("tensor \"{}\" holds the label {} at row {}, but there are {} classes", name, *wrong, wrong - labels.begin(),
           classes);
    }
  }
  return bytes;
}

std::vector<float> Trajectory::read(const std::string& name) const {
  const std::vector<std::byte> bytes = file_.read(name);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      fail("tensor \"{}\" holds {} at element {}, and nothing can be compared with that", name, values[i], i);
    }
  }
  return values;
}

}  // namespace duel
