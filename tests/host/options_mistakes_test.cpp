// What each mistake in options is answered with.
#include "host/config/option_keys.h"
#include "tests/host/options_helpers.h"

#include <gtest/gtest.h>

namespace duel::test {
namespace {

TEST(Options, UnknownKeysNameTheNearest) {
  EXPECT_EQ(set_error("train.bach=3"), "--set: unknown key train.bach; did you mean train.batch?");
  EXPECT_EQ(set_error("batch=3"), "--set: unknown key batch; did you mean train.batch?");
  EXPECT_EQ(set_error("los.kind=bce"), "--set: unknown key los.kind; did you mean loss.kind?");
  EXPECT_EQ(set_error("xyzzy=3"), "--set: unknown key xyzzy; `duel train --help-keys` lists those there are");
  EXPECT_EQ(file_error("seed = 1\n[train]\n  bach = 3\n"),
            "run.toml:3:3: unknown key train.bach; did you mean train.batch?");
  EXPECT_EQ(file_error("[trian]\nbatch = 3\n"), "run.toml:2:1: unknown key trian.batch; did you mean train.batch?");
  EXPECT_EQ(without_place(file_error("[xyzzy]\n")),
            "unknown key xyzzy; `duel train --help-keys` lists those there are");
  EXPECT_EQ(without_place(file_error("[train.batch]\nsize = 3\n")),
            "train.batch = {...} must be an integer from 1 to 65536");
}

TEST(Options, ATableIsNoValue) {
  EXPECT_EQ(set_error("train=3"), "--set: train is a table of keys, not a key with a value");
  EXPECT_EQ(file_error("train = 3"), "run.toml:1:1: train is a table of keys, not a key with a value");
  EXPECT_EQ(without_place(file_error("[[train]]\nbatch = 3\n")), "train is a table of keys, not a key with a value");
}

TEST(Options, SettingsMustBeKeyAndValue) {
  EXPECT_EQ(set_error("train.batch"), "--set: \"train.batch\" must be key=value, for example train.batch=32");
  EXPECT_EQ(set_error("train.batch="), "--set: \"train.batch=\" must be key=value, for example train.batch=32");
  EXPECT_EQ(set_error("=3"), "--set: \"=3\" must be key=value, for example train.batch=32");
  EXPECT_EQ(set_error(""), "--set: \"\" must be key=value, for example train.batch=32");
  EXPECT_EQ(set_error("preset=classic"),
            "--set: preset is what the settings start from; choose it with --preset NAME or in the file");
}

TEST(Options, WrongTypesNameKeyValueAndPlace) {
  EXPECT_EQ(file_error("[train]\nbatch = 1.5\n"), "run.toml:2:9: train.batch = 1.5 must be an integer from 1 to 65536");
  EXPECT_EQ(file_error("[train]\nbatch = 32.0\n"),
            "run.toml:2:9: train.batch = 32.0 must be an integer from 1 to 65536");
  EXPECT_EQ(file_error("[train]\nbatch = true\n"),
            "run.toml:2:9: train.batch = true must be an integer from 1 to 65536");
  EXPECT_EQ(file_error("[train]\nbatch = \"many\"\n"),
            "run.toml:2:9: train.batch = \"many\" must be an integer from 1 to 65536");
  EXPECT_EQ(file_error("[optimizer]\nbeta1 = '0.5'\n"),
            "run.toml:2:9: optimizer.beta1 = \"0.5\" must be a number from 0 to below 1");
  EXPECT_EQ(file_error("[optimizer]\nbeta1 = false\n"),
            "run.toml:2:9: optimizer.beta1 = false must be a number from 0 to below 1");
  EXPECT_EQ(file_error("[data]\nsource = 2024\n"),
            "run.toml:2:10: data.source = 2024 must be a text that is not empty");
  EXPECT_EQ(file_error("precision = 1979-05-27"), "run.toml:1:13: precision = 1979-05-27 must be fp32, tf32 or bf16");
  EXPECT_EQ(file_error("[model]\ngenerator_widths = [64, 1.5, 'x']\n"),
            "run.toml:2:20: model.generator_widths = [64, 1.5, \"x\"] must be a list of at most 32 integers from 1 to "
            "65536");
  EXPECT_EQ(set_error("model.generator_widths=64"),
            "--set: model.generator_widths = 64 must be a list of at most 32 integers from 1 to 65536");
  EXPECT_EQ(set_error("model.generator_widths=[64,"),
            "--set: model.generator_widths = [64, must be a list of at most 32 integers from 1 to 65536");
  EXPECT_EQ(set_error("train.batch=many"), "--set: train.batch = \"many\" must be an integer from 1 to 65536");
  EXPECT_EQ(set_error("train.batch=1\nseed=2"),
            "--set: train.batch = \"1\\u000Aseed=2\" must be an integer from 1 to 65536");
}

TEST(Options, ValuesOutOfRangeNameTheRange) {
  EXPECT_EQ(set_error("loss.kind=hing"), "--set: loss.kind = \"hing\" must be bce, lsgan, hinge, relativistic or wgan");
  EXPECT_EQ(set_error("model.generator_activation=elu"),
            "--set: model.generator_activation = \"elu\" must be relu, leaky_relu, tanh or sigmoid");
  EXPECT_EQ(set_error("precision=tf16"), "--set: precision = \"tf16\" must be fp32, tf32 or bf16");
  for (const char* device : {"gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cuda:100", "cuda0", "Cuda"}) {
    EXPECT_EQ(set_error(fmt::format("device={}", device)),
              fmt::format("--set: device = \"{}\" must be auto, cpu, cuda or cuda:N", device));
  }
  EXPECT_EQ(set_error("data.source=\"\""), "--set: data.source = \"\" must be a text that is not empty");
  for (const char* wrong : {"64", "0x64", "64x", "64x1025", "64 x 64", "64x64x3", "64X64"}) {
    EXPECT_EQ(set_error(std::string("data.size=") + wrong),
              fmt::format("--set: data.size = \"{}\" must be auto, or WxH with sides from 1 to 1024", wrong));
  }
  for (const char* wrong : {"white", "#ffffff", "fffff", "fffffg", "+1+1+1", "0x1020"}) {
    EXPECT_EQ(set_error(std::string("data.background=") + wrong),
              fmt::format("--set: data.background = \"{}\" must be auto, or RRGGBB", wrong));
  }
  EXPECT_EQ(set_error("optimizer.clip_norm=-1"),
            "--set: optimizer.clip_norm = -1 must be a number from 0 to 1000000000");
  EXPECT_EQ(set_error("model.discriminator_kernel=4"),
            "--set: model.discriminator_kernel = 4 must be 1, 3, 5, 7, 9, 11, 13 or 15");
  EXPECT_EQ(set_error("data.synthetic_channels=5"),
            "--set: data.synthetic_channels = 5 must be an integer from 1 to 4");
  for (const char* setting : {"train.batch=0",
                              "train.batch=65537",
                              "train.batch=9223372036854775807",
                              "train.batch=-9223372036854775808",
                              "train.batch=4294967328",
                              "train.epochs=0",
                              "train.steps=-1",
                              "threads=-1",
                              "seed=-1",
                              "seed=18446744073709551616",
                              "seed=\"12x\"",
                              "seed=''",
                              "model.latent=0",
                              "model.generator_widths=[0]",
                              "model.discriminator_widths=[65537]",
                              "model.discriminator_channels=[4294967297]",
                              "model.discriminator_kernel=17",
                              "model.discriminator_kernel=-1",
                              "model.leaky_slope=1.1",
                              "loss.r1=-0.5",
                              "loss.r2=nan",
                              "loss.gradient_penalty=inf",
                              "optimizer.beta1=1",
                              "optimizer.beta2=1.0",
                              "optimizer.beta2=-0.1",
                              "optimizer.ema_decay=1",
                              "optimizer.epsilon=0",
                              "optimizer.generator_learning_rate=-1e-4",
                              "data.synthetic_height=1025",
                              "data.synthetic_width=0",
                              "output.log_every=0",
                              "output.sample_rows=65"}) {
    EXPECT_NE(set_error(setting), "") << setting;
  }
}

TEST(Options, TheEndsOfTheRangesAreAllowed) {
  for (const char* setting :
       {"train.batch=1", "train.batch=65536", "model.discriminator_kernel=15", "model.generator_widths=[1, 65536]",
        "data.synthetic_channels=3", "data.synthetic_height=1024", "optimizer.beta1=0.999999", "threads=0",
        "optimizer.clip_norm=0", "model.leaky_slope=1"}) {
    EXPECT_EQ(set_error(setting), "") << setting;
  }
}

TEST(Options, ListsHaveAnEnd) {
  Options options = preset("steady");
  options.model.generator_widths.assign(32, 8);
  EXPECT_NO_THROW(validate(options));
  options.model.generator_widths.push_back(8);
  EXPECT_NE(usage_error([&] { validate(options); }), "");
}

TEST(Options, ValidateChecksOptionsMadeInCode) {
  Options options = preset("steady");
  options.train.batch = 0;
  EXPECT_EQ(usage_error([&] { validate(options); }), "train.batch = 0 must be an integer from 1 to 65536");
  options.train.batch = 64;
  options.loss.r1 = std::nan("");
  EXPECT_EQ(usage_error([&] { validate(options); }),
            "loss.r1 = nan must be a number from 0 to 1000000, or a schedule of such numbers");
}

TEST(Options, AnEpochOfTheSyntheticSetHasAStep) {
  EXPECT_EQ(usage_error([] {
              resolve_options("", "", settings({"data.source=synthetic", "data.synthetic_count=32"}));
            }),
            "train.batch = 64 is more than data.synthetic_count = 32, so an epoch would have no step; give "
            "train.steps or a smaller batch");
  EXPECT_NO_THROW(
      resolve_options("", "", settings({"data.source=synthetic", "data.synthetic_count=32", "train.steps=1"})));
}

TEST(Options, APathThatIsNotUtf8IsRefused) {
  EXPECT_EQ(set_error("data.source=/shoes\xff"),
            "data.source = \"/shoes\xff\" is not UTF-8, so config.toml could not hold it; rename the folder");
}

TEST(Options, FilesThatCannotBeReadSaySo) {
  EXPECT_EQ(usage_error([] { resolve_options("", "no/such.toml", {}); }),
            "no/such.toml: the configuration cannot be read: No such file or directory");
  const std::string folder = fs::temp_directory_path().string();
  EXPECT_EQ(usage_error([&] { resolve_options("", folder, {}); }),
            folder + ": the configuration cannot be read: Is a directory");
}

TEST(Options, TextThatIsNotTomlNamesThePlace) {
  const std::string unclosed = file_error("seed = 1\n[train\n");
  EXPECT_TRUE(unclosed.starts_with("run.toml:2:")) << unclosed;
  EXPECT_NE(unclosed.find(": this is not TOML: "), std::string::npos) << unclosed;
  const ConfigFile file("seed = \n");
  const std::string message = usage_error([&] { resolve_options("", file.path(), {}); });
  EXPECT_TRUE(message.starts_with(file.path() + ":1:")) << message;
}

}  // namespace
}  // namespace duel::test
