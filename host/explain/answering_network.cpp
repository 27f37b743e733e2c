#include "host/explain/answering_network.h"

#include "engine/ops/ops.h"
#include "engine/rewrite/differentiate.h"
#include "engine/rewrite/fuse.h"
#include "host/explain/last_map.h"
#include "host/sample/drawing_memory.h"
#include "host/sample/recorded_sampling.h"
#include "kernels/check.h"

#include <algorithm>
#include <string>
#include <utility>

namespace duel {

namespace {

constexpr const char* kAsked = "asked";  // of the logits of each row the one that is asked about: 1, the others 0

// Numbers of each row, fetched from the device.
class Fetched {
public:
  Fetched(Context& context, const View& view) : size_(view.data == nullptr ? 0 : view.shape.row_count()) {
    if (size_ > 0) {
      values_ = download<float>(context, view);
    }
  }
  std::span<const float> row(std::size_t i) const { return std::span(values_).subspan(i * size_, size_); }

private:
  std::size_t size_;
  std::vector<float> values_;
};

Buffer checked_arena(Context& context, const Execution& execution) {
  check_drawing_memory(context, {0, execution.plan().arena_bytes, 0});
  return {context, execution.plan().arena_bytes};
}

}  // namespace

AnsweringNetwork::AnsweringNetwork(Context& context, const SamplingModel& model, Parameters::Block block,
                                   Derivatives derivatives)
    : picture_(model.sampling.inputs.at(0).shape),
      execution_(make_execution(context, model, block, derivatives)),
      pictures_(context, static_cast<std::size_t>(kRows * picture_.count()) * sizeof(float)),
      shares_(context, static_cast<std::size_t>(kRows) * static_cast<std::size_t>(logits_count_) * sizeof(float)),
      labels_(context, kRows * sizeof(std::int32_t)),
      arena_(checked_arena(context, execution_)) {
  pictures_.clear();
  shares_.clear();
  labels_.clear();
  Storage storage = model.storage;
  storage.add("input/" + model.sampling.inputs[0].name, pictures_.view(picture_.with_rows(kRows), DType::f32));
  if (model.sampling.inputs.size() > 1) {
    storage.add("input/" + model.sampling.inputs[1].name, labels_.view({kRows}, DType::i32));
  }
  storage.add(kAsked, shares_.view({kRows, logits_count_}, DType::f32));
  execution_.attach(arena_.data(), storage);
}

Execution AnsweringNetwork::make_execution(Context& context, const SamplingModel& model, Parameters::Block block,
                                           Derivatives derivatives) {
  const std::vector<Field>& inputs = model.sampling.inputs;
  check(inputs[0].kind == FieldKind::picture && inputs[0].dtype == DType::f32 &&
            (inputs.size() == 1 || (inputs.size() == 2 && inputs[1].kind == FieldKind::label)),
        "answering network: {} inputs, of which the first is {}, but a picture in f32 and perhaps a label are taken",
        inputs.size(), inputs[0].name);
  RecordedSampling recorded = record_sampling(model.sampling, model.networks, {kRows, block, std::nullopt, false});
  Program& program = recorded.program;
  logits_ = recorded.outputs.at(0);
  logits_count_ = program.shape(logits_)[1];
  map_ = last_map(program, recorded.inputs[0], logits_);
  if (map_.exists()) {
    map_shape_ = program.shape(map_).with_rows(1);
    program.keep(map_);
  }
  if (derivatives == Derivatives::taken) {
    // Rows do not depend on one another, so the gradient of the sum over rows is that of each row's own logit.
    const Value shares = program.bind(kAsked, {kRows, logits_count_}, DType::f32);
    std::vector<Value> sources = {recorded.inputs[0]};
    if (map_.exists()) {
      sources.push_back(map_);
    }
    const std::vector<Value> gradients = differentiate(program, ops::multiply(program, logits_, shares), sources);
    gradient_ = gradients[0];
    map_gradient_ = map_.exists() ? gradients[1] : Value{};
    for (const Value gradient : gradients) {
      program.keep(gradient);
    }
  }
  fuse(program);
  return {context, std::move(program)};
}

void AnsweringNetwork::ask(Context& context, std::int64_t rows, const Fill& fill, const Take& take) const {
  const auto size = static_cast<std::size_t>(picture_.count());
  const auto width = static_cast<std::size_t>(logits_count_);
  std::vector<float> pictures(kRows * size), shares(kRows * width);
  std::vector<std::int32_t> labels(kRows);
  for (std::int64_t first = 0; first < rows; first += kRows) {
    const auto count = static_cast<std::size_t>(std::min<std::int64_t>(rows - first, kRows));
    std::fill(shares.begin(), shares.end(), 0.0F);
    for (std::size_t i = 0; i < count; ++i) {
      const Question question = fill(first + static_cast<std::int64_t>(i), std::span(pictures).subspan(i * size, size));
      check(question.logit >= 0 && question.logit < logits_count_, "answering network: logit {} of {}", question.logit,
            logits_count_);
      shares[i * width + static_cast<std::size_t>(question.logit)] = 1;
      labels[i] = question.label;
    }
    upload<float>(context, pictures_.view(picture_.with_rows(kRows), DType::f32), pictures);
    upload<float>(context, shares_.view({kRows, logits_count_}, DType::f32), shares);
    upload<std::int32_t>(context, labels_.view({kRows}, DType::i32), labels);
    execution_.run(context);
    const Fetched logits(context, view(logits_)), map(context, view(map_)), gradient(context, view(gradient_)),
        map_gradient(context, view(map_gradient_));
    for (std::size_t i = 0; i < count; ++i) {
      take(first + static_cast<std::int64_t>(i), {logits.row(i), map.row(i), gradient.row(i), map_gradient.row(i)});
    }
  }
}

void AnsweringNetwork::ask(Context& context, const Questions& questions, const Take& take) const {
  const auto size = static_cast<std::size_t>(picture_.count());
  check(questions.pictures.size() == questions.asked.size() * size,
        "answering network: {} numbers for {} pictures of {}", questions.pictures.size(), questions.asked.size(),
        picture_);
  ask(
      context, std::ssize(questions.asked),
      [&](std::int64_t row, std::span<float> picture) {
        const auto place = static_cast<std::size_t>(row);
        const std::span<const float> its = questions.pictures.subspan(place * size, size);
        std::copy(its.begin(), its.end(), picture.begin());
        return questions.asked[place];
      },
      take);
}

std::vector<float> logits_of(Context& context, const AnsweringNetwork& network, const Questions& questions) {
  std::vector<float> all;
  network.ask(context, questions, [&](std::int64_t, const AnsweringNetwork::Row& answer) {
    all.insert(all.end(), answer.logits.begin(), answer.logits.end());
  });
  return all;
}

}  // namespace duel
