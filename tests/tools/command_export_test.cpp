// `duel export`: files of both formats, and what it refuses. tests/tools/export_test.py runs what it writes.
#include "host/files/safetensors.h"
#include "tests/tools/command.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>

namespace duel::test {
namespace {

class ExportCommand : public Command {
protected:
  void SetUp() override { ASSERT_EQ(train("--preset classic --steps 2").exit_code, 0); }
};

TEST_F(ExportCommand, WritesBothFormats) {
  expect_outcome(duel("export --run run --to net.onnx"), 0, "net.onnx: the generator of step 2");
  const Outcome outcome = duel("export --run run --to net.safetensors --json");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const auto told = nlohmann::json::parse(outcome.output);
  const SafetensorsFile file(folder_ / "net.safetensors");
  file.verify();
  EXPECT_EQ(file.metadata("preset"), "classic");
  EXPECT_EQ(file.entry("generator/dense1/weight").shape, (std::vector<std::int64_t>{16, 100}));  // [outputs,inputs]
  EXPECT_EQ(file.entry("generator/dense2/bias").shape, (std::vector<std::int64_t>{80}));
  EXPECT_EQ(file.entries().size(), 4U);
  EXPECT_EQ(told["weights"], 16 * 100 + 16 + 80 * 16 + 80);
  EXPECT_EQ(told["bytes"], std::filesystem::file_size(folder_ / "net.safetensors"));
  expect_outcome(duel("export --run run --to d.onnx --network discriminator"), 0, "makes logits f32 [batch,1]");
}

TEST_F(ExportCommand, Refuses) {
  expect_outcome(duel("export --run run --to net.pt"), 2, "must end in .onnx or .safetensors");
  expect_outcome(duel("export --run run --to run"), 2, "must end in");
  expect_outcome(duel("export --run nowhere --to net.onnx"), 3, "nowhere");
  expect_outcome(duel("export --run run --to run/config.toml/net.onnx"), 3, "run/config.toml/net.onnx");
  expect_outcome(duel("export --run run --to net.onnx --network critic"), 2, "it has: discriminator, generator");
  expect_outcome(duel("export --run run --to net.onnx --mixes"), 2, "takes no classes");
  expect_outcome(duel("export --run run --to net.onnx --step 7"), 3, "there is no checkpoint of step 7");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "net.onnx"));
  ASSERT_EQ(duel("export --run run --to net.onnx").exit_code, 0);
  expect_outcome(duel("export --run run --to net.onnx --raw"), 2, "net.onnx: is there already; --force");
  EXPECT_EQ(duel("export --run run --to net.onnx --raw --force").exit_code, 0);
}

}  // namespace
}  // namespace duel::test
