// Options: what wins over what, and that config.toml reads back as it was.
#include "host/config/degradation.h"
#include "host/config/option_keys.h"
#include "tests/host/options_helpers.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace duel::test {
namespace {

void expect_same(const Options& a, const Options& b) {
  for (const OptionKey& key : option_keys()) {
    std::visit([&](const auto& kind) { EXPECT_EQ(kind.field.get(a), kind.field.get(b)) << key.name; }, key.kind);
  }
}

TEST(Options, ClassicIsTheOriginalGame) {
  const Options options = preset("classic");
  EXPECT_EQ(options.preset, "classic");
  EXPECT_EQ(options.seed, 0u);
  EXPECT_EQ(options.precision, "fp32");
  EXPECT_EQ(options.model.latent, 100);
  EXPECT_EQ(options.model.generator_widths, (std::vector<int>{128, 256, 512, 1024}));
  EXPECT_EQ(options.model.generator_activation, "relu");
  EXPECT_EQ(options.model.discriminator_channels, (std::vector<int>{32, 64}));
  EXPECT_EQ(options.model.discriminator_kernel, 3);
  EXPECT_EQ(options.model.discriminator_widths, (std::vector<int>{128}));
  EXPECT_EQ(options.model.discriminator_activation, "relu");
  EXPECT_EQ(options.loss.kind, "bce");
  EXPECT_EQ(options.loss.r1, 0);
  EXPECT_EQ(options.loss.r2, 0);
  EXPECT_EQ(options.loss.gradient_penalty, 0);
  EXPECT_EQ(options.optimizer.generator_learning_rate, 1e-4);
  EXPECT_EQ(options.optimizer.discriminator_learning_rate, 1e-4);
  EXPECT_EQ(options.optimizer.beta1, 0.9);
  EXPECT_EQ(options.optimizer.beta2, 0.999);
  EXPECT_EQ(options.optimizer.epsilon, 1e-7);
  EXPECT_EQ(options.optimizer.clip_norm, 0);
  EXPECT_EQ(options.train.batch, 64);
  EXPECT_EQ(options.train.epochs, 100);
  EXPECT_EQ(options.train.steps, 0);
}

TEST(Options, SteadyDiffersFromClassicInTheseKeysOnly) {
  const Options options = preset("steady");
  EXPECT_EQ(options.preset, "steady");
  EXPECT_EQ(options.model.discriminator_activation, "leaky_relu");
  EXPECT_EQ(options.model.leaky_slope, 0.2);
  EXPECT_EQ(options.loss.kind, "relativistic");
  EXPECT_EQ(options.loss.r1, 0.5);
  EXPECT_EQ(options.loss.r2, 0.5);
  EXPECT_EQ(options.optimizer.generator_learning_rate, 5e-4);
  EXPECT_EQ(options.optimizer.discriminator_learning_rate, 5e-4);
  EXPECT_EQ(options.optimizer.beta1, 0);
  EXPECT_EQ(options.optimizer.beta2, 0.99);
  EXPECT_EQ(options.optimizer.epsilon, 1e-7);
  EXPECT_EQ(options.optimizer.ema_decay, 0.99);

  const Options classic = preset("classic");
  std::set<std::string> differing;
  for (const OptionKey& key : option_keys()) {
    if (value_text(key, options) != value_text(key, classic)) {
      differing.emplace(key.name);
    }
  }
  EXPECT_EQ(differing,
            (std::set<std::string>{"preset", "model.discriminator_activation", "loss.kind", "loss.r1", "loss.r2",
                                   "optimizer.generator_learning_rate", "optimizer.discriminator_learning_rate",
                                   "optimizer.beta1", "optimizer.beta2"}));
}

TEST(Options, EveryPresetIsValid) {
  for (const std::string_view name : preset_names()) {
    EXPECT_NO_THROW(validate(preset(name))) << name;
  }
}

TEST(Options, UnknownPresetNamesThoseThereAre) {
  const std::string known = allowed_values(*find_option_key("preset"));
  EXPECT_NE(known.find("classic, "), std::string::npos) << known;
  EXPECT_EQ(usage_error([] { preset("stedy"); }), "preset = \"stedy\" must be " + known);
  EXPECT_EQ(file_error("preset = 'stedy'"), "run.toml:1:10: preset = \"stedy\" must be " + known);
  EXPECT_EQ(file_error("preset = 3"), "run.toml:1:10: preset = 3 must be " + known);
}

// A member without a row could be neither set nor written. A new member stops this from compiling: give it a row, and
// a name below.
TEST(Options, EveryMemberHasAKey) {
  const Options options;
  std::size_t members = 0;
  const auto count = [&](const auto&... member) { members += sizeof...(member); };
  {
    const auto& [name, recipe, seed, precision, device, threads, kernels, data, model, loss, perceptual, optimizer,
                 train, evaluate, augment, schedule, output] = options;
    count(name, recipe, seed, precision, device, threads, kernels);
    static_cast<void>(std::tie(data, model, loss, perceptual, optimizer, train, evaluate, augment, schedule, output));
  }
  {
    const auto& [source, labels, number, height, width, channels, size, fit, background, alpha, colour, held_out,
                 target, degrade, pairs, crop, into] = options.data;
    count(source, labels, number, height, width, channels, size, fit, background, alpha, colour, held_out, target);
    count(degrade, pairs, crop, into);
  }
  {
    const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v] = options.model;
    count(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v);
  }
  {
    const auto& [shift, flip, turn, policy, probability, adaptive, target] = options.augment;
    count(shift, flip, turn, policy, probability, adaptive, target);
  }
  {
    const auto& [residency, launch, steps, lanes, memory] = options.schedule;
    count(residency, launch, steps, lanes, memory);
  }
  {
    const auto& [kind, r1, r2, penalty, every, smoothing, restoration, weight, adversary, cycle, contrast, identity,
                 places, temperature] = options.loss;
    count(kind, r1, r2, penalty, every, smoothing, restoration, weight, adversary, cycle, contrast, identity, places,
          temperature);
  }
  {
    const auto& [run, weight, channels, classes, filters, blocks, stages, stem_stride] = options.perceptual;
    count(run, weight, channels, classes, filters, blocks, stages, stem_stride);
  }
  {
    const auto& [a, b, c, d, e, f, g, h, i, j] = options.optimizer;
    count(a, b, c, d, e, f, g, h, i, j);
  }
  {
    const auto& [batch, epochs, steps, evaluate, on_nonfinite] = options.train;
    count(batch, epochs, steps, evaluate, on_nonfinite);
  }
  {
    const auto& [every, extractor, most, keep_best, stop_when, patience] = options.evaluate;
    count(every, extractor, most, keep_best, stop_when, patience);
  }
  {
    const auto& [a, b, c, d, e, f, g, h] = options.output;
    count(a, b, c, d, e, f, g, h);
  }
  EXPECT_EQ(option_keys().size(), members);

