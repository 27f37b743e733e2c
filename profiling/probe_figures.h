// The arithmetic of duel_probe, apart from the device, so that it can be tested without one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace duel {

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// What one link more costs a chain, from the times of a chain and of one twice as long: what a launch of the whole
// costs is in both.
inline double time_per_link(double once, double twice, int links) {
  return std::max(0.0, (twice - once) / links);
}

inline double gigabytes_per_second(double bytes, double milliseconds) {
  return bytes / milliseconds / 1e6;
}

inline double teraflops(double operations, double milliseconds) {
  return operations / milliseconds / 1e9;
}

struct ProbeFigures {
  std::string device;
  double copy_gigabytes_per_second = 0;  // read plus written
  double l2_cg_gigabytes_per_second = 0, l2_ca_gigabytes_per_second = 0;
  double bf16_mma_tflops = 0;     // 0: the device has no such instruction
  double node_us = 0;             // one empty kernel more in a captured chain
  double node_overlapped_us = 0;  // with programmatic dependent launch; 0: the device has none
  double two_lanes_node_us = 0;   // one more on each of two lanes
  double handover_us = 0;         // what is added where each lane awaits the other's last
};

inline std::string to_json(const ProbeFigures& figures) {
  std::string device;
  for (const char c : figures.device) {
    if (c == '"' || c == '\\') {
      device += '\\';
    }
    device += c;
  }
  std::string text = "{\"device\": \"" + device + "\"";
  const auto add = [&](const char* name, double value) {
    char number[64];
    std::snprintf(number, sizeof number, ", \"%s\": %.6g", name, value);
    text += number;
  };
  add("copy_gigabytes_per_second", figures.copy_gigabytes_per_second);
  add("l2_cg_gigabytes_per_second", figures.l2_cg_gigabytes_per_second);
  add("l2_ca_gigabytes_per_second", figures.l2_ca_gigabytes_per_second);
  add("bf16_mma_tflops", figures.bf16_mma_tflops);
  add("node_us", figures.node_us);
  add("node_overlapped_us", figures.node_overlapped_us);
  add("two_lanes_node_us", figures.two_lanes_node_us);
  add("handover_us", figures.handover_us);
  return text + "}";
}

}  // namespace duel
