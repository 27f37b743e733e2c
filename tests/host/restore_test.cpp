// The recipe that restores pictures: what it is trained on, that it learns and resumes, what it leaves alone, how it is
// measured, what it refuses.
#include "host/recipes/restore.h"

#include "engine/nn/fill_holes.h"
#include "host/data/input_source.h"
#include "host/data/restoration_scores.h"
#include "host/evaluate/restoration.h"
#include "host/files/atomic_file.h"
#include "host/pictures/png.h"
#include "host/pictures/sample_grid.h"
#include "host/recipes/restore_networks.h"
#include "host/train/comparisons.h"
#include "host/train/trainer.h"
#include "host/train/training_plan.h"
#include "host/train/training_run.h"
#include "tests/support/small_program.h"
#include "tests/support/small_run.h"
#include "tests/support/source_rows.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/training.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace duel::test {
namespace {

Options restore_options(const std::string& preset_name, const std::string& degrade) {
  Options options = small_options(preset_name);
  options.data.synthetic_count = 24;
  options.data.synthetic_height = 24;
  options.data.synthetic_width = 16;
  options.data.synthetic_channels = 3;
  options.data.size = "auto";
  options.data.degrade = degrade;
  options.data.crop = 8;
  options.model.filters = 6;
  options.model.blocks = 1;
  options.model.encoder_blocks = {1, 1};
  options.model.middle_blocks = 1;
  options.model.decoder_blocks = {1, 1};
  options.train.batch = 4;
  options.train.steps = 6;
  options.optimizer.learning_rate = 1e-3;
  return options;
}

TEST(Restore, ResumesByteForByteWithWhatIsDrawnInEachStep) {
  for (const char* degrade : {"noise:5-50", "strokes", "noise:5-50,blur:1,hole:3"}) {
    expect_resumed_byte_for_byte<Training>(restore_options("repair", degrade), 2, degrade);
  }
}

TEST(Restore, StreamedRowsTrainAsResidentOnesDo) {
  expect_streamed_alike<Training>(restore_options("enlarge", "x2"));
  expect_streamed_alike<Training>(restore_options("repair", "noise:25,blur:1,strokes"));
}

TEST(Restore, LearnsToEnlarge) {
  Options options = restore_options("enlarge", "x2");
  options.data.synthetic_count = options.train.batch;  // the same pictures in each step
  options.data.crop = 0;
  options.augment.flip = options.augment.turn = false;
  options.train.steps = 150;
  options.optimizer.learning_rate = 3e-3;
  for (const char* kind : {"l1", "psnr"}) {
    options.loss.restoration = kind;
    Training training(options);
    training.train(1);
    const double loss = training.metric("loss"), psnr = training.metric("psnr");
    training.train(149);
    EXPECT_LT(training.metric("loss"), loss - (std::string(kind) == "l1" ? 0.1 * loss : 1.0)) << kind;
    EXPECT_GT(training.metric("psnr"), psnr + 0.5) << kind;
  }
}

// A network that leaves its input as it is measures what is drawn.
TEST(Restore, NoiseThatIsDrawnInAStepIsThatOfHeldOutRows) {
  Options options = restore_options("repair", "noise:25");
  options.data.crop = 0;
  options.augment.turn = false;
  Training training(options);
  const Parameters& parameters = training.trainer.networks().parameters(kRestorer);
  for (const Parameter& each : parameters.list()) {
    if (each.name.starts_with("last/")) {
      upload<float>(training.context, parameters.view(Parameters::Block::master, each),
                    std::vector<float>(static_cast<std::size_t>(each.shape.count())));
    }
  }
  training.train(1);
  const Source& main = main_source(training.data);
  double given = 0;
  for (std::int64_t row = 0; row < main.count(); ++row) {
    Picture input{24, 16, 3, std::vector<std::uint8_t>(24 * 16 * 3)};
    main.read(row, field_index(main, "input"), reinterpret_cast<std::byte*>(input.pixels.data()));
    given += score_picture(main, row, input).psnr / static_cast<double>(main.count());
  }
  EXPECT_NEAR(training.metric("psnr"), given, 0.6);  // of 4 pictures beside 24
  EXPECT_NEAR(training.metric("loss"), -training.metric("psnr"), 1e-4);
}

// What is missing of a picture with opacity as the network begins with it.
Picture begun(const Picture& given) {
  SmallProgram s;
  const Shape shape = {1, given.height, given.width, 3};
  const Value x = s.input(shape), known = s.input(shape);
  for (int i = 0; i < shape.count(); ++i) {
    s.data(0)[i] = static_cast<float>(given.pixels[i / 3 * 4 + i % 3]) / 127.5F - 1;
    s.data(1)[i] = given.pixels[i / 3 * 4 + 3] == 255 ? 1.0F : 0.0F;
  }
  const Value made = fill_holes(s.program, x, known);
  s.program.keep(made);
  s.finish();
  s.run();
  return to_picture(s.read(made), given.height, given.width, 3);
}

// A network that leaves its input as it is measures what the drawn jobs make, as rows that are held out have it.
TEST(Restore, PicturesOfAStepAreSpoiltByAllOfSeveral) {
  Options options = restore_options("repair", "noise:20,blur:1.6,strokes");
  options.data.crop = 0;
  options.augment.turn = options.augment.flip = false;
  options.train.batch = 24;
  Training training(options);
  const Networks& networks = training.trainer.networks();
  for (const Parameter& each : networks.parameters(kRestorer).list()) {
    if (each.name.starts_with("last/")) {
      upload<float>(training.context, networks.parameters(kRestorer).view(Parameters::Block::master, each),
                    std::vector<float>(static_cast<std::size_t>(each.shape.count())));
    }
  }
  training.train(1);
  const Source& main = main_source(training.data);
  double given = 0;
  for (std::int64_t row = 0; row < main.count(); ++row) {
    Picture input{24, 16, 4, std::vector<std::uint8_t>(24 * 16 * 4)};
    main.read(row, field_index(main, "input"), reinterpret_cast<std::byte*>(input.pixels.data()));
    given += score_picture(main, row, begun(input)).psnr / static_cast<double>(main.count());
  }
  EXPECT_NEAR(training.metric("psnr"), given, 2.0);  // other jobs, another noise, other holes
}

// Where the row's job leaves a hole; elsewhere, of several, all pixels are made anew.
void expect_known_pixels_back(const char* degrade) {
  Training training(restore_options("repair", degrade));
  training.train(4);
  const Source& main = main_source(training.data);
  const Sampling sampling = *training.trainer.recipe().translation();
  RowSampler sampler(training.context, {sampling, training.trainer.networks(), training.trainer.memory().storage()},
                     Parameters::Block::average);
  std::vector<std::byte> truth(field_named(main, "picture").row_bytes());
  std::set<int> in_the_hole;
  int changed = 0, rows_without = 0;
  for (std::int64_t row = 0; row < 4; ++row) {
    std::vector<std::vector<std::byte>> inputs;
    for (const Field& field : sampling.inputs) {
      inputs.emplace_back(field.row_bytes());
      main.read(row, field_index(main, field.name), inputs.back().data());
    }
    main.read(row, field_index(main, "picture"), truth.data());
    const std::vector<std::span<const std::byte>> rows(inputs.begin(), inputs.end());
    const Picture made = to_picture(sampler.run(training.context, rows)[0], 24, 16, 3);
    const bool has_hole = inputs.size() == 1 || inputs[1].front() == std::byte{1};  // the second job
    rows_without += has_hole ? 0 : 1;
    for (std::size_t i = 0; i < made.pixels.size(); ++i) {
      const bool is_known = inputs[0][i / 3 * 4 + 3] == std::byte{255};
      EXPECT_TRUE(is_known || has_hole);
      if (has_hole && is_known) {
        EXPECT_EQ(made.pixels[i], std::to_integer<int>(truth[i])) << degrade;
      } else if (has_hole) {
        in_the_hole.insert(made.pixels[i]);
      } else {
        changed += made.pixels[i] != std::to_integer<int>(inputs[0][i / 3 * 4 + i % 3]) ? 1 : 0;
      }
    }
  }
  EXPECT_GT(in_the_hole.size(), 1U);
  EXPECT_TRUE(rows_without == 0 || changed > 24 * 16) << degrade << " " << changed;
}

TEST(Restore, KnownPixelsComeBackAsTheyWere) {
  for (const char* degrade : {"hole:5", "blur:1,hole:5"}) {
    expect_known_pixels_back(degrade);
  }
}

TEST(Restore, GreyBecomesColourAndKeepsItsLuma) {
  Training training(restore_options("repair", "grey"));
  training.train(3);
  EXPECT_TRUE(std::isfinite(training.metric("loss")));
  const Source& main = main_source(training.data);
  const Sampling sampling = *training.trainer.recipe().translation();
  RowSampler sampler(training.context, {sampling, training.trainer.networks(), training.trainer.memory().storage()},
                     Parameters::Block::master);
  std::vector<std::byte> grey(sampling.inputs[0].row_bytes());
  main.read(0, field_index(main, sampling.inputs[0].name), grey.data());
  const std::vector<float> made =
      sampler.run(training.context, std::vector<std::span<const std::byte>>{std::span<const std::byte>(grey)})[0];
  float colourful = 0;
  for (std::size_t i = 0; i < grey.size(); ++i) {
    const float* pixel = &made[3 * i];
    const float luma = 0.299F * pixel[0] + 0.587F * pixel[1] + 0.114F * pixel[2];
    EXPECT_NEAR(luma, static_cast<float>(grey[i]) / 127.5F - 1, 1e-5F);
    colourful = std::max(colourful, std::abs(pixel[0] - pixel[2]));
  }
  EXPECT_GT(colourful, 1e-3F);
  // The truth is as colourful as it is, and grey is not.
  std::vector<PictureScore> of_truth;
  for (std::int64_t row = 0; row < main.count(); ++row) {
    Picture truth{24, 16, 3, std::vector<std::uint8_t>(24 * 16 * 3)};
    main.read(row, field_index(main, "picture"), std::as_writable_bytes(std::span(truth.pixels)).data());
    of_truth.push_back(score_picture(main, row, truth));
  }
  const RestorationScores scores = restoration_scores(main, of_truth, 2);
  EXPECT_NEAR(scores.colour_share(scores.made), 1, 1e-6);
  EXPECT_EQ(scores.colour_share(scores.given), 0);
  EXPECT_NE(to_text(scores).find(", 100 % as colourful"), std::string::npos) << to_text(scores);
}

Options adversary_options(const std::string& preset_name, const std::string& degrade) {
  Options options = restore_options(preset_name, degrade);
  options.data.synthetic_height = options.data.synthetic_width = 32;
  options.data.crop = preset_name == "pix2pix" ? 0 : 24;
  options.model.adversary_filters = 4;
  return options;
}

TEST(RestoreAgainstAnAdversary, ResumesByteForByteWithPenaltiesEveryFewSteps) {
  for (const auto& [preset_name, degrade] : std::vector<std::pair<std::string, std::string>>{
           {"pix2pix", "grey"}, {"inpaint", "strokes"}, {"enlarge-crisp", "x2"}, {"pix2pix", "noise:5-50"}}) {
    Options options = adversary_options(preset_name, degrade);
    options.loss.r1 = 0.1;
    options.loss.penalty_every = 2;
    expect_resumed_byte_for_byte<Training>(options, 3, preset_name);
  }
}

TEST(RestoreAgainstAnAdversary, StreamedRowsTrainAsResidentOnesDo) {
  expect_streamed_alike<Training>(adversary_options("pix2pix", "grey"));
}

TEST(RestoreAgainstAnAdversary, BothLearn) {
  for (const auto& [judge, kind] : std::vector<std::pair<std::string, std::string>>{{"patch", "bce"},
                                                                                    {"patch", "lsgan"},
                                                                                    {"patch", "hinge"},
                                                                                    {"patch", "relativistic"},
                                                                                    {"patch", "wgan"},
                                                                                    {"unet", "hinge"}}) {
    Options options = adversary_options("pix2pix", "grey");
    options.data.synthetic_count = options.train.batch;  // the same pictures in each step
    options.augment.flip = false;
    options.train.steps = 60;
    options.optimizer.learning_rate = options.optimizer.discriminator_learning_rate = 1e-3;
    options.model.adversary = judge;
    options.loss.kind = kind;
    options.loss.penalty_every = 1;
    Training training(options);
    training.train(1);
    const double restoration = training.metric("restoration"), judged = training.metric("d_loss");
    training.train(59);
    EXPECT_LT(training.metric("restoration"), 0.8 * restoration) << judge << ' ' << kind;
    EXPECT_LT(training.metric("d_loss"), judged) << judge << ' ' << kind;
    EXPECT_GT(training.metric("r1"), 0) << judge << ' ' << kind;
    EXPECT_TRUE(std::isfinite(training.metric("g_grad_norm"))) << judge << ' ' << kind;
  }
}

TEST(RestoreAgainstAnAdversary, ItsStepIsRecordedInBf16Too) {
  for (const char* preset_name : {"pix2pix", "enlarge-crisp"}) {
    Options options = adversary_options(preset_name, preset_name == std::string_view("pix2pix") ? "grey" : "x2");
    options.precision = "bf16";
    options.loss.r1 = 0.1;
    const Data data = open_dataset(options.data);
    EXPECT_GE(plan_training(options, data, false, 1).step.phases.size(), 2U) << preset_name;
  }
}

// What it may see beside a hole is where it is, not what is missing there: made pictures with the truth in place of
// what the network made of it could not be told from real ones.
TEST(RestoreAgainstAnAdversary, KnowsOfAHoleOnlyWhereItIs) {
  const Options options = adversary_options("inpaint", "hole:5");
  Training training(options);
  const Parameters& judge = training.trainer.networks().parameters("discriminator");
  EXPECT_EQ(judge.list().front().shape, (Shape{4, 4, 4, 1 + 3}));
  Training coloured(adversary_options("pix2pix", "grey"));
  EXPECT_EQ(coloured.trainer.networks().parameters("discriminator").list().front().shape, (Shape{4, 4, 4, 1 + 3}));
  Training enlarged(adversary_options("enlarge-crisp", "x2"));
  EXPECT_EQ(enlarged.trainer.networks().parameters("discriminator").list().front().shape, (Shape{4, 3, 3, 3 + 3}));
}

// Its weight scales what it adds, and nothing else: with none of it the network is trained as without an adversary.
TEST(RestoreAgainstAnAdversary, OfNoWeightChangesNothingOfTheNetwork) {
  Options options = adversary_options("pix2pix", "grey");
  options.loss.adversary = {};
  Training without(options);
  options.loss.adversary.shape = ScheduleOption::Shape::linear;
  options.loss.adversary.to = 1;
  options.loss.adversary.begin = 0.9;
  options.train.steps = 40;
  Training with(options);
  without.train(3);
  with.train(3);
  const auto weights_of = [](Training& training) {
    return download<float>(training.context,
                           training.trainer.networks().parameters(kRestorer).view(Parameters::Block::master));
  };
  EXPECT_EQ(weights_of(with), weights_of(without));
  EXPECT_NEAR(with.metric("restoration"), without.metric("loss") / options.loss.restoration_weight, 1e-5);
  options.loss.adversary = 1.0;
  Training judged(options);
  judged.train(3);
  EXPECT_NE(weights_of(judged), weights_of(without));
}

TEST(RestoreAgainstAnAdversary, WhatDoesNotFitIsRefused) {
  const auto open = [](const Options& options) {
    Training{options};
    return 0;
  };
  Options options = adversary_options("inpaint", "hole:5");
  options.data.crop = 16;
  EXPECT_ERROR(
      open(options), Error::Kind::usage,
      "loss.adversary: patch_discriminator: pictures are 16x16, but with 3 halvings height and width must be at "
      "least 24; choose a larger data.crop or --size, or loss.adversary = 0");
  options = adversary_options("enlarge-crisp", "x2");
  options.data.crop = 28;
  EXPECT_ERROR(open(options), Error::Kind::usage,
               "loss.adversary: unet_discriminator: pictures are 28x28 (width, height), but both must be multiples of "
               "8; choose another data.crop or --size, or loss.adversary = 0");
  options.model.adversary_norm = "instance";
  EXPECT_ERROR(open(options), Error::Kind::usage, "model.adversary = unet is spectrally normalised; leave it out");
  options = adversary_options("pix2pix", "grey");
  options.data.synthetic_height = 33;
  EXPECT_ERROR(open(options), Error::Kind::usage, "unet: pictures of 33x32 with 0 levels");
  options.data.synthetic_height = 40;
  options.data.crop = 32;
  EXPECT_ERROR(open(options), Error::Kind::usage, "unet: pictures are 40x32, but with 5 levels");
  EXPECT_ERROR(open(adversary_options("pix2pix", "x2")), Error::Kind::usage,
               "model.restorer = unet: keeps the size of pictures");
}

TEST(Restore, ARunShowsAndMeasuresWhatItRestores) {
  const TemporaryFolder folder;
  TrainingRequest request;
  request.options = restore_options("enlarge", "x2");
  request.options.train.steps = 4;
  request.options.train.evaluate_every = 2;
  request.options.output.sample_rows = 2;
  request.options.output.sample_columns = 3;
  request.folder = (folder / "run").string();
  ASSERT_EQ(run_training(request).exit_code, 0);
  const Picture sheet = read_png(folder / "run/samples/step_000000004.png");
  const auto shape = sheet_shape(sheet.height, sheet.width, 24, 3 * 16);
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->rows, 2);
  EXPECT_EQ(shape->columns, 1);
  const std::string metrics = read_text_file(folder / "run/metrics.jsonl"),
                    log = read_text_file(folder / "run/log.txt");
  for (const char* name : {"\"psnr\"", "\"held_out_psnr\"", "\"held_out_ssim\""}) {
    EXPECT_NE(metrics.find(name), std::string::npos) << name;
  }
  EXPECT_NE(log.find("as given"), std::string::npos);
  HeldOutRequest evaluation;
  evaluation.run = request.folder;
  evaluation.where = {"cpu", 2, "ours"};
  ASSERT_TRUE(is_of_restoration(recipe_of(request.folder)));
  const RestorationEvaluation result = evaluate_restoration(evaluation);
  EXPECT_EQ(result.scores.rows, 3);  // an eighth of 24
  const std::string key = "\"held_out_psnr\":";
  EXPECT_NEAR(result.scores.made.psnr, std::stod(metrics.substr(metrics.rfind(key) + key.size())), 1e-3);
  EXPECT_GT(result.scores.given.psnr, 10);
  EXPECT_EQ(result.degrade, "x2");
  // Other data: all rows, and of the enlargement that it was trained for alone.
  evaluation.settings = {{"--data", "data.source", "synthetic"}, {"--degrade", "data.degrade", "x4"}};
  EXPECT_ERROR(evaluate_restoration(evaluation), Error::Kind::usage, "was trained for inputs of 8x12");
}