  std::set<const void*> places;
  std::set<std::string_view> names;
  for (const OptionKey& key : option_keys()) {
    places.insert(std::visit([&](const auto& kind) -> const void* { return &kind.field.get(options); }, key.kind));
    names.insert(key.name);
    EXPECT_FALSE(key.description.empty()) << key.name;
  }
  EXPECT_EQ(places.size(), members) << "two keys share a member";
  EXPECT_EQ(names.size(), members) << "two rows share a name";
}

TEST(Options, ARunKeepsWhatAllMeantWhenItBegan) {
  EXPECT_EQ(resolve_options("repair", "", {{"--degrade", "data.degrade", "all"}}).data.degrade, kAllJobs);
  EXPECT_EQ(resolve_options("repair", "", {{"--degrade", "data.degrade", "jpeg:10"}}).data.degrade, "jpeg:10");
}

TEST(Options, ConvSteadyIsTheDefaultPreset) {
  expect_same(resolve_options("", "", {}), preset("conv-steady"));
}

TEST(Options, SettingsBeatTheFileBeatsThePreset) {
  const ConfigFile file("preset = 'classic'\nseed = 5\n[train]\nbatch = 16\nepochs = 3\n");
  const Options from_file = resolve_options("", file.path(), settings({"train.epochs=7"}));
  EXPECT_EQ(from_file.preset, "classic");
  EXPECT_EQ(from_file.loss.kind, "bce");
  EXPECT_EQ(from_file.seed, 5u);
  EXPECT_EQ(from_file.train.batch, 16);
  EXPECT_EQ(from_file.train.epochs, 7);

  const Options named = resolve_options("steady", file.path(), {});
  EXPECT_EQ(named.preset, "steady");
  EXPECT_EQ(named.loss.kind, "relativistic");
  EXPECT_EQ(named.train.batch, 16);
}

