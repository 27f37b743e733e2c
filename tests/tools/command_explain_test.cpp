// `duel explain`: what it writes, of which networks, that maps change with the weights, and what it refuses.
#include "host/data/open_dataset.h"
#include "host/explain/explained_network.h"
#include "host/explain/grad_cam.h"
#include "host/explain/input_gradients.h"
#include "host/explain/smooth_gradients.h"
#include "host/files/csv.h"
#include "host/pictures/decode.h"
#include "host/pictures/png.h"
#include "host/recipes/registry.h"
#include "tests/support/photographs.h"
#include "tests/support/small_run.h"
#include "tests/tools/command.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace duel::test {
namespace {

using Json = nlohmann::json;

constexpr int kHeight = 10, kWidth = 8;
const std::string kDrawn =
    "--data synthetic --threads 2 --batch 16 --set data.synthetic_count=256 --set data.synthetic_height=10 "
    "--set data.synthetic_width=8 ";
const std::string kTrainClassifier =
    "train --preset classify --out run --set model.filters=4 --set model.stages=2 --set optimizer.learning_rate=1e-2 " +
    kDrawn;

Options::Data synthetic_options() {
  Options::Data options;
  options.source = "synthetic";
  options.synthetic_count = 256;
  options.synthetic_height = kHeight;
  options.synthetic_width = kWidth;
  return options;
}

// The first rows of the data as PNG files in the test's folder, "0.png" and so on.
void write_pictures(const TemporaryFolder& folder, int count) {
  const Data data = open_dataset(synthetic_options());
  for (int row = 0; row < count; ++row) {
    Picture picture{kHeight, kWidth, 1, std::vector<std::uint8_t>(std::size_t{kHeight} * kWidth)};
    main_source(data).read(row, 0, reinterpret_cast<std::byte*>(picture.pixels.data()));
    write_png(folder / fmt::format("{}.png", row), picture);
  }
}

std::vector<double> ranks_of(std::span<const float> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    ranks[order[i]] = static_cast<double>(i);
  }
  return ranks;
}

// Spearman's coefficient, the mean over maps of `size` numbers.
double rank_correlation(const std::vector<float>& a, const std::vector<float>& b, std::size_t size) {
  double sum = 0;
  for (std::size_t first = 0; first < a.size(); first += size) {
    const std::vector<double> x = ranks_of(std::span(a).subspan(first, size)),
                              y = ranks_of(std::span(b).subspan(first, size));
    const double middle = (static_cast<double>(size) - 1) / 2;
    double xy = 0, xx = 0;
    for (std::size_t i = 0; i < size; ++i) {
      xy += (x[i] - middle) * (y[i] - middle);
      xx += (x[i] - middle) * (x[i] - middle);
    }
    sum += xy / xx;
  }
  return sum / (static_cast<double>(a.size()) / static_cast<double>(size));
}

// The weights of a network whose names begin so, in another order each.
void shuffle(Context& context, const Parameters& parameters, const std::string& begin) {
  std::mt19937_64 random(3);
  for (const Parameter& parameter : parameters.list()) {
    if (parameter.name.starts_with(begin)) {
      const View view = parameters.view(Parameters::Block::master, parameter);
      std::vector<float> values = download<float>(context, view);
      std::shuffle(values.begin(), values.end(), random);
      upload<float>(context, view, values);
    }
  }
}

