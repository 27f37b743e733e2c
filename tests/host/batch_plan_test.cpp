// Batches of any fields of any sources: resident and streamed give the same, and what belongs together stays together.
#include "host/data/batch_plan.h"

#include "engine/program/execution.h"
#include "host/data/draw_purpose.h"
#include "host/data/memory_source.h"
#include "host/device/inline_queue.h"
#include "host/device/upload_ring.h"
#include "kernels/check.h"
#include "kernels/memory.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>
#include <span>

namespace duel::test {
namespace {

// Pictures whose every pixel says which row it is of, a label, and a vector, all told apart by `first`.
std::unique_ptr<const Source> numbered_source(const std::string& name, int count, int first) {
  constexpr int kPixels = 3 * 5 * 4;
  std::vector<std::uint8_t> pictures, targets;
  std::vector<std::int32_t> labels;
  std::vector<float> vectors;
  for (int row = 0; row < count; ++row) {
    pictures.insert(pictures.end(), kPixels, static_cast<std::uint8_t>(first + row));
    targets.insert(targets.end(), 7, static_cast<std::uint8_t>(255 - first - row));
    labels.push_back(row % 3);
    vectors.insert(vectors.end(), {static_cast<float>(first + row), 0.5F});
  }
  std::vector<MemorySource::Column> columns;
  columns.push_back({picture_field("picture", 3, 5, 4), std::move(pictures)});
  columns.push_back({picture_field("target", 7, 1, 1), std::move(targets)});
  columns.push_back({label_field("label", {"a", "b", "c"}), bytes_of(std::span<const std::int32_t>(labels))});
  columns.push_back(
      {Field{"style", FieldKind::vector, {1, 2}, DType::f32, {}, {}}, bytes_of(std::span<const float>(vectors))});
  return std::make_unique<MemorySource>(name, std::move(columns));
}

// What each draw of a field takes at a step, in whole numbers.
using Drawn = std::map<std::string, std::vector<int>>;

class Draws {
public:
  Draws(const Data& data, const std::vector<DrawnField>& fields, const BatchPlan::Request& request)
      : plan(data, fields, request), memory_(context_, plan.bytes()), counter_(context_, sizeof(std::int64_t)) {
    const Value step = program_.bind("step", {1}, DType::i64);
    for (const DrawnField& each : fields) {
      const Value batch = plan.record(program_, each.draw, each.source, each.field, step, DType::f32);
      program_.keep(batch);
      values_.push_back({each.draw + " " + each.source + "/" + each.field, batch});
    }
    plan.add_to(storage_, static_cast<std::byte*>(memory_.data()));
    storage_.add("step", counter_.view({1}, DType::i64));
    execution_ = std::make_unique<Execution>(context_, program_);
    arena_ = Buffer(context_, execution_->plan().arena_bytes);
    execution_->attach(arena_.data(), storage_);
    if (!plan.is_streamed()) {
      plan.upload(context_, static_cast<std::byte*>(memory_.data()));
      return;
    }
    queue_ = std::make_unique<InlineQueue>();
    ring_ = std::make_unique<UploadRing>(
        *queue_, UploadRing::Layout{static_cast<std::byte*>(memory_.data()), plan.slot_bytes(), plan.slots(), 2, 0},
        [this](std::int64_t at, std::byte* slot) { plan.fill_slot(at, slot); });
  }

  // Steps are taken in order, from 0.
  Drawn next() {
    if (ring_) {
      ring_->acquire(1);
    }
    context_.upload(counter_.data(), &step_, sizeof step_);
    execution_->run(context_);
    Drawn drawn;
    for (const auto& [name, value] : values_) {
      const View view = execution_->view(value);
      std::vector<int>& rows = drawn[name];
      const std::int64_t length = view.shape.row_count();
      if (view.dtype == DType::i32) {
        rows = download<std::int32_t>(context_, view);
        continue;
      }
      const std::vector<float> elements = download<float>(context_, view);
      for (std::int64_t row = 0; row < view.shape[0]; ++row) {
        const float element = elements[static_cast<std::size_t>(row * length)];
        // Bytes come as x / 127.5 - 1, vectors as they are.
        rows.push_back(view.shape.rank() == 2 ? static_cast<int>(element)
                                              : static_cast<int>(std::lround((element + 1) * 127.5F)));
      }
    }
    if (ring_) {
      ring_->release(1);
    }
    ++step_;
    return drawn;
  }

