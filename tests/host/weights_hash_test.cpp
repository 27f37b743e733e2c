// The hash of a network's weights: what it depends on, and what it does not.
#include "host/run/weights_hash.h"

#include "host/files/crc32c.h"
#include "host/files/safetensors.h"
#include "host/run/checkpoint.h"
#include "tests/support/temporary_folder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <span>
#include <string>

namespace duel::test {
namespace {

using Tensors = std::map<std::string, std::array<float, 2>>;

class WeightsHash : public testing::Test {
protected:
  std::string hash_of(const Tensors& tensors, const std::string& network = "net") const {
    std::vector<NamedTensor> named;
    for (const auto& [name, values] : tensors) {
      named.push_back({name, DType::f32, {2}, std::as_bytes(std::span(values))});
    }
    write_safetensors(folder_ / kTensorFile, named, {});
    return weights_hash(folder_.path(), network);
  }

  TemporaryFolder folder_;
};

const Tensors kNet = {{"net/a", {1, 2}}, {"state/net/mean", {3, 4}}, {"adam_m/net/a", {5, 6}}, {"network/a", {7, 8}}};

TEST_F(WeightsHash, IsOfWhatTheNetworkComputesWith) {
  std::string lines;
  for (const char* name : {"net/a", "state/net/mean"}) {
    const auto values = kNet.at(name);
    const std::string known = std::string(name).starts_with("state/") ? "net/mean" : name;
    lines += fmt::format("{} {:08x}\n", known, crc32c(std::as_bytes(std::span(values))));
  }
  const std::string hash = hash_of(kNet);
  EXPECT_EQ(hash, fmt::format("crc32c {:08x}", crc32c(std::as_bytes(std::span(lines)))));
  for (const auto& [name, values] : kNet) {
    Tensors changed = kNet;
    changed[name][1] += 1;
    EXPECT_EQ(hash_of(changed) != hash, name == "net/a" || name == "state/net/mean") << name;
  }
}

TEST_F(WeightsHash, IsOfTheMovingAverageWhereThereIsOne) {
  Tensors averaged = kNet;
  averaged["average/net/a"] = {1, 2};
  EXPECT_EQ(hash_of(averaged), hash_of(kNet));
  averaged["net/a"] = {9, 9};
  EXPECT_EQ(hash_of(averaged), hash_of(kNet));
  EXPECT_ERROR(hash_of(kNet, "other"), Error::Kind::data, "has no weights of a network other");
}

}  // namespace
}  // namespace duel::test