TEST_F(Command, AClassifierIsExplainedByEveryMethod) {
  if (!can_decode_photographs()) {
    GTEST_SKIP() << "this build has no libvips, which draws the sheets";
  }
  ASSERT_EQ(duel(kTrainClassifier + "--steps 70 --set train.evaluate_every=0").exit_code, 0);
  write_pictures(folder_, 6);
  const Outcome said = duel(
      "explain --run run 0.png 1.png 2.png 3.png 4.png 5.png --out why --units --curves 12 --samples 8 --points 400");
  ASSERT_EQ(said.exit_code, 0) << said.output;
  for (const char* part : {"why: 6 pictures by the classifier of step 70", "Input gradients show", "over 8 copies",
                           "Grad-CAM shows", "above that of a black picture", "completeness gap", "units: 8 channels",
                           "12 of the 32 pictures held out of synthetic"}) {
    EXPECT_NE(said.output.find(part), std::string::npos) << part << "\n" << said.output;
  }
  EXPECT_EQ(
      names_in(folder_ / "why"),
      (std::vector<std::string>{"001_0.png", "002_1.png", "003_2.png", "004_3.png", "005_4.png", "006_5.png",
                                "curves.png", "explanations.csv", "explanations.json", "units.csv", "units.png"}));
  // Five panels of 208 pixels beside one another.
  EXPECT_GT(read_png(folder_ / "why/001_0.png").width, 5 * 208);

  const Json json = Json::parse(read_file(folder_ / "why/explanations.json"));
  const Json called = Json::parse(duel("classify --run run --json 0.png 1.png 2.png 3.png 4.png 5.png").output);
  ASSERT_EQ(json["pictures"].size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    const Json& picture = json["pictures"][i];
    EXPECT_EQ(picture["explained"], called["pictures"][i]["class"]);
    EXPECT_NEAR(picture["probability"].get<double>(), called["pictures"][i]["probability"].get<double>(), 1e-5);
    EXPECT_LT(std::abs(picture["completeness"]["gap"].get<double>()), 0.02) << i << " " << picture["completeness"];
    for (const char* method : {"gradient", "smooth-grad", "grad-cam", "integrated"}) {
      EXPECT_GE(picture["maps"][method]["top_tenth"].get<double>(), 0.1) << method;
    }
  }
  EXPECT_EQ(json["map"], (Json{5, 4, 8}));
  ASSERT_EQ(json["units"].size(), 8U);
  EXPECT_EQ(json["units"][0]["strongest"].size(), 6U);
  ASSERT_EQ(json["curves"]["maps"].size(), 5U);
  for (const auto& [name, curves] : json["curves"]["maps"].items()) {
    // Both begin or end with the whole picture, in other places of a batch, where sums may round otherwise.
    EXPECT_NEAR(curves["deletion"][0].get<double>(), curves["insertion"][20].get<double>(), 1e-6) << name;
    EXPECT_DOUBLE_EQ(curves["deletion"][0].get<double>(),
                     json["curves"]["maps"]["random"]["deletion"][0].get<double>());
  }
  EXPECT_EQ(read_csv_table(folder_ / "why/explanations.csv").rows.size(), 24U);
  EXPECT_EQ(read_csv_table(folder_ / "why/units.csv").rows.size(), 8U);

  // The same bytes again, and a class of one's own.
  ASSERT_EQ(duel("explain --run run 0.png --out again --samples 8 --points 400").exit_code, 0);
  EXPECT_EQ(read_file(folder_ / "again/001_0.png"), read_file(folder_ / "why/001_0.png"));
  const Outcome of_bottle = duel("explain --run run 0.png --out again --class bottle --methods integrated --json");
  ASSERT_EQ(of_bottle.exit_code, 0) << of_bottle.output;
  const Json bottle = Json::parse(of_bottle.output)["pictures"][0];
  EXPECT_EQ(bottle["explained"], "Bottle");
  EXPECT_EQ(bottle["maps"].size(), 1U);

  expect_outcome(duel("explain --run run 0.png --out x --class botle"), 2, "did you mean Bottle?");
  expect_outcome(duel("explain --run run 0.png --out x --class bottle,shoe"), 2, "names 2 classes");
  expect_outcome(duel("explain --run run 0.png --out x --network generator"), 2, "it has: classifier");
  expect_outcome(duel("explain --run run 0.png --out x --methods gradient,lime"), 2, "lime is none of gradient");
  expect_outcome(duel("explain --run run 0.png --out x --baseline white"), 2, "must be black, grey or blurred");
  expect_outcome(duel("explain --run run 0.png --out x --points 0"), 2, "--points");
  expect_outcome(duel("explain --run run --out x"), 2, "nothing says which pictures");
  expect_outcome(duel("explain --run run --out x --units --curves 3"), 2, "--units: are of pictures");
  expect_outcome(duel("explain --run run missing.png --out x"), 3, "missing.png");
  expect_outcome(duel("explain --run run 0.png --out 0.png"), 2, "is a file; name a folder");
  expect_outcome(duel("explain --run run 0.png --out 0.png/x"), 3, "0.png/x");
  write_png(folder_ / "large.png", {12, 9, 3, std::vector<std::uint8_t>(12 * 9 * 3)});
  expect_outcome(duel("explain --run run large.png --out x"), 3, "the network takes 10x8 with 1");
  expect_outcome(duel("explain --run run large.png 0.png --out x"), 3, "x: 1 picture by the classifier");
}

