// Named storage: bound values are found in it when a program is attached, and not before.
#include "engine/program/storage.h"

#include "engine/nn/layers.h"
#include "engine/ops/ops.h"
#include "engine/program/execution.h"
#include "kernels/check.h"
#include "kernels/memory.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace duel::test {
namespace {

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::internal);
    return error.what();
  }
  return "no error";
}

View view_of(float* data, int count) {
  return {data, {count}, DType::f32};
}

TEST(Storage, RefusesANameGivenTwiceAndAViewWithoutData) {
  std::array<float, 4> numbers{};
  Storage storage;
  storage.add("weights", view_of(numbers.data(), 4));
  EXPECT_EQ(storage.find("weights")->data, numbers.data());
  EXPECT_EQ(storage.find("weight"), nullptr);
  EXPECT_EQ(message_of([&] { storage.add("weights", view_of(numbers.data(), 4)); }),
            "storage: \"weights\" was added twice");
  EXPECT_EQ(message_of([&] { storage.add("bias", view_of(nullptr, 4)); }), "storage: \"bias\" (f32[4]) has no memory");
}

// y = 2 x, both outside the program; x behind one element of its storage.
Program record_doubling() {
  Program program;
  const Value x = program.bind("x", {4}, DType::f32, sizeof(float), "the input");
  ops::write_to(program, ops::affine(program, x, 2.0), program.bind("y", {4}, DType::f32));
  return program;
}

TEST(Storage, ARecordedProgramRunsOnWhateverMemoryItIsAttachedTo) {
  Context context = Context::cpu(1);
  Execution execution(context, record_doubling());
  EXPECT_EQ(execution.plan().arena_bytes, 0U);
  for (const float first : {1.0F, 10.0F}) {
    std::array<float, 5> x = {-1, first, 2, 3, 4};
    std::array<float, 4> y{};
    Storage storage;
    storage.add("x", view_of(x.data(), 5));
    storage.add("y", view_of(y.data(), 4));
    execution.attach(nullptr, storage);
    execution.run(context);
    EXPECT_EQ(y, (std::array<float, 4>{2 * first, 4, 6, 8}));
  }
}

TEST(Storage, WhatIsMissingOrTooSmallIsNamed) {
  Context context = Context::cpu(1);
  Execution execution(context, record_doubling());
  std::array<float, 5> numbers{};
  Storage storage;
  storage.add("y", view_of(numbers.data(), 4));
  EXPECT_EQ(message_of([&] { execution.attach(nullptr, storage); }),
            "execution: there is no storage \"x\", in which \"the input\" (f32[4]) is bound");
  storage.add("x", view_of(numbers.data(), 4));
  EXPECT_EQ(message_of([&] { execution.attach(nullptr, storage); }),
            "execution: storage \"x\" has 16 bytes, but \"the input\" (f32[4]) is bound at byte 4 of it");
  EXPECT_EQ(message_of([&] { execution.run(context); }), "execution: it was not attached to memory");
}

TEST(Storage, OnlyABoundValueIsAPlaceToWriteTo) {
  Program program;
  const Value x = program.bind("x", {4}, DType::f32);
  const Value y = ops::affine(program, x, 2.0);
  EXPECT_EQ(message_of([&] { ops::write_to(program, ops::affine(program, x, 3.0), y); }),
            "write_to: \"\" is not bound to memory outside the program");
  EXPECT_EQ(message_of([&] { ops::write_to(program, y, program.bind("z", {3}, DType::f32)); }),
            "write_to: the value is f32[4], but the memory f32[3] (recorded as \"\")");
}

// A network is recorded and planned before it has any memory, and its blocks are found by name afterwards.
TEST(Storage, ANetworkIsRecordedWithoutMemory) {
  Context context = Context::cpu(1);
  Parameters parameters("net");
  const Dense dense(parameters, "dense", 3, 2, Activation{});
  Program program;
  const BoundParameters weights(program, parameters, Parameters::Block::average, false);
  const Value y = dense(program, weights, program.bind("x", {1, 3}, DType::f32), DType::f32);
  program.keep(y);
  EXPECT_EQ(program.binding(weights[0]).storage, "net/average");
  EXPECT_EQ(program.binding(weights[1]).offset, 16 * sizeof(float));
  EXPECT_EQ(parameters.allocated_bytes(), 0U);
  Execution execution(context, std::move(program));

  parameters.allocate(context, {.training = false, .average = true});
  Storage storage;
  parameters.add_to(storage);
  std::vector<std::string> names;
  for (const auto& [name, view] : storage.all()) {
    names.push_back(name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"net/average", "net/master"}));
  const View average = parameters.view(Parameters::Block::average);
  average.as<float>()[0] = 5;   // of x[0] to y[0]
  average.as<float>()[16] = 1;  // the bias of y[0]
  std::array<float, 3> x = {2, 0, 0};
  storage.add("x", {x.data(), {1, 3}, DType::f32});
  Buffer arena(context, execution.plan().arena_bytes);
  execution.attach(arena.data(), storage);
  execution.run(context);
  EXPECT_EQ(download<float>(context, execution.view(y)), (std::vector<float>{11, 0}));
}

}  // namespace
}  // namespace duel::test
