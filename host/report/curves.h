// What metrics.jsonl holds, as curves that a person can look at: grouped by what they measure, and thinned so that a
// long run stays small and its spikes stay visible.
#pragma once

#include "host/run/metrics_log.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace duel {

// Curves that stand in one chart.
struct CurveGroup {
  std::string id, title;
  std::string unit;             // "share" (of 1), "1/s", or "" for plain numbers
  bool is_logarithmic = false;  // what spans magnitudes
};

struct Curve {
  std::string name;   // as metrics.jsonl has it
  std::string label;  // for people, within the group
  std::string group;  // a CurveGroup's id
  // A point stands for one row or for several in turn: the last one's step and seconds, and the mean, the least and the
  // most of their values. NaN where none of them is finite.
  std::vector<std::int64_t> step;
  std::vector<double> seconds, mean, low, high;
  std::int64_t rows = 0, not_finite = 0;
  std::int64_t first_not_finite = 0;  // step
  double last = 0;                    // value of the last row

  static constexpr std::size_t kMostPoints = 400;
};

// Where something of host/run/health.h began or went.
struct HealthMark {
  std::string name;  // "collapse"
  std::int64_t step = 0;
  bool begins = true;
};

// A curve's value at a step, where it has one.
struct CurveSample {
  std::int64_t step = 0;
  double seconds = 0, value = 0;
};

// `samples`: steps ascending.
Curve make_curve(const std::string& name, std::span<const CurveSample> samples);

// Of every metric, in the order in which they first come, and behind them the speed in pictures a second.
std::vector<Curve> curves_of(std::span<const MetricsRow> rows, int batch);
std::vector<HealthMark> health_marks_of(std::span<const MetricsRow> rows);

// The group of a metric; one that nobody knows here has a group of its own.
CurveGroup curve_group_of(std::string_view name);
std::string curve_label(std::string_view name);  // "d_grad_norm" is "discriminator"

}  // namespace duel