  const BatchPlan plan;

private:
  Context context_ = Context::cpu(1);
  Buffer memory_, counter_, arena_;
  Storage storage_;
  Program program_;
  std::vector<std::pair<std::string, Value>> values_;
  std::unique_ptr<Execution> execution_;
  std::unique_ptr<InlineQueue> queue_;
  std::unique_ptr<UploadRing> ring_;
  std::int64_t step_ = 0;
};

const std::vector<DrawnField> kPaired = {{"d_reals", "main", "picture"}, {"d_reals", "main", "target"},
                                         {"d_reals", "main", "label"},   {"d_reals", "main", "style"},
                                         {"g_reals", "main", "label"},   {"g_reals", "main", "picture"}};

Data one_source(int count) {
  Data data;
  data["main"] = numbered_source("numbers", count, 10);
  return data;
}

Data two_sources() {
  Data data;
  data["a"] = numbered_source("apples", 23, 0);
  data["b"] = numbered_source("bears", 31, 100);
  return data;
}

TEST(BatchPlan, WhatBelongsToARowStaysTogether) {
  const Data data = one_source(17);
  for (const bool is_streamed : {false, true}) {
    Draws draws(data, kPaired, {.seed = 4, .batch = 5, .is_streamed = is_streamed});
    for (int step = 0; step < 12; ++step) {  // four epochs
      const Drawn drawn = draws.next();
      for (std::size_t place = 0; place < 5; ++place) {
        const int number = drawn.at("d_reals main/picture")[place];
        EXPECT_EQ(drawn.at("d_reals main/target")[place], 255 - number);
        EXPECT_EQ(drawn.at("d_reals main/label")[place], (number - 10) % 3);
        EXPECT_EQ(drawn.at("d_reals main/style")[place], number);
        EXPECT_EQ(drawn.at("g_reals main/label")[place], (drawn.at("g_reals main/picture")[place] - 10) % 3);
      }
    }
  }
}

TEST(BatchPlan, ResidentAndStreamedGiveTheSameBatches) {
  const Data paired = one_source(17), unpaired = two_sources();
  const std::vector<DrawnField> both = {{"reals", "a", "picture"}, {"reals", "b", "picture"}, {"reals", "b", "label"}};
  for (const auto& [data, fields] : {std::pair{&paired, kPaired}, {&unpaired, both}}) {
    Draws resident(*data, fields, {.seed = 9, .batch = 4});
    Draws streamed(*data, fields, {.seed = 9, .batch = 4, .is_streamed = true, .steps_per_launch = 2});
    for (int step = 0; step < 20; ++step) {
      EXPECT_EQ(resident.next(), streamed.next()) << step;
    }
  }
}

TEST(BatchPlan, AnEpochTakesEachRowOnce) {
  const Data data = one_source(20);
  Draws draws(data, {{"d_reals", "main", "picture"}}, {.seed = 1, .batch = 5});
  std::set<std::vector<int>> orders;
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::vector<int> taken;
    for (int step = 0; step < 4; ++step) {
      const Drawn drawn = draws.next();
      const std::vector<int>& rows = drawn.at("d_reals main/picture");
      taken.insert(taken.end(), rows.begin(), rows.end());
    }
    EXPECT_EQ(std::set<int>(taken.begin(), taken.end()).size(), 20U);
    orders.insert(taken);
  }
  EXPECT_EQ(orders.size(), 3U);
}

// Sources of equal size that are drawn under one name would else go through their rows in step.
TEST(BatchPlan, UnpairedSourcesAndDrawsHaveOrdersOfTheirOwn) {
  Data data;
  data["main"] = numbered_source("m", 20, 0);
  data["a"] = numbered_source("a", 20, 0);
  data["b"] = numbered_source("b", 20, 0);
  Draws draws(
      data,
      {{"reals", "main", "picture"}, {"reals", "a", "picture"}, {"reals", "b", "picture"}, {"others", "a", "picture"}},
      {.seed = 1, .batch = 10});
  const Drawn drawn = draws.next();
  std::set<std::vector<int>> orders;
  for (const auto& [name, rows] : drawn) {
    orders.insert(rows);
  }
  EXPECT_EQ(orders.size(), 4U);
}

TEST(BatchPlan, NamedDrawsKeepTheOrderThatCheckpointsKnow) {
  EXPECT_EQ(purpose_of_draw("d_reals"), Purpose::d_reals);
  EXPECT_EQ(purpose_of_draw("g_reals"), Purpose::g_reals);
  EXPECT_EQ(purpose_of_draw("g_latents"), Purpose::g_latents);
  EXPECT_EQ(static_cast<std::uint32_t>(purpose_of_draw("a/reals")), 0x80000000U | 0x5468DEE6U);
  EXPECT_EQ(batch_draw_name("main", "d_reals"), "d_reals");
  EXPECT_EQ(batch_draw_name("a", "d_reals"), "a/d_reals");
  EXPECT_NO_THROW(check_distinct_draws({"d_reals", "g_reals", "reals", "reals", "a/reals"}));
  const Data data = one_source(20);
  const BatchPlan plan(data, {{"d_reals", "main", "picture"}}, {.seed = 3, .batch = 5});
  EXPECT_EQ(plan.order("d_reals", "main").seed, 3U);
  EXPECT_EQ(plan.order("d_reals", "main").purpose, Purpose::d_reals);
}

TEST(BatchPlan, TwoNamesWithOneOrderAreRefused) {
  // Found by search: both hash to the same number.
  EXPECT_ERROR(check_distinct_draws({"reals", "shoe_second_anchor_mask", "second_left_right_fake"}),
               Error::Kind::internal, "shoe_second_anchor_mask");
}

TEST(BatchPlan, AFieldOfSeveralDrawsLiesOnTheDeviceOnce) {
  const Data data = one_source(17);
  const BatchPlan one(data, {{"d_reals", "main", "picture"}}, {.batch = 5});
  const BatchPlan two(data, {{"d_reals", "main", "picture"}, {"g_reals", "main", "picture"}}, {.batch = 5});
  EXPECT_EQ(one.bytes(), 17U * 60);
  EXPECT_EQ(two.bytes(), one.bytes());
  const BatchPlan more(data, kPaired, {.batch = 5});
  Storage storage;
  std::vector<std::byte> memory(more.bytes());
  more.add_to(storage, memory.data());
  EXPECT_EQ(storage.all().size(), 4U);
  EXPECT_EQ(storage.find("data/main/label")->dtype, DType::i32);
  EXPECT_EQ(storage.find("data/main/label")->shape, Shape({17}));
  EXPECT_EQ(storage.find("data/main/target")->shape, Shape({17, 7, 1, 1}));
}

TEST(BatchPlan, ASlotHoldsEveryBatchAtAnAlignedPlace) {
  const Data data = one_source(17);
  const BatchPlan plan(data, kPaired, {.batch = 5, .is_streamed = true, .steps_per_launch = 3});
  EXPECT_EQ(plan.slot_bytes(), 320U + 64 + 64 + 64 + 64 + 320);
  EXPECT_EQ(plan.slots(), 6);
  EXPECT_EQ(plan.most_steps_per_launch(), 3);
  EXPECT_EQ(plan.bytes(), 6 * plan.slot_bytes());
  const BatchPlan chosen(data, kPaired, {.batch = 5, .is_streamed = true});
  EXPECT_EQ(chosen.most_steps_per_launch(), BatchPlan::kMostStepsPerLaunch);
}

// Rows of 8 MiB, of which nothing is in memory: only sizes are asked for.
class LargeSource : public Source {
public:
  const std::string& name() const override { return name_; }
  std::int64_t count() const override { return 1'000'000'000; }
  const std::vector<Field>& fields() const override { return fields_; }
  const std::string& fingerprint() const override { return name_; }
  void read(std::int64_t row, std::size_t /*field*/, std::byte* to) const override {
    std::fill_n(to, fields_[0].row_bytes(), static_cast<std::byte>(row));
  }

private:
  std::string name_ = "large";
  std::vector<Field> fields_ = {picture_field("picture", 2048, 1024, 4)};
};

TEST(BatchPlan, LargeRowsTakeFewerStepsALaunch) {
  Data data;
  data["main"] = std::make_unique<LargeSource>();
  const std::vector<DrawnField> fields = {{"d_reals", "main", "picture"}};
  const BatchPlan plan(data, fields, {.batch = 2, .is_streamed = true});
  EXPECT_EQ(plan.most_steps_per_launch(), 2);
  EXPECT_EQ(plan.bytes(), std::size_t{64} << 20);
  const BatchPlan resident(data, fields, {.batch = 2});
  EXPECT_EQ(resident.bytes(), (std::size_t{8} << 20) * 1'000'000'000);
  EXPECT_ERROR(BatchPlan(data, fields, {.batch = 256, .is_streamed = true}), Error::Kind::device, "2147483648 bytes");
}

TEST(BatchPlan, NamesWhatThereIsNot) {
  const Data data = one_source(4);
  const auto plan = [&](const std::vector<DrawnField>& fields, int batch) {
    return [&data, fields, batch] { BatchPlan(data, fields, {.batch = batch}); };
  };
  EXPECT_ERROR(plan({{"d_reals", "b", "picture"}}, 2)(), Error::Kind::data, "there is no source 'b'; there is: main");
  EXPECT_ERROR(plan({{"d_reals", "main", "mask"}}, 2)(), Error::Kind::data,
               "numbers has no field 'mask'; it has: picture, target, label, style");
  EXPECT_ERROR(plan({{"d_reals", "main", "picture"}}, 5)(), Error::Kind::data,
               "train.batch is 5, but numbers has only 4 pictures");
  const BatchPlan good(data, {{"d_reals", "main", "picture"}}, {.batch = 2});
  Program program;
  const Value step = program.bind("step", {1}, DType::i64);
  EXPECT_ERROR(good.record(program, "g_reals", "main", "picture", step, DType::f32), Error::Kind::internal, "g_reals");
}

TEST(MemorySource, RefusesFieldsThatDoNotFit) {
  const auto source = [](int pictures, const std::vector<std::int32_t>& labels) {
    return [=] {
      std::vector<MemorySource::Column> columns;
      columns.push_back(
          {picture_field("picture", 1, 2, 1), std::vector<std::uint8_t>(static_cast<std::size_t>(2 * pictures))});
      columns.push_back({label_field("label", {"a", "b"}), bytes_of(std::span<const std::int32_t>(labels))});
      MemorySource("shop", std::move(columns));
    };
  };
  EXPECT_NO_THROW(source(2, {0, 1})());
  EXPECT_ERROR(source(2, {0, 1, 0})(), Error::Kind::data, "shop: the field 'label' has 3 rows, but 'picture' has 2");
  EXPECT_ERROR(source(2, {0, 2})(), Error::Kind::data,
               "shop: the label of row 1 is 2, but there are 2 classes, counted from 0");
  EXPECT_ERROR(source(2, {-1, 0})(), Error::Kind::data,
               "shop: the label of row 0 is -1, but there are 2 classes, counted from 0");
  EXPECT_ERROR(source(0, {})(), Error::Kind::data, "shop: has 0 rows");
}

TEST(MemorySource, ItsFingerprintTellsEveryPicture) {
  const Data data = one_source(17), other = two_sources();
  const std::string& text = main_source(data).fingerprint();
  EXPECT_TRUE(text.starts_with("17 pictures of 3x5x4, crc32c ")) << text;
  EXPECT_NE(text.find("; target of 7x1x1, crc32c "), std::string::npos) << text;
  EXPECT_EQ(text.find("label"), std::string::npos) << text;
  EXPECT_EQ(dataset_fingerprint(data), text);
  EXPECT_EQ(dataset_fingerprint(other), "a: " + other.at("a")->fingerprint() + "; b: " + other.at("b")->fingerprint());
  EXPECT_NE(other.at("a")->fingerprint(), other.at("b")->fingerprint());
}

}  // namespace
}  // namespace duel::test