TEST(Options, TheLastSettingOfAKeyHolds) {
  EXPECT_EQ(resolve_options("", "", settings({"train.batch=8", "train.batch=9"})).train.batch, 9);
}

TEST(Options, SettingsTakeNumbersListsAndWords) {
  const Options options =
      resolve_options("", "",
                      settings({"model.generator_widths=[64,128]", "model.discriminator_channels=[]", "loss.kind=hinge",
                                "precision=\"bf16\"", "device='cpu'", "train.batch=32", "train.steps=1_000_000_000_000",
                                "optimizer.beta1=0", "loss.r1=2.5e-1", "data.source=/pictures/of shoes=2"}));
  EXPECT_EQ(options.model.generator_widths, (std::vector<int>{64, 128}));
  EXPECT_TRUE(options.model.discriminator_channels.empty());
  EXPECT_EQ(options.loss.kind, "hinge");
  EXPECT_EQ(options.precision, "bf16");
  EXPECT_EQ(options.device, "cpu");
  EXPECT_EQ(options.train.batch, 32);
  EXPECT_EQ(options.train.steps, 1'000'000'000'000);
  EXPECT_EQ(options.optimizer.beta1, 0);
  EXPECT_EQ(options.loss.r1, 0.25);
  EXPECT_EQ(options.data.source, "/pictures/of shoes=2");
}

TEST(Options, ATextSettingIsTakenAsItStands) {
  for (const std::string text :
       {"2024", "true", "1979-05-27", "[shoes]", "a\\b", "new\\name", "a\"b", "~", "a'b\"", "\\u0041", " x ", "a=b"}) {
    EXPECT_EQ(resolve_options("", "", {parse_setting("data.source=/" + text)}).data.source, "/" + text);
    EXPECT_EQ(resolve_options("", "", {{"--data", "data.source", "/" + text}}).data.source, "/" + text);
    EXPECT_EQ(parse_setting("data.source=" + text).text, text);
  }
  // An option of its own never has quotes.
  EXPECT_EQ(fs::path(resolve_options("", "", {{"--data", "data.source", "'x'"}}).data.source).filename(), "'x'");
}

TEST(Options, QuotesAroundASettingAreTakenOffWhereTheyAreClear) {
  EXPECT_EQ(parse_setting("data.source=\"/a b\"").text, "/a b");
  EXPECT_EQ(parse_setting("data.source='a\\b'").text, "a\\b");
  EXPECT_EQ(parse_setting("data.source=\"").text, "\"");
  EXPECT_EQ(parse_setting("seed='5'").text, "5");
  EXPECT_EQ(
      set_error("data.source=\"new\\name\""),
      "--set: data.source = \"new\\name\" could mean two things; leave the outer quotes out, then every letter is "
      "taken as it stands");
  EXPECT_NE(set_error("data.source='it's'").find("two things"), std::string::npos);
  EXPECT_EQ(set_error("train.batch=\"5\""), "--set: train.batch = \"\\\"5\\\"\" must be an integer from 1 to 65536");
}

