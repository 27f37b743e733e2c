// A probe's figures: what is read, what is refused, and what ceilings and lanes make of them.
#include "host/device/device_probe.h"

#include "kernels/check.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <fstream>

namespace duel::test {
namespace {

constexpr const char* kProbe =
    R"({"device": "NVIDIA H100 80GB HBM3", "copy_gigabytes_per_second": 2900, "l2_cg_gigabytes_per_second": 5500,
        "l2_ca_gigabytes_per_second": 5700, "bf16_mma_tflops": 640, "node_us": 1.6, "node_overlapped_us": 0.9,
        "two_lanes_node_us": 1.8, "handover_us": 1.1})";

class DeviceProbeTest : public testing::Test {
protected:
  std::filesystem::path file(const std::string& text) {
    std::ofstream(folder_ / "probe.json") << text;
    return folder_ / "probe.json";
  }
  std::string refusal(const std::string& text) {
    try {
      read_probe(file(text));
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Error::Kind::data);
      const std::string what = error.what();
      return what.substr(what.find(": ") + 2);
    }
  }
  const TemporaryFolder folder_;
};

TEST_F(DeviceProbeTest, IsReadAndMakesCeilings) {
  const Ceilings ceilings = ceilings_of(read_probe(file(kProbe)));
  EXPECT_EQ(ceilings.source, "a probe of NVIDIA H100 80GB HBM3, products of h100");
  EXPECT_EQ(ceilings.gigabytes_per_second, 2900);
  EXPECT_EQ(ceilings.bf16, 798);  // a library's products were quicker than the probe's loop
  EXPECT_EQ(ceilings.f32, 66.9);
  EXPECT_DOUBLE_EQ(ceilings.least_us(57e6, 57e6), 10);                      // in L2, at the better of its two rates
  EXPECT_GT(ceilings.least_us(290e6, 290e6), 64 / 5.7 + 226 / 2.9 - 1e-9);  // but for what L2 holds, from memory
  EXPECT_LT(ceilings.least_us(290e6, 290e6), 100);
  EXPECT_EQ(ceilings.nodes.node, 1.6);
  EXPECT_EQ(ceilings.nodes.node_overlapped, 0.9);
  EXPECT_EQ(ceilings.nodes.two_lanes_node, 1.8);
}

TEST_F(DeviceProbeTest, OfAnUnknownGpuOnlyWhatItMeasured) {
  const Ceilings ceilings = ceilings_of(
      read_probe(file(R"({"device": "A new one", "copy_gigabytes_per_second": 100, "bf16_mma_tflops": 7})")));
  EXPECT_EQ(ceilings.f32, 0);
  EXPECT_EQ(ceilings.bf16, 7);
  EXPECT_TRUE(ceilings.by_size.empty());
  EXPECT_EQ(ceilings.nodes.node, 0);
}

TEST_F(DeviceProbeTest, WhatIsNoneIsRefused) {
  EXPECT_EQ(refusal("[]"), "names no \"device\", as a probe's output does");
  EXPECT_EQ(refusal(R"({"device": "x"})"), "has no \"copy_gigabytes_per_second\", as a probe's output has");
  EXPECT_EQ(refusal(R"({"device": "x", "copy_gigabytes_per_second": 1, "node_us": "2"})"),
            "node_us is \"2\", but must be a number of at least 0");
  EXPECT_EQ(refusal(R"({"device": "x", "copy_gigabytes_per_second": -1})"),
            "copy_gigabytes_per_second is -1, but must be a number of at least 0");
  EXPECT_EQ(refusal("{").substr(0, 11), "is no JSON ");
  EXPECT_THROW(read_probe(folder_ / "nowhere.json"), Error);
}

TEST_F(DeviceProbeTest, LanesArePlannedByItAndKeepWhatItLacks) {
  const LaneCosts usual, probed = lane_costs_of(read_probe(file(kProbe)));
  EXPECT_EQ(probed.launch, 1.6);
  EXPECT_EQ(probed.handover, 1.1);
  EXPECT_DOUBLE_EQ(probed.bytes_per_us, 2.9e6);
  EXPECT_DOUBLE_EQ(probed.flops_per_us, 4e7);
  const LaneCosts partly =
      lane_costs_of(read_probe(file(R"({"device": "x", "copy_gigabytes_per_second": 1000, "node_us": 0})")));
  EXPECT_EQ(partly.launch, usual.launch);
  EXPECT_EQ(partly.handover, usual.handover);
  EXPECT_EQ(partly.flops_per_us, usual.flops_per_us);
  EXPECT_DOUBLE_EQ(partly.bytes_per_us, 1e6);
}

TEST_F(DeviceProbeTest, IsRememberedByTheGpusName) {
  const std::filesystem::path store = folder_ / "cache/duel/probes.json";
  EXPECT_FALSE(remembered_probe(store, "cuda:0 (NVIDIA H100 80GB HBM3)").has_value());
  remember_probe(store, read_probe(file(kProbe)));
  remember_probe(store, read_probe(file(R"({"device": "H100", "copy_gigabytes_per_second": 1})")));
  const auto found = remembered_probe(store, "cuda:3 (NVIDIA H100 80GB HBM3)");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->copy_gigabytes_per_second, 2900);
  EXPECT_EQ(found->l2_gigabytes_per_second, 5700);
  EXPECT_EQ(found->nodes.handover, 1.1);
  EXPECT_EQ(remembered_probe(store, "cuda:0 (H100)")->copy_gigabytes_per_second, 1);
  EXPECT_FALSE(remembered_probe(store, "cuda:0 (NVIDIA A100)").has_value());
  EXPECT_FALSE(remembered_probe(store, "cpu (2 threads)").has_value());
}

}  // namespace
}  // namespace duel::test
