#include "host/parity/trajectory.h"

#include "engine/nn/losses.h"
#include "host/config/configuration.h"
#include "host/run/model.h"
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

std::string parameter_name(const Parameters& parameters, const Parameter& parameter) {
  return parameters.network() + "/" + parameter.name;
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
  steps_ = read_count("steps", 1);
  near_kinks_ = format_ >= 2 ? read_count("near_kinks", 0) : 0;
  const SafetensorsFile::Entry& reals = file_.entry(step_tensor(1, "d_reals"));
  const bool are_pictures = reals.dtype == DType::u8 && reals.shape.size() == 4 &&
                            std::all_of(reals.shape.begin(), reals.shape.end(),
                                        [](std::int64_t extent) { return extent >= 1 && extent <= INT_MAX; });
  if (!are_pictures) {
    fail("tensor \"step1/d_reals\" is {}, but pictures u8[batch,height,width,channels] are needed",
         described(reals.dtype, reals.shape));
  }
  picture_ = {1, static_cast<int>(reals.shape[1]), static_cast<int>(reals.shape[2]), static_cast<int>(reals.shape[3])};
  check_tensors();
}

int Trajectory::read_count(const std::string& key, int least) const {
  const std::string& text = file_.metadata(key);
  int count = 0;
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failure != std::errc() || rest != text.data() + text.size() || count < least) {
    fail("its metadata says {} = \"{}\", but that must be a number from {} to {}", key, text, least, INT_MAX);
  }
  return count;
}

void Trajectory::check_tensors() const {
  std::set<std::string> wanted;
  const auto want = [&](const std::string& name, DType dtype, const Shape& shape) {
    check_tensor(name, dtype, shape);
    wanted.insert(name);
  };
  GanModel model;
  try {
    model = make_model(options_, picture_);
  } catch (const Error& error) {
    fail("the networks of its configuration cannot be made: {}", error.what());
  }
  const auto want_all = [&](const std::string& prefix, const Parameters& parameters) {
    for (const Parameter& parameter : parameters.list()) {
      want(prefix + parameter_name(parameters, parameter), DType::f32, parameter.shape);
    }
  };
  const Parameters &generator = model.generator->parameters(), &discriminator = model.discriminator->parameters();
  const int batch = options_.train.batch;
  want_all("initial/", generator);
  want_all("initial/", discriminator);
  for (int step = 1; step <= steps_; ++step) {
    const auto name = [&](const char* tensor) { return step_tensor(step, tensor); };
    want(name("d_reals"), DType::u8, picture_.with_rows(batch));
    if (generator_loss_needs_reals(loss_named(options_.loss.kind))) {
      want(name("g_reals"), DType::u8, picture_.with_rows(batch));
    }
    if (!options_.loss.gradient_penalty.is_zero()) {
      want(name("shares"), DType::f32, {batch});
    }
    for (const char* latents : {"d_latents", "g_latents"}) {
      want(name(latents), DType::f32, {batch, model.latent});
    }
    for (const char* loss : {"d_loss", "g_loss"}) {
      want(name(loss), DType::f32, {1});
    }
    for (const char* group : {"gradient/", "weight/"}) {
      want_all(name(group), generator);
      want_all(name(group), discriminator);
    }
    want_all(name("average/"), generator);
    if (tells_float32()) {
      for (const char* loss : {"d_loss", "g_loss"}) {
        want(float32_tensor(step, loss), DType::f32, {1});
      }
      for (const Parameters* parameters : {&generator, &discriminator}) {
        for (const Parameter& parameter : parameters->list()) {
          want(float32_tensor(step, "gradient/" + parameter_name(*parameters, parameter)), DType::f32, {2});
        }
      }
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

std::vector<std::uint8_t> Trajectory::read_pictures(const std::string& name) const {
  const std::vector<std::byte> bytes = file_.read(name);
  std::vector<std::uint8_t> values(bytes.size());
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
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