TEST(Options, NumbersAreDecimalEverywhere) {
  for (const std::string text :
       {"0x20", "0b1", "0o7", "1e3", "+5", " 5", "5 ", "5_", "_5", "1__0", "5.0", "5,", "٣", "-"}) {
    EXPECT_NE(set_error("train.batch=" + text), "") << text;
    EXPECT_NE(usage_error([&] { resolve_options("", "", {{"--batch", "train.batch", text}}); }), "") << text;
    if (text.find_first_of(" ,") == std::string::npos) {
      EXPECT_NE(set_error("model.generator_widths=[8," + text + "]"), "") << text;
    }
  }
  for (const char* text : {"0x20", "0b1", "0o7", "1e3", "+5"}) {
    EXPECT_NE(file_error(fmt::format("[train]\nbatch = {}\n", text)), "") << text;
    EXPECT_NE(file_error(fmt::format("[model]\n\"generator_widths\" = [8, {}]\n", text)), "") << text;
  }
  for (const std::string text : {"+0.5", "nan", "inf", "0x1p-1", "0,5", "", "1e999", " 0.5"}) {
    EXPECT_NE(usage_error([&] { resolve_options("", "", {{"--set", "loss.r1", text}}); }), "") << text;
  }
  EXPECT_NE(file_error("[loss]\nr1 = +0.5\n"), "");
  EXPECT_EQ(resolve_options("", "", settings({"train.batch=000000040"})).train.batch, 40);
  EXPECT_EQ(resolve_options("", "", {{"--batch", "train.batch", "010"}}).train.batch, 10);
  EXPECT_EQ(resolve_options("", "", settings({"model.generator_widths=[ 010 , 1_0,]"})).model.generator_widths,
            (std::vector<int>{10, 10}));
  EXPECT_EQ(resolve_options("", "", settings({"optimizer.beta1=00.5"})).optimizer.beta1, 0.5);
  EXPECT_EQ(options_from_toml("# ü\n[train] # ü\nbatch = 1_0 # ten\r\nsteps=7\n", "run.toml").train.batch, 10);
}

TEST(Options, AnOptionSpeaksOfItselfAndAKeyOfItself) {
  const auto given = [](const char* name, const char* key, const char* text) {
    return usage_error([&] { resolve_options("", "", {{name, key, text}}); });
  };
  EXPECT_EQ(given("--seed", "seed", "-1"), "--seed -1: must be an integer from 0 to 18446744073709551615");
  EXPECT_EQ(given("--seed", "seed", "5 "), "--seed \"5 \": must be an integer from 0 to 18446744073709551615");
  EXPECT_EQ(given("--precision", "precision", "fp16"), "--precision \"fp16\": must be fp32, tf32 or bf16");
  EXPECT_EQ(set_error("seed=-1"), "--set: seed = -1 must be an integer from 0 to 18446744073709551615");
  EXPECT_EQ(usage_error([] {
              auto list = settings({"data.source=synthetic", "data.synthetic_count=32"});
              list.push_back({"--batch", "train.batch", "33"});
              resolve_options("", "", list);
            }).substr(0, 50),
            "--batch 33 is more than data.synthetic_count = 32,");
}

TEST(Options, AFolderOfPicturesIsFoundFromElsewhere) {
  const fs::path here = fs::current_path();
  EXPECT_EQ(resolve_options("", "", {{"--data", "data.source", "no/such"}}).data.source, (here / "no/such").string());
  EXPECT_EQ(resolve_options("", "", {{"--data", "data.source", "synthetic"}}).data.source, "synthetic");
  // In a file: beside the file where there is such a folder, else from the current one.
  const ConfigFile file("[data]\nsource = 'duel_shoes'\n");
  EXPECT_EQ(resolve_options("", file.path(), {}).data.source, (here / "duel_shoes").string());
  const fs::path shoes = fs::path(file.path()).parent_path() / "duel_shoes";
  fs::create_directory(shoes);
  EXPECT_EQ(resolve_options("", file.path(), {}).data.source, shoes.string());
  fs::remove(shoes);
}

TEST(Options, AnEmptyFileChangesNothing) {
  const ConfigFile file("");
  expect_same(resolve_options("", file.path(), {}), preset("conv-steady"));
}

TEST(Options, RoundTripOfThePresets) {
  for (const std::string_view name : preset_names()) {
    expect_same(options_from_toml(to_toml(preset(name)), "config.toml"), preset(name));
  }
}

