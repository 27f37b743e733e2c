// `duel bench` and `duel roofline`.
#include "tests/support/paths.h"
#include "tests/tools/command.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <set>

namespace duel::test {
namespace {

TEST_F(Command, BenchesPrintWhatProgramsCanRead) {
  const std::string narrow = "--preset classic --threads 2 --ceilings h100 " + kSmall;
  const Outcome roofline = duel("roofline --json " + narrow);
  ASSERT_EQ(roofline.exit_code, 0) << roofline.output;
  EXPECT_GT(nlohmann::json::parse(roofline.output)["serial_us"], 0.0);
  const Outcome kernels = duel("bench kernels --milliseconds 1 --filter 'conv2d*' --json " + narrow);
  ASSERT_EQ(kernels.exit_code, 0) << kernels.output;
  const auto object = nlohmann::json::parse(kernels.output);
  ASSERT_FALSE(object["kernels"].empty());
  double ms = 0;
  for (const auto& kernel : object["kernels"]) {
    EXPECT_GT(kernel["ms"], 0.0);
    EXPECT_GT(kernel["vendor_ms"], 0.0);
    ms += kernel["calls"].get<int>() * kernel["ms"].get<double>();
  }
  EXPECT_NEAR(object["ms"], ms, 1e-9 * ms);
  EXPECT_EQ(object["no_vendor"], "");
  const Outcome table = duel("bench kernels --milliseconds 1 --filter conv2d_forward " + narrow);
  expect_outcome(table, 0, "\nconv2d_forward ");
  expect_outcome(table, 0, "ms for the operators of a step, each alone");
  expect_outcome(duel("bench kernels --filter nothing " + narrow), 2,
                 "--filter nothing: no operator of the step has such a name");
  // Before anything is measured or read.
  expect_outcome(duel("bench kernels --filter 'nothing*' --ceilings moon.json --preset classic " + kSmall), 2,
                 "--filter nothing*: no operator of the step has such a name");
  expect_outcome(duel("roofline --ceilings moon --preset classic " + kSmall), 2, "h100, h200, a100");
  std::ofstream(folder_ / "probe.json")
      << R"({"device": "NVIDIA A100", "copy_gigabytes_per_second": 1500, "node_us": 2})";
  const std::string probed = "--ceilings probe.json --preset classic " + kSmall;
  const auto gaps = nlohmann::json::parse(duel("roofline --json " + probed).output);
  EXPECT_EQ(gaps["gb_per_s"], 1500);
  EXPECT_EQ(gaps["gaps_us"], 2 * gaps["nodes"].get<int>());
  expect_outcome(duel("roofline " + probed), 0, "\ngaps: ");
  expect_outcome(duel("bench ceilings --remember probe.json"), 0, "lanes of steps on NVIDIA A100 are planned");
  EXPECT_TRUE(std::filesystem::exists(folder_ / "cache/duel/probes.json"));
  expect_outcome(duel("roofline --ceilings moon.json --preset classic " + kSmall), 3, "moon.json: cannot be read");
  expect_outcome(duel("roofline --bandwidth 100 --preset classic " + kSmall), 2, "--tflops");
}

TEST_F(Command, BenchStepTellsTheTimeOfEachOperator) {
  const nlohmann::json bench =
      nlohmann::json::parse(duel("bench step --seconds 0 --ceilings h100 --json " + kSmall).output);
  EXPECT_GT(bench["ms_median"], 0);
  EXPECT_GT(bench["primitives_ms"], 0);
  EXPECT_GT(bench["floor_ms"], 0);
  EXPECT_GT(bench["operator_calls"], 50);
  EXPECT_GT(bench["advice"].get<std::string>().size(), 40U);
  int calls = 0;
  std::set<std::string> keys;  // what rows are joined by
  for (const auto& row : bench["operators"]) {
    calls += row["calls"].get<int>();
    keys.insert(fmt::format("{} {} {}", row["op"].get<std::string>(), row["arrays"].get<std::string>(),
                            row["where"].get<std::string>()));
  }
  EXPECT_EQ(calls, bench["operator_calls"]);
  EXPECT_EQ(keys.size(), bench["operators"].size());
  EXPECT_TRUE(
      keys.contains("conv2d_forward f32[8,10,8,1] f32[4,3,3,1] f32[4] -> f32[8,10,8,4] "
                    "g_main/discriminator/conv1"))
      << fmt::format("{}", fmt::join(keys, "\n"));
}

TEST_F(Command, WithoutAHomeNothingIsLeftInTheCurrentFolder) {
  std::ofstream(folder_ / "probe.json") << R"({"device": "NVIDIA A100", "copy_gigabytes_per_second": 1500})";
  std::filesystem::create_directory(folder_ / "here");
  const std::string command = "cd '" + (folder_ / "here").string() + "' && ";
  for (const char* home : {"-u HOME -u XDG_CACHE_HOME", "-u XDG_CACHE_HOME HOME=", "HOME= XDG_CACHE_HOME=cache",
                           "HOME=home XDG_CACHE_HOME="}) {
    const std::string in_it = command + "env " + home + " '" + command_path() + "' ";
    EXPECT_EQ(std::system((in_it + "bench ceilings --remember ../probe.json > ../log 2>&1").c_str()), 3 << 8);
    EXPECT_NE(read_file(folder_ / "log").find("nowhere to remember"), std::string::npos) << read_file(folder_ / "log");
    EXPECT_EQ(std::system((in_it + "info > ../log 2>&1").c_str()), 0);
    EXPECT_EQ(names_in(folder_ / "here"), std::vector<std::string>());
  }
}

}  // namespace
}  // namespace duel::test
