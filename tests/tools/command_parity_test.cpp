// `duel parity`.
#include "tests/support/trajectory_file.h"
#include "tests/tools/command.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace duel::test {
namespace {

TEST_F(Command, ParityExits0Or6Or3) {
  const std::string golden = "'" + golden_path("steady").string() + "'";
  const Outcome good = duel("parity --device cpu --threads 2 " + golden);
  EXPECT_EQ(good.exit_code, 0) << good.output;
  EXPECT_TRUE(good.output.ends_with("\nparity: ok\n")) << good.output;
  EXPECT_NE(
      good.output.find("3 steps of preset steady, loss relativistic, batch 4, pictures 6x7x3, recorded by PyTorch"),
      std::string::npos)
      << good.output;
  // Closer than float32 can be.
  expect_outcome(duel("parity --device cpu --tolerance 1e-12 " + golden), 6, "parity: off at step 1: ");

  TensorFile file(golden_path("steady"));
  TensorFile::Tensor& gradient = file.tensors.at("step2/gradient/discriminator/conv1/weight");
  gradient.set(7, -gradient.get(7));
  file.write(folder_ / "wrong.safetensors");
  expect_outcome(duel("parity --device cpu wrong.safetensors"), 6,
                 "parity: off at step 2: gradient/discriminator/conv1/weight deviates by ");

  const std::string whole = read_file(golden_path("steady"));
  write_file(folder_ / "short.safetensors", whole.substr(0, whole.size() - 4));
  expect_outcome(duel("parity short.safetensors"), 3, "short.safetensors: ");
  expect_outcome(duel("parity missing.safetensors"), 3, "missing.safetensors");
  expect_outcome(duel("parity"), 2, "file");
  expect_outcome(duel("parity --tolerance 0 " + golden), 2, "tolerance");
  expect_outcome(duel("parity --precision fp16 " + golden), 2, "fp32, tf32 or bf16");
  expect_outcome(duel("parity --device cuda:99 " + golden), 4, "cuda:");
}

TEST_F(Command, ParityTellsProgramsEveryDeviation) {
  const std::string golden = "--json '" + golden_path("steady").string() + "'";
  const nlohmann::json good = nlohmann::json::parse(duel("parity --device cpu " + golden).output);
  EXPECT_EQ(good["ok"], true);
  EXPECT_EQ(good["steps"].size(), 3U);
  EXPECT_LT(good["steps"][2]["duel"]["gradient_norm"]["value"], good["bounds"]["gradient_norm"]);
  const Outcome off = duel("parity --device cpu --tolerance 1e-12 " + golden);
  EXPECT_EQ(off.exit_code, 6);
  const nlohmann::json bad = nlohmann::json::parse(off.output);
  EXPECT_EQ(bad["ok"], false);
  EXPECT_GT(bad["steps"][0]["off"]["value"], bad["steps"][0]["off"]["bound"]);
}

}  // namespace
}  // namespace duel::test