TEST(Options, RoundTripOfEveryKey) {
  Options options;
  options.preset = "classic";
  options.seed = 123;
  options.precision = "bf16";
  options.device = "cpu";
  options.threads = 3;
  options.kernels = "ours";
  options.schedule = {"stream", "eager", 5, 1, "ignore"};
  options.data = {"/a \"quoted\" \\ folder\tof Schuhe \u00fc \x01\x7f",
                  true,
                  999,
                  17,
                  19,
                  3,
                  "48x64",
                  "pad",
                  "fF0080",
                  "keep",
                  "colour",
                  20,
                  "attributes",
                  "noise:0-50",
                  "/pairs of \\ them",
                  96,
                  "/boots"};
  options.model = {"conv-steady", 7,         33,  3,       4,        2,   34, {},     "tanh", {5}, 9,
                   {1, 2, 3},     "sigmoid", 0.1, {8, 24}, "nafnet", {2}, 3,  {4, 5}, "unet", 48,  "instance"};
  options.loss = {"wgan", 1.0 / 3, 2e5, 10.0, 16, 0.7, "psnr", 100, 0.25, 9.0, 0.25, 0.75, 100, 0.5};
  options.perceptual = {"/kinds", 0.7, 3, 12, 20, 2, 5, 2};
  options.optimizer = {0.25, 1e-5, 3.0000000000000004e-4, 0.1, 0.9999999999999999, 1e-20, 0.30000000000000004, 5e-324,
                       0.01, 5};
  options.train = {11, 13, 999'999'999'999, 14, "rollback"};
  options.evaluate = {25, "pixels", 26, "kid", "plateau", 27};
  options.augment = {15, true, true, "full", 0.2, true, 0.1};
  options.output = {1, 2, 3, 4, 5, 6, 7, 9};
  const Options base = preset("classic");
  for (const OptionKey& key : option_keys()) {
    EXPECT_TRUE(key.name == "preset" || key.name == "recipe" || value_text(key, options) != value_text(key, base))
        << key.name << " has its default value, so this test would not see it lost";
  }
  expect_same(options_from_toml(to_toml(options), "config.toml"), options);
  const ConfigFile file(to_toml(options));
  expect_same(resolve_options("", file.path(), {}), options);
}

TEST(Options, RoundTripOfGreatSeeds) {
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;
  for (const std::uint64_t seed : {std::uint64_t{0}, kHalf - 1, kHalf, std::numeric_limits<std::uint64_t>::max()}) {
    Options options = preset("steady");
    options.seed = seed;
    EXPECT_EQ(options_from_toml(to_toml(options), "config.toml").seed, seed);
    EXPECT_EQ(resolve_options("", "", {parse_setting(fmt::format("seed={}", seed))}).seed, seed);
  }
  EXPECT_NE(
      to_toml(resolve_options("", "", settings({"seed=9223372036854775808"}))).find("seed = \"9223372036854775808\"\n"),
      std::string::npos);
}

TEST(Options, TomlNamesEveryKeyInItsTable) {
  const std::string text = to_toml(preset("steady"));
  for (const char* part : {"\nseed = 0\n", "\n[train]\nbatch = 64\n", "\nr1 = 0.5\n", "\nbeta1 = 0.0\n",
                           "\ngenerator_widths = [128, 256, 512, 1024]\n", "\nepsilon = 1e-07\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << text;
  }
}

TEST(Options, HelpNamesEveryKeyItsRangeAndDefault) {
  const std::string text = describe_option_keys();
  for (const OptionKey& key : option_keys()) {
    EXPECT_NE(text.find(fmt::format("{} = ", key.name)), std::string::npos) << key.name;
  }
  EXPECT_NE(text.find("train.batch = 64\n    pictures in a step\n    an integer from 1 to 65536\n"), std::string::npos);
  EXPECT_NE(text.find("loss.kind = \"relativistic\"\n"), std::string::npos);
}

}  // namespace
}  // namespace duel::test
