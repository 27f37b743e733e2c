// Rows that training never sees are all measured, each by its own inputs.
#include "host/sample/held_out.h"

#include "engine/ops/ops.h"
#include "host/data/memory_source.h"

#include <gtest/gtest.h>

#include <numeric>

namespace duel::test {
namespace {

constexpr int kRows = 70;  // more than a batch, and no whole number of them

std::unique_ptr<const Source> numbered_pictures() {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int32_t> labels;
  for (int row = 0; row < kRows; ++row) {
    pixels.insert(pixels.end(), {static_cast<std::uint8_t>(row), static_cast<std::uint8_t>(2 * row), 255});
    labels.push_back(row % 3);
  }
  std::vector<MemorySource::Column> columns;
  columns.push_back({picture_field("picture", 3, 1, 1), std::move(pixels)});
  columns.push_back({label_field("label", {"a", "b", "c"}), bytes_of(std::span<const std::int32_t>(labels))});
  return std::make_unique<MemorySource>("numbered", std::move(columns));
}

// Of each row the sum of its pixels and a drawn number; of all what the two outputs are.
HeldOutMeasure sums(const Source& source, std::vector<std::vector<float>>& seen) {
  HeldOutMeasure measure;
  Field noise, sum;
  noise.name = "noise";
  noise.kind = FieldKind::vector;
  noise.shape = {1, 1};
  noise.dtype = DType::f32;
  sum = noise;
  sum.name = "sum";
  measure.sampling.inputs = {noise, field_named(source, "picture")};
  measure.sampling.outputs = {sum, noise};
  measure.sampling.record = [](Program& p, const Sampling::Run&, std::span<const Value> inputs) {
    return std::vector<Value>{ops::reduce_sum(p, {Axes::each_row, 1}, inputs[1]), ops::affine(p, inputs[0], 1)};
  };
  measure.metrics = {"rows", "total"};
  measure.summarize = [&seen](const Source& rows, HeldOutMeasure::Rows outputs) {
    seen.assign(outputs.begin(), outputs.end());
    return std::vector<double>{static_cast<double>(rows.count()),
                               std::accumulate(outputs[0].begin(), outputs[0].end(), 0.0)};
  };
  return measure;
}

TEST(HeldOut, EveryRowIsMeasuredByItsOwnInputs) {
  Context context = Context::cpu(2);
  const auto source = numbered_pictures();
  std::vector<std::vector<float>> seen;
  const Networks networks;
  const Storage storage;
  HeldOut held_out(context, sums(*source, seen), *source, networks, storage);
  const HeldOut::Result result = held_out.measure(context);
  ASSERT_EQ(seen.size(), 2U);
  ASSERT_EQ(seen[0].size(), std::size_t{kRows});
  double total = 0;
  for (int row = 0; row < kRows; ++row) {
    const double sum = (3.0 * row + 255) / 127.5 - 3;
    EXPECT_NEAR(seen[0][static_cast<std::size_t>(row)], sum, 1e-5) << row;
    total += sum;
  }
  ASSERT_EQ(result.numbers.size(), 2U);
  EXPECT_EQ(result.numbers[0], NamedNumber("rows", kRows));
  EXPECT_EQ(result.numbers[1].first, "total");
  EXPECT_NEAR(result.numbers[1].second, total, 1e-3);
  EXPECT_EQ(result.report, "");
}

TEST(HeldOut, DrawnNumbersAreTheSameAtEveryMeasurementAndOfEachRowItsOwn) {
  Context context = Context::cpu(1);
  const auto source = numbered_pictures();
  std::vector<std::vector<float>> seen;
  const Networks networks;
  const Storage storage;
  HeldOut held_out(context, sums(*source, seen), *source, networks, storage);
  held_out.measure(context);
  const std::vector<float> first = seen[1];
  held_out.measure(context);
  EXPECT_EQ(first, seen[1]);
  ASSERT_EQ(first.size(), std::size_t{kRows});
  EXPECT_NE(first[0], first[1]);
  EXPECT_NE(first[0], first[64]);  // of the second batch
}

TEST(HeldOut, WhatTheSourceLacksIsNamed) {
  const auto source = numbered_pictures();
  std::vector<std::vector<float>> seen;
  HeldOutMeasure measure = sums(*source, seen);
  EXPECT_EQ(missing_inputs(measure, *source), "");
  measure.sampling.inputs.push_back(label_field("colour", {"red"}));
  measure.sampling.inputs.push_back(picture_field("mask", 3, 1, 1));
  EXPECT_EQ(missing_inputs(measure, *source), "colour, mask");
}

}  // namespace
}  // namespace duel::test
