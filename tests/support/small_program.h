// A program over a few small f32 arrays that a test fills, runs, and runs again with other values.
#pragma once

#include "engine/nn/parameters.h"
#include "engine/ops/ops.h"
#include "engine/program/execution.h"
#include "kernels/memory.h"

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace duel::test {

class SmallProgram {
public:
  SmallProgram() : context_(Context::cpu(2)) {}

  Program program;

  // An input of random values in [low, high], the same in every run of the test.
  Value input(const Shape& shape, float low = -1.0F, float high = 1.0F) {
    auto buffer = std::make_unique<Buffer>(context_, static_cast<std::size_t>(shape.count()) * sizeof(float));
    std::mt19937 generator(static_cast<unsigned>(1234 + inputs_.size()));
    std::uniform_real_distribution<float> uniform(low, high);
    auto* values = static_cast<float*>(buffer->data());
    for (std::int64_t i = 0; i < shape.count(); ++i) {
      values[i] = uniform(generator);
    }
    inputs_.push_back(std::move(buffer));
    return place("input" + std::to_string(inputs_.size() - 1), inputs_.back()->view(shape, DType::f32));
  }

  // Labels, bound as i32; in no place of data().
  Value labels(const std::vector<std::int32_t>& values) {
    labels_.push_back(std::make_unique<Buffer>(context_, values.size() * sizeof(std::int32_t)));
    const View view = labels_.back()->view({static_cast<int>(values.size())}, DType::i32);
    upload<std::int32_t>(context_, view, values);
    return place("labels" + std::to_string(labels_.size() - 1), view);
  }

  // The device's counter, bound as i64 [1].
  Value counter(std::int64_t start) {
    auto buffer = std::make_unique<Buffer>(context_, sizeof(std::int64_t));
    *static_cast<std::int64_t*>(buffer->data()) = start;
    inputs_.push_back(std::move(buffer));
    return place("counter" + std::to_string(inputs_.size() - 1), inputs_.back()->view({1}, DType::i64));
  }

  // Memory of the test's own, under a name of its own.
  Value place(const std::string& name, View view) {
    storage_.add(name, view);
    return program.bind(name, view.shape, view.dtype);
  }

  // Parameters that are allocated, under their own names.
  void place(const Parameters& parameters) { parameters.add_to(storage_); }

  const Storage& storage() const { return storage_; }
  float* data(std::size_t input) { return static_cast<float*>(inputs_[input]->data()); }
  Context& context() { return context_; }

  // Plans and prepares. Values to be read must have been kept.
  void finish() {
    execution_.emplace(context_, program);
    arena_ = Buffer(context_, execution_->plan().arena_bytes + 1);
    execution_->attach(arena_.data(), storage_);
  }

  const Execution& execution() const { return *execution_; }
  void run() { execution_->run(context_); }

  std::vector<float> read(Value value) { return download<float>(context_, execution_->view(value)); }

private:
  Context context_;
  std::vector<std::unique_ptr<Buffer>> inputs_, labels_;
  Storage storage_;
  std::optional<Execution> execution_;
  Buffer arena_;
};

}  // namespace duel::test