TEST(Restore, WhatDoesNotFitIsRefused) {
  const auto usage = Error::Kind::usage;
  const auto open = [](const Options& options) {
    Training{options};
    return 0;
  };
  Options options = restore_options("enlarge", "x2");
  options.data.crop = 18;
  EXPECT_ERROR(open(options), usage, "data.crop = 18: is more than a side of the pictures, which are 16x24");
  options.data.crop = 9;
  EXPECT_ERROR(open(options), usage, "must be a multiple of 2");
  options.data.crop = 0;
  EXPECT_ERROR(open(options), usage, "cannot be turned");
  EXPECT_ERROR(open(restore_options("enlarge", "none")), usage, "nothing says what pictures are to be made of");
  EXPECT_ERROR(open(restore_options("enlarge", "blur:1")), usage, "enlarges pictures 2, 3 or 4 times");
  EXPECT_ERROR(open(restore_options("repair", "x2")), usage, "keeps the size of pictures");
  options = restore_options("repair", "noise:25");
  options.data.labels = true;
  EXPECT_ERROR(open(options), usage, "data.labels must be false");
  options = restore_options("repair", "noise:25");
  options.data.crop = 10;
  EXPECT_ERROR(open(options), usage, "must be multiples of 4");
}

TEST(RestorationScores, AreMeansBesideWhatDoingNothingGives) {
  Options options = restore_options("repair", "hole:5");
  const Data data = small_dataset(options);
  const Source& main = main_source(data);
  std::vector<PictureScore> perfect;
  for (std::int64_t row = 0; row < main.count(); ++row) {
    Picture truth{24, 16, 3, std::vector<std::uint8_t>(24 * 16 * 3)};
    main.read(row, field_index(main, "picture"), reinterpret_cast<std::byte*>(truth.pixels.data()));
    perfect.push_back(score_picture(main, row, truth));
    EXPECT_EQ(perfect.back().psnr, kMostPsnr);
    truth.pixels[3 * (12 * 16 + 8)] ^= 64;  // within the hole
    const PictureScore touched = score_picture(main, row, truth);
    EXPECT_NEAR(touched.missing, 10 * std::log10(255.0 * 255.0 * 75 / 4096), 1e-9);
    EXPECT_NEAR(touched.psnr, 10 * std::log10(255.0 * 255.0 * 24 * 16 * 3 / 4096), 1e-9);
    EXPECT_LT(touched.ssim, 1);
  }
  const RestorationScores scores = restoration_scores(main, perfect, 2);
  EXPECT_NEAR(scores.made.psnr, kMostPsnr, 1e-9);
  EXPECT_LT(scores.given.missing, scores.given.psnr);
  EXPECT_NEAR(scores.better, 1, 1e-9);
  EXPECT_TRUE(scores.has_missing && scores.has_ssim);
}

}  // namespace
}  // namespace duel::test
