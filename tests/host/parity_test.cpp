// What PyTorch recorded (tests/golden) replayed on the CPU; a number altered in a record is found and named, and so is
// a gradient that is wrong by a thousandth or in one sign; what is no whole record is refused.
#include "host/parity/parity.h"
#include "host/parity/replay.h"
#include "tests/support/trajectory_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace duel::test {
namespace {

class GoldenTrajectory : public testing::TestWithParam<std::string> {};

// A third of the bounds at the most, so that the verdict does not hang on a processor's way of rounding.
TEST_P(GoldenTrajectory, IsReplayedOnTheCpu) {
  const Trajectory trajectory(golden_path(GetParam()));
  for (const int threads : {1, 2}) {
    Context context = Context::cpu(threads);
    Replay replay(context, trajectory, "fp32", {1e-5, 3e-5, 3e-5, 3e-5});
    for (int step = 1; step <= trajectory.steps(); ++step) {
      const ReplayedStep result = replay.step();
      EXPECT_FALSE(result.first_off) << result.first_off->deviation.tensor << " " << result.first_off->deviation.value;
      ASSERT_TRUE(result.recorders_float32);
      EXPECT_LT(result.recorders_float32->losses[0].value, 1e-5);
      EXPECT_GT(result.recorders_float32->norm.value, 1e-9);
      EXPECT_LT(result.recorders_float32->norm.value, 3e-5) << result.recorders_float32->norm.tensor;
      EXPECT_LT(result.recorders_float32->element.value, 3e-5) << result.recorders_float32->element.tensor;
    }
  }
}

// Rounding to bf16 turns ReLUs near zero on and off, and in networks this narrow a gradient of one unit is all that
// some tensors have: so gradients are only seen to be numbers, but where no activation has a kink.
TEST_P(GoldenTrajectory, IsReplayedInBf16) {
  Context context = Context::cpu(2);
  if (!context.supports_bf16()) {
    GTEST_SKIP() << "this CPU has no AVX512-BF16";
  }
  const Trajectory trajectory(golden_path(GetParam()));
  const Bounds bounds = default_bounds("bf16");
  Replay replay(context, trajectory, "bf16", bounds);
  for (int step = 1; step <= trajectory.steps(); ++step) {
    const ReplayedStep result = replay.step();
    for (const Deviation& loss : result.duel.losses) {
      EXPECT_LT(loss.value, bounds.loss) << loss.tensor;
    }
    EXPECT_LT(result.weight.value, bounds.weight) << result.weight.tensor;  // from the same gradients
    EXPECT_TRUE(std::isfinite(result.duel.norm.value)) << result.duel.norm.tensor;
    if (!has_kinks(trajectory.options())) {
      EXPECT_LT(result.duel.norm.value, bounds.gradient_norm / 4) << result.duel.norm.tensor;
      EXPECT_LT(result.duel.element.value, bounds.gradient_element / 4) << result.duel.element.tensor;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(files, GoldenTrajectory, testing::ValuesIn(golden_names()),
                         [](const auto& test) { return test.param; });

// The first deviation of a replay, and its step.
std::pair<int, Off> first_off(const std::filesystem::path& path) {
  const Trajectory trajectory(path);
  Context context = Context::cpu(1);
  Replay replay(context, trajectory, "fp32", default_bounds("fp32"));
  for (int step = 1; step <= trajectory.steps(); ++step) {
    const ReplayedStep result = replay.step();
    if (result.first_off) {
      return {step, *result.first_off};
    }
  }
  return {0, {}};
}

float largest_magnitude(const TensorFile::Tensor& tensor) {
  float magnitude = 0;
  for (std::size_t i = 0; i < tensor.count(); ++i) {
    magnitude = std::max(magnitude, std::fabs(tensor.get(i)));
  }
  return magnitude;
}

// Adds `part` of what deviations are measured against to an element of a golden file's tensor.
void expect_found(const std::string& golden, int step, const std::string& tensor, std::size_t index, float part) {
  const TemporaryFolder folder;
  TensorFile file(golden_path(golden));
  TensorFile::Tensor& altered = file.tensors.at(step_tensor(step, tensor));
  float magnitude = largest_magnitude(altered);
  if (tensor.starts_with("weight/") || tensor.starts_with("average/")) {
    const Options::Optimizer optimizer = Trajectory(golden_path(golden)).options().optimizer;
    magnitude = static_cast<float>(tensor.find("/generator/") != std::string::npos
                                       ? optimizer.generator_learning_rate.number()
                                       : optimizer.discriminator_learning_rate.number());
  }
  altered.set(index, altered.get(index) + part * magnitude);
  file.write(folder / "altered.safetensors");
  const auto [at, off] = first_off(folder / "altered.safetensors");
  EXPECT_EQ(at, step) << tensor;
  EXPECT_EQ(off.deviation.tensor, tensor);
  EXPECT_GT(off.deviation.value, 1e-4);
  EXPECT_LT(off.deviation.value, 1.1 * part) << tensor;  // less in norm, of a tensor with more than this element
}

TEST(Parity, AWrongNumberIsFoundAndNamed) {
  expect_found("classic", 1, "gradient/discriminator/conv2/weight", 5, 1e-3F);
  expect_found("classic", 2, "gradient/generator/dense1/weight", 17, 3e-4F);
  expect_found("classic", 3, "weight/discriminator/dense1/weight", 100, 1e-2F);
  expect_found("steady", 2, "weight/generator/dense2/bias", 3, 1e-2F);
  expect_found("steady", 3, "average/generator/dense3/weight", 0, 1e-2F);
  expect_found("hinge_gradient_penalty", 2, "gradient/discriminator/conv1/weight", 33, 1e-3F);
  expect_found("hinge_gradient_penalty", 2, "d_loss", 0, 1e-3F);
  expect_found("steady", 1, "g_loss", 0, 1e-3F);
  expect_found("lazy", 1, "d_main_2/gradient/discriminator/conv1/weight", 5, 1e-3F);
  expect_found("lazy", 2, "d_loss_2", 0, 1e-3F);
  expect_found("conv_steady", 1, "gradient/discriminator/classes/weight", 9, 1e-3F);
  expect_found("conv_steady", 2, "gradient/generator/up1/weight", 33, 1e-3F);
  expect_found("residual", 1, "gradient/discriminator/stage2/block1/grouped/weight", 33, 1e-3F);
  expect_found("residual", 2, "gradient/generator/basis/picture", 7, 1e-3F);
  expect_found("lazy", 3, "penalty_loss", 0, 1e-3F);
  expect_found("lazy", 3, "d_penalty/gradient/discriminator/dense1/weight", 7, 1e-3F);
  expect_found("vae", 1, "gradient/encoder/conv1/weight", 2, 1e-3F);
  expect_found("vae", 2, "average/decoder/dense/weight", 4, 1e-2F);
  expect_found("classify", 1, "gradient/classifier/last/weight", 3, 1e-3F);
  expect_found("augmented", 2, "gradient/discriminator/conv1/weight", 9, 1e-3F);
  expect_found("augmented", 3, "state/augment/probability", 0, 1e-3F);
  expect_found("classify", 2, "state/classifier/stem/norm/running_variance", 1, 1e-3F);
  expect_found("sagan", 1, "gradient/generator/up1/attention/query/weight", 3, 1e-3F);
  expect_found("sagan", 2, "gradient/discriminator/conv1/attention/gamma", 0, 1e-3F);
  expect_found("sagan", 2, "state/discriminator/conv1/u", 1, 1e-3F);
  expect_found("dcgan", 1, "gradient/generator/dense/weight", 50, 1e-3F);
  expect_found("dcgan", 2, "state/generator/up1/norm/running_mean", 1, 1e-3F);
  expect_found("restore", 1, "gradient/restorer/enlarge1/weight", 3, 1e-3F);
  expect_found("restore", 2, "loss", 0, 1e-3F);
  expect_found("restore_adversary", 1, "gradient/discriminator/conv2/weight", 7, 1e-3F);
  expect_found("restore_adversary", 1, "d_penalty/gradient/discriminator/conv1/weight", 7, 1e-3F);
  expect_found("restore_adversary", 2, "gradient/restorer/up1/weight", 5, 1e-3F);
  expect_found("restore_adversary", 3, "g_loss", 0, 1e-3F);
  expect_found("dcgan_by_class", 2, "state/discriminator/conv2/norm/running_variance", 2, 1e-3F);
}

// Alters one gradient of step 1 at a time, by `alter`, which says whether it did, and expects that to be found. A
// tensor matters where its largest element is a hundredth of its network's largest.
int expect_each_found(const std::string& golden, const std::function<bool(TensorFile::Tensor&, float)>& alter) {
  const TemporaryFolder folder;
  const TensorFile whole(golden_path(golden));
  int altered = 0;
  std::set<std::string> networks;
  for (const auto& [name, tensor] : whole.tensors) {
    if (const std::string prefix = "step1/gradient/"; name.starts_with(prefix)) {
      networks.insert(name.substr(0, name.find('/', prefix.size()) + 1));
    }
  }
  for (const std::string& network : networks) {
    float largest = 0;
    for (const auto& [name, tensor] : whole.tensors) {
      largest = std::max(largest, name.starts_with(network) ? largest_magnitude(tensor) : 0);
    }
    for (const auto& [name, tensor] : whole.tensors) {
      if (!name.starts_with(network) || largest_magnitude(tensor) < 1e-2F * largest) {
        continue;
      }
      TensorFile file = whole;
      if (!alter(file.tensors.at(name), std::max(largest_magnitude(tensor), 0.05F * largest))) {
        continue;
      }
      ++altered;
      file.write(folder / "altered.safetensors");
      const auto [step, off] = first_off(folder / "altered.safetensors");
      EXPECT_EQ(step, 1) << golden << " " << name;
      EXPECT_EQ("step1/" + off.deviation.tensor, name) << golden;
    }
  }
  return altered;
}

TEST(Parity, AnyGradientWrongByAThousandthIsFound) {
  for (const std::string& golden : golden_names()) {
    const int altered = expect_each_found(golden, [](TensorFile::Tensor& tensor, float) {
      for (std::size_t i = 0; i < tensor.count(); ++i) {
        tensor.set(i, 1.001F * tensor.get(i));
      }
      return true;
    });
    EXPECT_GE(altered, golden == "wgan_dense" ? 5 : 7) << golden;
  }
}

// The median of all elements that are not zero, and the least one that matters: whose sign is more than rounding.
TEST(Parity, AnyFlippedSignIsFound) {
  for (const std::string& golden : golden_names()) {
    for (const bool median : {true, false}) {
      const int altered = expect_each_found(golden, [&](TensorFile::Tensor& tensor, float magnitude) {
        std::vector<std::pair<float, std::size_t>> elements;
        for (std::size_t i = 0; i < tensor.count(); ++i) {
          const float element = std::fabs(tensor.get(i));
          if (median ? element != 0 : 2 * element > 1.1e-4F * magnitude) {
            elements.emplace_back(element, i);
          }
        }
        std::sort(elements.begin(), elements.end());
        const auto [element, index] = elements[median ? elements.size() / 2 : 0];
        tensor.set(index, -tensor.get(index));
        return 2 * element > 1.1e-4F * magnitude;
      });
      EXPECT_GE(altered, golden == "wgan_dense" ? 5 : 7) << golden;
    }
  }
}

// What is a little wrong in every element is more wrong in norm than in any one of them.
TEST(Parity, AnErrorOfManySmallElementsIsFound) {
  const TemporaryFolder folder;
  TensorFile file(golden_path("classic"));
  TensorFile::Tensor& tensor = file.tensors.at("step1/gradient/discriminator/dense1/weight");
  const float magnitude = largest_magnitude(tensor);
  for (std::size_t i = 0; i < tensor.count(); ++i) {
    tensor.set(i, tensor.get(i) + 0.9e-4F * magnitude);
  }
  file.write(folder / "altered.safetensors");
  const auto [step, off] = first_off(folder / "altered.safetensors");
  EXPECT_EQ(step, 1);
  EXPECT_EQ(off.deviation.tensor, "gradient/discriminator/dense1/weight");
  EXPECT_STREQ(off.measure, "in norm");
}

// Records of format 1 have no float32/ and may come near kinks.
void write_in_format_1(const std::string& golden, const std::filesystem::path& path) {
  TensorFile file(golden_path(golden));
  file.metadata["format"] = "duel trajectory 1";
  file.metadata.erase("near_kinks");
  std::erase_if(file.tensors, [](const auto& entry) { return entry.first.find("/float32/") != std::string::npos; });
  file.write(path);
}

TEST(Parity, RecordsOfFormat1AreJudgedToo) {
  const TemporaryFolder folder;
  // Of the one recipe, and the kind of generator, that the format knew.
  for (const std::string golden : {"classic", "hinge_gradient_penalty", "lsgan_clipped", "steady", "wgan_dense"}) {
    write_in_format_1(golden, folder / "old.safetensors");
    const Trajectory trajectory(folder / "old.safetensors");
    EXPECT_NE(trajectory.doubt().find("format 1"), std::string::npos);
    Context context = Context::cpu(1);
    Replay replay(context, trajectory, "fp32", default_bounds("fp32"));
    const ReplayedStep step = replay.step();
    EXPECT_FALSE(step.recorders_float32);
    EXPECT_FALSE(step.first_off) << step.first_off->deviation.tensor;
    EXPECT_LT(step.duel.norm.value, 3e-5);

    TensorFile wrong(folder / "old.safetensors");
    TensorFile::Tensor& tensor = wrong.tensors.at("step2/gradient/generator/dense1/weight");
    for (std::size_t i = 0; i < tensor.count(); ++i) {
      tensor.set(i, 1.001F * tensor.get(i));
    }
    wrong.write(folder / "old.safetensors");
    EXPECT_EQ(first_off(folder / "old.safetensors").second.deviation.tensor, "gradient/generator/dense1/weight");
  }
}

TEST(Parity, ARecordThatComesNearKinksSaysSo) {
  const TemporaryFolder folder;
  TensorFile file(golden_path("steady"));
  file.write(folder / "near.safetensors");
  EXPECT_EQ(Trajectory(folder / "near.safetensors").doubt(), "");
  file.metadata.at("near_kinks") = "3";
  file.write(folder / "near.safetensors");
  EXPECT_TRUE(Trajectory(folder / "near.safetensors").doubt().starts_with("3 rows"));
}

TEST(Parity, WrongInputsAreNoticed) {
  const TemporaryFolder folder;
  for (const char* input : {"step1/d_latents", "step1/shares", "initial/discriminator/conv1/bias", "step1/d_reals"}) {
    TensorFile file(golden_path("hinge_gradient_penalty"));
    file.tensors.at(input).bytes[3] ^= std::byte{1};  // halves or doubles a float, or moves a pixel by one
    file.write(folder / "altered.safetensors");
    EXPECT_EQ(first_off(folder / "altered.safetensors").first, 1) << input;
  }
}

TEST(Parity, AnotherConfigurationIsNoticed) {
  const TemporaryFolder folder;
  const auto replace = [&](const std::string& golden, const std::string& key, const std::string& value) {
    TensorFile file(golden_path(golden));
    std::string& config = file.metadata.at("config");
    const std::size_t at = config.find("\n" + key + " = ");
    EXPECT_NE(at, std::string::npos) << key;
    config.replace(at, config.find('\n', at + 1) - at, "\n" + key + " = " + value);
    file.write(folder / "altered.safetensors");
    return first_off(folder / "altered.safetensors").second.deviation.tensor;
  };
  EXPECT_EQ(replace("lsgan_clipped", "kind", "\"bce\""), "d_loss");
  EXPECT_EQ(replace("lsgan_clipped", "r1", "2.01"), "d_loss");
  EXPECT_EQ(replace("lsgan_clipped", "clip_norm", "0.051").substr(0, 21), "weight/discriminator/");
  EXPECT_EQ(replace("lsgan_clipped", "epsilon", "1.1e-3").substr(0, 21), "weight/discriminator/");
  EXPECT_EQ(replace("lsgan_clipped", "ema_decay", "0.91").substr(0, 8), "average/");
  EXPECT_EQ(replace("lsgan_clipped", "generator_learning_rate", "2.1e-3").substr(0, 17), "weight/generator/");
  EXPECT_EQ(replace("hinge_gradient_penalty", "beta1", "0.49").substr(0, 7), "weight/");
  EXPECT_EQ(replace("hinge_gradient_penalty", "beta2", "0.91").substr(0, 7), "weight/");
  EXPECT_EQ(replace("hinge_gradient_penalty", "leaky_slope", "0.101").substr(0, 2), "d_");
}

TEST(Parity, WhatIsNoWholeRecordIsRefused) {
  const TemporaryFolder folder;
  const auto path = folder / "bad.safetensors";
  const auto expect_refused = [&](const std::function<void(TensorFile&)>& alter, const std::string& part) {
    TensorFile file(golden_path("classic"));
    alter(file);
    file.write(path);
    EXPECT_ERROR(Trajectory(path), Error::Kind::data, part);
    EXPECT_ERROR(Trajectory(path), Error::Kind::data, path.string());
  };
  using F = TensorFile;
  expect_refused([](F& f) { f.metadata.erase("format"); }, "no format");
  expect_refused([](F& f) { f.metadata["format"] = "duel checkpoint 1"; }, "the format \"duel checkpoint 1\"");
  expect_refused([](F& f) { f.metadata.erase("config"); }, "no metadata \"config\"");
  expect_refused([](F& f) { f.metadata["config"] = "preset = "; }, "not TOML");
  expect_refused([](F& f) { f.metadata["config"] += "\nlatent = 3\n"; }, "latent");
  expect_refused([](F& f) { f.metadata.erase("steps"); }, "no metadata \"steps\"");
  for (const char* steps : {"", "0", "-1", "three", "3x", "99999999999"}) {
    expect_refused([&](F& f) { f.metadata["steps"] = steps; }, std::string("steps = \"") + steps + "\"");
  }
  expect_refused([](F& f) { f.metadata["steps"] = "2000000000"; }, "has no tensor \"step4/d_reals\"");
  expect_refused([](F& f) { f.metadata["steps"] = "2"; }, "\"step3/");
  expect_refused([](F& f) { f.metadata.erase("near_kinks"); }, "no metadata \"near_kinks\"");
  expect_refused([](F& f) { f.metadata["near_kinks"] = "-1"; }, "near_kinks = \"-1\"");
  expect_refused([](F& f) { f.metadata["format"] = "duel trajectory 1"; }, "/float32/");
  expect_refused([](F& f) { f.tensors.erase("step3/float32/g_loss"); }, "no tensor \"step3/float32/g_loss\"");
  expect_refused(
      [](F& f) {
        f.tensors.at("step1/float32/gradient/generator/dense1/bias").shape = {1, 2};
      },
      "f32[1,2], but f32[2]");
  expect_refused([](F& f) { f.tensors.erase("step2/d_loss"); }, "no tensor \"step2/d_loss\", which must be f32[1]");
  expect_refused([](F& f) { f.tensors.erase("initial/generator/dense1/bias"); }, "\"initial/generator/dense1/bias\"");
  expect_refused([](F& f) { f.tensors.erase("step1/d_reals"); }, "has no tensor \"step1/d_reals\"");
  expect_refused([](F& f) { f.tensors.at("step1/d_reals").shape = {6, 48}; }, "u8[6,48]");
  expect_refused([](F& f) { f.tensors.at("step2/d_reals").shape = {6, 6, 8, 1}; }, "u8[6,6,8,1], but u8[6,8,6,1]");
  expect_refused(
      [](F& f) {
        f.tensors.at("step1/weight/generator/dense2/weight").shape = {9, 12};
      },
      "f32[9,12], but f32[12,9] by its configuration");
  expect_refused([](F& f) { f.tensors["step1/shares"] = f.tensors.at("step1/d_loss"); }, "\"step1/shares\" f32[1]");
  const auto set = [](F& f, const std::string& from, const std::string& to) {
    std::string& config = f.metadata.at("config");
    config.replace(config.find(from), from.size(), to);
  };
  expect_refused([&](F& f) { set(f, "batch = 6", "batch = 5"); }, "u8[6,8,6,1], but u8[5,8,6,1]");
  expect_refused([&](F& f) { set(f, "\"bce\"", "\"relativistic\""); }, "has no tensor \"step1/g_reals\"");
  expect_refused([&](F& f) { set(f, "[12, 9]", "[65536, 65536, 65536]"); }, "cannot be made");

  write_file(path, "");
  EXPECT_ERROR(Trajectory(path), Error::Kind::data, "0 bytes");
  write_file(path, "no trajectory at all");
  EXPECT_ERROR(Trajectory(path), Error::Kind::data, path.string());
  const std::string whole = read_file(golden_path("classic"));
  for (const std::size_t bytes : {std::size_t{9}, whole.size() / 2, whole.size() - 1}) {
    write_file(path, whole.substr(0, bytes));
    EXPECT_ERROR(Trajectory(path), Error::Kind::data, path.string());
  }
  EXPECT_ERROR(Trajectory(folder.path()), Error::Kind::data, folder.path().string());
  EXPECT_ERROR(Trajectory(folder / "missing"), Error::Kind::data, "missing");
}

TEST(Parity, NumbersThatAreNotFiniteAreRefused) {
  const TemporaryFolder folder;
  for (const char* tensor :
       {"initial/generator/dense1/weight", "step1/d_latents", "step2/gradient/generator/dense2/bias"}) {
    TensorFile file(golden_path("classic"));
    file.tensors.at(tensor).set(2, std::numeric_limits<float>::quiet_NaN());
    file.write(folder / "bad.safetensors");
    EXPECT_ERROR(first_off(folder / "bad.safetensors"), Error::Kind::data, std::string("\"") + tensor + "\" holds nan");
  }
}

}  // namespace
}  // namespace duel::test
