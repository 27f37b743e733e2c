// Schedules as a person writes them: what they mean, how they are written back, and what is refused.
#include "host/config/configuration.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

namespace duel::test {
namespace {

using Shape = ScheduleOption::Shape;

constexpr const char* kRate = "optimizer.generator_learning_rate";

Options set(const std::string& key, const std::string& value) {
  return resolve_options("", "", {parse_setting(key + "=" + value)});
}

ScheduleOption rate(const std::string& value) {
  return set(kRate, value).optimizer.generator_learning_rate;
}

std::string written(const std::string& key, const Options& options) {
  const std::string text = to_toml(options), name = "\n" + key.substr(key.find('.') + 1) + " = ";
  const std::size_t begin = text.find(name) + name.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

TEST(ScheduleOption, MeansWhatItSays) {
  EXPECT_EQ(rate("5e-4"), ScheduleOption(5e-4));
  EXPECT_TRUE(rate("5e-4").is_number());
  EXPECT_EQ(rate("{from = 5e-4}"), ScheduleOption(5e-4));
  const ScheduleOption linear = rate("{from = 5e-4, to = 1e-4}");
  EXPECT_EQ(linear.shape, Shape::linear);
  EXPECT_EQ(linear.from, 5e-4);
  EXPECT_EQ(linear.to, 1e-4);
  EXPECT_EQ(linear.until, 1);
  EXPECT_FALSE(linear.is_number());
  const ScheduleOption cosine =
      rate("{ from = 5e-4, to = 0, shape = 'cosine', begin = 0.1, until = 7100, warmup = 0.01 }");
  EXPECT_EQ(cosine.shape, Shape::cosine);
  EXPECT_EQ(cosine.begin, 0.1);
  EXPECT_EQ(cosine.until, 7100);
  EXPECT_EQ(cosine.warmup, 0.01);
  EXPECT_FALSE(rate("{from = 5e-4, warmup = 100}").is_number());
  EXPECT_EQ(set("optimizer.ema_decay", "{half_life = 10_000, burn_in = 10}").optimizer.ema_decay.half_life, 10000);
  EXPECT_TRUE(set("loss.r1", "0").loss.r1.is_zero());
  EXPECT_FALSE(set("loss.r1", "{from = 0, to = 1}").loss.r1.is_zero());
}

TEST(ScheduleOption, IsWrittenAsItWasGivenAndReadsBack) {
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {kRate, "0.0005"},
           {kRate, R"({from = 0.0005, to = 0.0001, shape = "linear"})"},
           {kRate, R"({from = 0.0005, to = 0.0001, until = 0.5, warmup = 1000, shape = "cosine"})"},
           {"loss.r1", R"({from = 0.5, to = 0.1, begin = 0.25, shape = "exponential"})"},
           {"loss.r2", R"({from = 0.0, to = 0.1, begin = 10, until = 1000000000000, shape = "linear"})"},
           {"loss.gradient_penalty", R"({from = 10.0, warmup = 0.1, shape = "constant"})"},
           {"optimizer.beta2", R"({from = 0.9, to = 0.99, shape = "cosine"})"},
           {"optimizer.ema_decay", R"({half_life = 10000.0, burn_in = 10, shape = "half_life"})"},
           {"optimizer.ema_decay", R"({from = 0.998, burn_in = 10, shape = "constant"})"}}) {
    const Options options = set(key, value);
    EXPECT_EQ(written(key, options), value);
    EXPECT_EQ(to_toml(options_from_toml(to_toml(options), "config.toml")), to_toml(options)) << value;
  }
}

TEST(ScheduleOption, IsReadFromATableOfAFileAndBeatenByASetting) {
  const std::string file = "[optimizer.beta2]\nfrom = 0.9\nto = 0.99\n[loss]\nr1 = {from = 1, to = 2, until = 100}\n";
  const Options options = options_from_toml(file, "run.toml");
  EXPECT_EQ(options.optimizer.beta2.to, 0.99);
  EXPECT_EQ(options.loss.r1.until, 100);
  const TemporaryFolder folder;
  write_file(folder / "run.toml", file);
  const Options beaten = resolve_options("", (folder / "run.toml").string(), {parse_setting("optimizer.beta2=0.5")});
  EXPECT_EQ(beaten.optimizer.beta2, ScheduleOption(0.5));
}

std::string refusal(const std::string& key, const std::string& value) {
  try {
    set(key, value);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    return error.what();
  }
  return "";
}

TEST(ScheduleOption, TheImpossibleIsRefusedWithItsValues) {
  const std::string prefix = std::string("--set: ") + kRate + ": ";
  for (const auto& [value, why] : std::vector<std::pair<std::string, std::string>>{
           {"{from = 1, shape = 'cosin', to = 0}",
            "shape = \"cosin\" must be constant, linear, cosine, exponential or half_life"},
           {"{from = 1, shape = 3}", "shape = 3 must be constant, linear, cosine, exponential or half_life"},
           {"{from = 2, to = 0}", "from = 2 must be a number from 0 to 1"},
           {"{from = 0.5, to = -1}", "to = -1 must be a number from 0 to 1"},
           {"{from = 0.5, to = nan}", "to = nan must be a number"},
           {"{from = 0x1, to = 1}", "from = 0x1 must be a number"},
           {"{from = 'x', to = 1}", "from = \"x\" must be a number"},
           {"{to = 0.5}", "a schedule of shape linear needs from"},
           {"{from = 0.5, shape = 'cosine'}", "a schedule of shape cosine needs to"},
           {"{from = 0.5, frm = 1}", "a schedule of shape constant has no frm, but shape, from, warmup, burn_in"},
           {"{from = 0.5, until = 1}", "a schedule of shape constant has no until, but shape, from, warmup, burn_in"},
           {"{from = 0, to = 1, shape = 'exponential'}", "exponential from 0 to 1: both must be above 0"},
           {"{from = 0, to = 1, until = 1.5}",
            "until = 1.5 must be a share of the run from 0 to 1, or an integer above 1, which counts steps"},
           {"{from = 0, to = 1, begin = -1}",
            "begin = -1 must be a share of the run from 0 to 1, or an integer above 1, which counts steps"},
           {"{from = 0, to = 1, begin = 0.5, until = 0.25}",
            "it begins at 0.5 and ends at until = 0.25, which is not behind that"},
           {"{from = 0, to = 1, begin = 20, until = 20}",
            "it begins at 20 and ends at until = 20, which is not behind that"},
           {"{from = 0.5, burn_in = 10}", "half_life and burn_in are of a moving average, which this is not"},
           {"{half_life = 10}", "half_life and burn_in are of a moving average, which this is not"}}) {
    EXPECT_EQ(refusal(kRate, value), prefix + why) << value;
  }
  EXPECT_EQ(refusal("optimizer.ema_decay", "{half_life = 0}"),
            "--set: optimizer.ema_decay: half_life = 0 must be a number of pictures above 0, at most 1000000000000");
  EXPECT_EQ(refusal("optimizer.beta2", "{from = 0.9, to = 1}"),
            "--set: optimizer.beta2: to = 1 must be a number from 0 to below 1");
  EXPECT_NE(refusal(kRate, "{from = 1").find("--set: this is not TOML"), std::string::npos);
  EXPECT_EQ(refusal("train.batch", "{from = 1}"),
            "--set: train.batch = \"{from = 1}\" must be an integer from 1 to 65536");
  Options made = preset("steady");
  made.loss.r1.shape = Shape::linear;
  made.loss.r1.from = -1;
  EXPECT_ERROR(validate(made), Error::Kind::usage, "loss.r1: from = -1 must be a number from 0 to 1000000");
}

TEST(ScheduleOption, SharesBecomeStepsOfTheRun) {
  const auto resolved = [](const std::string& value, std::int64_t steps) {
    return resolve("key", rate(value), steps, 64);
  };
  EXPECT_EQ(resolved("5e-4", 100), Schedule(5e-4));
  EXPECT_EQ(resolved("{from = 1, to = 0, until = 0.5}", 7100), Schedule::linear(1, 0, 0, 3550));
  EXPECT_EQ(resolved("{from = 1, to = 0, shape = 'cosine', begin = 0.1, until = 900, warmup = 0.02}", 1000),
            Schedule::cosine(1, 0, 100, 900).with_warm_up(20));
  EXPECT_EQ(resolved("{from = 0.5, to = 0.1, shape = 'exponential'}", 50), Schedule::exponential(0.5, 0.1, 0, 50));
  EXPECT_EQ(resolve("key", set("optimizer.ema_decay", "{half_life = 10000, burn_in = 10}").optimizer.ema_decay, 50, 64),
            Schedule::half_life(64, 10000, 10));
  EXPECT_EQ(resolved("{from = 1, to = 0, begin = 0.1, until = 0.2}", 1), Schedule::linear(1, 0, 0, 1));
  EXPECT_ERROR(resolved("{from = 1, to = 0, begin = 0.5, until = 400}", 1000), Error::Kind::usage,
               "key: linear from step 500 to step 400");
}

TEST(ScheduleOption, AFileSaysWhere) {
  EXPECT_ERROR(options_from_toml("[loss]\nr1 = {from = 1, to = 2, until = 0}\n", "run.toml"), Error::Kind::usage,
               "run.toml:2:6: loss.r1: it begins at 0 and ends at until = 0, which is not behind that");
}

}  // namespace
}  // namespace duel::test