TEST_F(Command, TagsOfPhotographsOfAnySizeAreExplained) {
  if (!can_decode_photographs()) {
    GTEST_SKIP() << "this build has no libvips";
  }
  std::string table = "file,kind,place\n";
  std::filesystem::create_directories(folder_ / "shop");
  for (int i = 0; i < 24; ++i) {
    write_png(folder_ / fmt::format("shop/{}.png", i), drawn_picture(i));
    table += fmt::format("{}.png,{},{}\n", i, i % 2 == 0 ? "cup" : "lamp", i < 12 ? "upper" : "lower");
  }
  write_file(folder_ / "shop/labels.csv", table);
  ASSERT_EQ(duel("train --preset classify --data shop --size 16x16 --threads 2 --batch 8 --out run --steps 3 "
                 "--set data.target=attributes --set model.filters=4 --set model.blocks=1 --set model.stages=2")
                .exit_code,
            0);
  write_png(folder_ / "wide, new.v2.png", drawn_picture(5, 40, 90));
  const std::string options = " --out why --samples 4 --points 8 --json";
  const Outcome said = duel("explain --run run 'wide, new.v2.png'" + options);
  ASSERT_EQ(said.exit_code, 0) << said.output;
  const Json picture = Json::parse(said.output)["pictures"][0];
  EXPECT_EQ(picture["sheet"], "001_wide__new_v2.png");
  EXPECT_TRUE(std::filesystem::exists(folder_ / "why/001_wide__new_v2.png"));
  const Json called = Json::parse(duel("classify --run run 'wide, new.v2.png' --json").output)["pictures"][0];
  double greatest = 0;
  std::size_t place = 0;  // of the tag
  for (const auto& [tag, probability] : picture["probabilities"].items()) {
    EXPECT_NEAR(probability.get<double>(), called["probabilities"][place].get<double>(), 1e-5) << tag;
    greatest = std::max(greatest, probability.get<double>());
    ++place;
  }
  EXPECT_EQ(picture["probability"].get<double>(), greatest);
  // Names that are no UTF-8 or cannot be printed are drawn as far as they can be.
  std::filesystem::copy_file(folder_ / "shop/3.png", folder_ / "caf\xe9 \x01 <&>.png");
  expect_outcome(duel("explain --run run 'caf\xe9 \x01 <&>.png' --out odd --samples 2 --points 2"), 0,
                 "completeness gap");
  EXPECT_TRUE(std::filesystem::exists(folder_ / "odd/001_caf_______.png")) << names_in(folder_ / "odd")[0];

  const Json of_lamp = Json::parse(duel("explain --run run shop/3.png --class kind=lamp" + options).output);
  EXPECT_EQ(of_lamp["pictures"][0]["explained"], "kind=lamp");
  expect_outcome(duel("explain --run run shop --curves 2 --out why"), 2, "tells tags");
}

// Adebayo et al., "Sanity checks for saliency maps", 2018: a map that does not change with the weights explains none.
TEST_F(Command, MapsChangeWhenWeightsAreShuffled) {
  ASSERT_EQ(duel(kTrainClassifier + "--steps 70 --set train.evaluate_every=0").exit_code, 0);
  ExplainRequest request;
  request.run = (folder_ / "run").string();
  request.where.device = "cpu";
  request.where.threads = 2;
  Context context = Context::cpu(2);
  const ExplainedNetwork its = load_explained(request, context);
  const AnsweringNetwork network(context, its.loaded->model(), its.block, Derivatives::taken);

  constexpr std::size_t kCount = 32, kSize = std::size_t{kHeight} * kWidth;
  const Data data = open_dataset(synthetic_options());
  std::vector<float> pictures;
  std::vector<Question> asked;
  for (std::size_t row = 0; row < kCount; ++row) {
    std::array<std::uint8_t, kSize> pixels{};
    main_source(data).read(static_cast<std::int64_t>(row), 0, reinterpret_cast<std::byte*>(pixels.data()));
    for (const std::uint8_t pixel : pixels) {
      pictures.push_back(static_cast<float>(pixel) / 127.5F - 1);
    }
    asked.push_back({static_cast<int>(row % its.names.size()), 0});
  }
  const Questions questions{pictures, asked};
  struct Found {
    std::vector<float> gradients, smooth, map;
  };
  const auto find = [&] {
    return Found{input_gradients(context, network, questions),
                 smooth_gradients(context, network, questions, {8, 0.15, 0}), grad_cam(context, network, questions)};
  };
  const std::size_t places = static_cast<std::size_t>(network.map()[1]) * static_cast<std::size_t>(network.map()[2]);
  const auto alike = [&](const Found& a, const Found& b) {
    return std::array{rank_correlation(a.gradients, b.gradients, kSize), rank_correlation(a.smooth, b.smooth, kSize),
                      rank_correlation(a.map, b.map, places)};
  };
  const Found trained = find();
  for (const double same : alike(trained, find())) {
    EXPECT_DOUBLE_EQ(same, 1);
  }
  const Parameters& parameters = its.loaded->networks.parameters("classifier");
  shuffle(context, parameters, "last/");
  const auto last = alike(trained, find());
  shuffle(context, parameters, "");
  const auto all = alike(trained, find());
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_LT(last[i], 0.5) << i;
    EXPECT_LT(std::abs(all[i]), 0.35) << i;
  }
}

