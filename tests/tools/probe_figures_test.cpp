#include "profiling/probe_figures.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>

namespace duel {

namespace {

TEST(ProbeFigures, OneSlowWindowDoesNotCount) {
  EXPECT_EQ(median({3, 90, 1, 2, 2}), 2);
}

TEST(ProbeFigures, WhatALaunchCostsIsNotALinks) {
  const double launch = 6, link = 1.25;
  EXPECT_DOUBLE_EQ(time_per_link(launch + 100 * link, launch + 200 * link, 100), link);
  EXPECT_EQ(time_per_link(10, 9, 100), 0) << "noise is no negative time";
}

TEST(ProbeFigures, Rates) {
  EXPECT_DOUBLE_EQ(gigabytes_per_second(3e9, 1000), 3);
  EXPECT_DOUBLE_EQ(teraflops(2e12, 500), 4);
}

TEST(ProbeFigures, TheJsonHasTheseKeys) {
  ProbeFigures figures;
  figures.device = "a \"GPU\" \\ 80GB";
  figures.copy_gigabytes_per_second = 2987.125;
  figures.node_us = 1.25;
  const nlohmann::json json = nlohmann::json::parse(to_json(figures));
  EXPECT_EQ(json.at("device"), figures.device);
  EXPECT_NEAR(json.at("copy_gigabytes_per_second").get<double>(), 2987.125, 0.01);
  EXPECT_EQ(json.at("node_us"), 1.25);
  std::set<std::string> keys;
  for (const auto& [key, value] : json.items()) {
    keys.insert(key);
  }
  EXPECT_EQ(keys, (std::set<std::string>{"device", "copy_gigabytes_per_second", "l2_cg_gigabytes_per_second",
                                         "l2_ca_gigabytes_per_second", "bf16_mma_tflops", "node_us",
                                         "node_overlapped_us", "two_lanes_node_us", "handover_us"}));
}

}  // namespace

}  // namespace duel