TEST_F(Command, ADiscriminatorIsExplainedAsTheClassThatItIsTold) {
  if (!can_decode_photographs()) {
    GTEST_SKIP() << "this build has no libvips, which draws the sheets";
  }
  write_pictures(folder_, 2);
  ASSERT_EQ(duel("train --preset steady --out by_class --steps 3 --set data.labels=true --set "
                 "model.generator_widths=[16] --set model.discriminator_channels=[4] --set "
                 "model.discriminator_widths=[8] " +
                 kDrawn)
                .exit_code,
            0);
  expect_outcome(duel("explain --run by_class 0.png --out why"), 2, "--class says of which");
  expect_outcome(duel("explain --run by_class 0.png --out why --class bottle --curves 4"), 2, "--curves");
  const Outcome said = duel("explain --run by_class 0.png 1.png --out why --class bottle --samples 4");
  expect_outcome(said, 0, "by the discriminator of step 3");
  expect_outcome(said, 0, "as Bottle");
  const Json json = Json::parse(read_file(folder_ / "why/explanations.json"));
  EXPECT_EQ(json["told"], "Bottle");
  EXPECT_EQ(json["pictures"][0]["explained"], "real");
  EXPECT_FALSE(json["pictures"][0].contains("probability"));
  EXPECT_EQ(json["map"], (Json{kHeight, kWidth, 4}));
  // Told another class it answers otherwise.
  ASSERT_EQ(duel("explain --run by_class 0.png --out other --class plate --samples 4 --methods gradient").exit_code, 0);
  const Json other = Json::parse(read_file(folder_ / "other/explanations.json"));
  EXPECT_NE(other["pictures"][0]["logit"], json["pictures"][0]["logit"]);

  ASSERT_EQ(train("--steps 2 --set model.discriminator_channels=[]").exit_code, 0);  // dense layers alone
  expect_outcome(duel("explain --run run 0.png --out flat --samples 4"), 0, "Integrated gradients share out");
  EXPECT_FALSE(Json::parse(read_file(folder_ / "flat/explanations.json"))["pictures"][0]["maps"].contains("grad-cam"));
  expect_outcome(duel("explain --run run 0.png --out flat --methods grad-cam"), 2, "has no map");
  expect_outcome(duel("explain --run run 0.png --out flat --units"), 2, "has no map");
  expect_outcome(duel("explain --run run 0.png --out flat --class bottle"), 2, "without classes");

  ASSERT_EQ(duel("train --preset vae --out vae --steps 2 --set data.synthetic_width=12 --set model.filters=3 "
                 "--data synthetic --batch 8 --set data.synthetic_count=64 --set data.synthetic_height=8")
                .exit_code,
            0);
  expect_outcome(duel("explain --run vae 0.png --out why"), 2, "trains no classifier and no discriminator");
}

TEST(ExplainedNetworks, OfEveryPresetTheLastMapIsFound) {
  for (const std::string name : {"steady", "classic", "conv-steady", "dcgan", "sagan", "residual", "classify"}) {
    Options options = small_options(name);
    options.data.synthetic_height = options.data.synthetic_width = 16;
    options.model.filters = 8;
    options.model.widths = {16, 16};
    Fields fields;
    const Data data = small_dataset(options);
    for (const auto& [source, rows] : data) {
      fields[source] = rows->fields();
    }
    const std::unique_ptr<Recipe> recipe = make_recipe(options, fields, 40);
    const std::map<std::string, Sampling> networks = recipe->answering_networks();
    ASSERT_EQ(networks.size(), 1U) << name;
    Sampling sampling = networks.begin()->second;
    sampling.inputs[0].dtype = DType::f32;
    Context context = Context::cpu(1);
    const Networks all(recipe->make_networks());
    all.parameters(networks.begin()->first).allocate(context, sampling_blocks(all.at(networks.begin()->first)));
    const StateMemory state(context,
                            record_sampling(sampling, all, {1, Parameters::Block::master, std::nullopt}).state);
    Storage storage;
    all.add_to(storage);
    state.add_to(storage);
    const AnsweringNetwork network(context, {sampling, all, storage}, Parameters::Block::master, Derivatives::taken);
    const Shape& map = network.map();
    ASSERT_EQ(map.rank(), 4) << name;
    const bool is_halved = name != "steady" && name != "classic";
    EXPECT_EQ(map[1], is_halved ? (name == "residual" ? 8 : 4) : 16) << name;
    EXPECT_GT(map[3], 1) << name;
  }
}

}  // namespace
}  // namespace duel::test
