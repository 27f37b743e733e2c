#include "host/explain/unit_views.h"

#include "engine/rewrite/fuse.h"
#include "host/explain/last_map.h"
#include "host/sample/recorded_sampling.h"
#include "kernels/check.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace duel {

namespace {

// The node behind that which makes `value`.
std::size_t place_behind(const Program& program, Value value) {
  for (std::size_t i = 0; i < program.nodes().size(); ++i) {
    const std::vector<Value>& outputs = program.nodes()[i].outputs;
    if (std::find(outputs.begin(), outputs.end(), value) != outputs.end()) {
      return i + 1;
    }
  }
  throw_error(Error::Kind::internal, "map surgery: no node makes \"{}\"", program.info(value).name);
}

// What nodes from `behind` on read of what the nodes before have made: it is read again at each run of them.
void keep_what_is_read(Program& program, std::size_t behind) {
  std::vector<bool> is_made(static_cast<std::size_t>(program.value_count()), false);
  for (std::size_t i = 0; i < behind; ++i) {
    for (const Value output : program.nodes()[i].outputs) {
      is_made[static_cast<std::size_t>(output.id)] = true;
    }
  }
  for (std::size_t i = behind; i < program.nodes().size(); ++i) {
    for (const Value input : program.nodes()[i].inputs) {
      if (input.exists() && is_made[static_cast<std::size_t>(program.root(input).id)]) {
        program.keep(program.root(input));
      }
    }
  }
}

std::vector<std::int32_t> labels_of(const Questions& questions) {
  std::vector<std::int32_t> labels;
  for (const Question& question : questions.asked) {
    labels.push_back(question.label);
  }
  return labels;
}

}  // namespace

MapSurgery::MapSurgery(Context& context, const SamplingModel& model, Parameters::Block block)
    : picture_(model.sampling.inputs.at(0).shape),
      execution_(make_execution(context, model, block)),
      pictures_(context, static_cast<std::size_t>(kRows * picture_.count()) * sizeof(float)),
      labels_(context, kRows * sizeof(std::int32_t)),
      arena_(context, execution_.plan().arena_bytes) {
  pictures_.clear();
  labels_.clear();
  Storage storage = model.storage;
  storage.add("input/" + model.sampling.inputs[0].name, pictures_.view(picture_.with_rows(kRows), DType::f32));
  if (model.sampling.inputs.size() > 1) {
    storage.add("input/" + model.sampling.inputs[1].name, labels_.view({kRows}, DType::i32));
  }
  execution_.attach(arena_.data(), storage);
}

Execution MapSurgery::make_execution(Context& context, const SamplingModel& model, Parameters::Block block) {
  RecordedSampling recorded = record_sampling(model.sampling, model.networks, {kRows, block, std::nullopt, false});
  Program& program = recorded.program;
  logits_ = recorded.outputs.at(0);
  logits_count_ = program.shape(logits_)[1];
  map_ = last_map(program, recorded.inputs[0], logits_);
  check(map_.exists(), "map surgery: the network has no map");
  map_shape_ = program.shape(map_).with_rows(1);
  program.keep(map_);
  fuse(program);
  behind_ = place_behind(program, map_);
  keep_what_is_read(program, behind_);
  return {context, std::move(program)};
}

std::vector<float> MapSurgery::map_of(Context& context, std::span<const float> pictures,
                                      std::span<const std::int32_t> labels) {
  check(labels.size() <= kRows && pictures.size() == labels.size() * static_cast<std::size_t>(picture_.count()),
        "map surgery: {} numbers for {} pictures of {}", pictures.size(), labels.size(), picture_);
  context.upload(pictures_.data(), pictures.data(), pictures.size_bytes());
  context.upload(labels_.data(), labels.data(), labels.size_bytes());
  for (std::size_t i = 0; i < behind_; ++i) {
    execution_.run_node(context, i);
  }
  std::vector<float> map = download<float>(context, execution_.view(map_));
  map.resize(labels.size() * static_cast<std::size_t>(map_shape_.count()));
  return map;
}

std::vector<float> MapSurgery::logits_from(Context& context, std::span<const float> map) {
  const std::size_t rows = map.size() / static_cast<std::size_t>(map_shape_.count());
  check(rows <= kRows && map.size() % static_cast<std::size_t>(map_shape_.count()) == 0,
        "map surgery: a map of {} numbers", map.size());
  context.upload(execution_.view(map_).data, map.data(), map.size_bytes());
  for (std::size_t i = behind_; i < execution_.program().nodes().size(); ++i) {
    execution_.run_node(context, i);
  }
  std::vector<float> logits = download<float>(context, execution_.view(logits_));
  logits.resize(rows * static_cast<std::size_t>(logits_count_));
  return logits;
}

UnitViews::UnitViews(Context& context, const SamplingModel& model, Parameters::Block block)
    : surgery_(context, model, block) {}

void UnitViews::add(Context& context, const Questions& questions) {
  const std::size_t count = questions.asked.size();
  const std::size_t size = count == 0 ? 0 : questions.pictures.size() / count;
  for (std::size_t first = 0; first < count; first += MapSurgery::kRows) {
    const std::size_t rows = std::min<std::size_t>(count - first, MapSurgery::kRows);
    add_batch(context, {questions.pictures.subspan(first * size, rows * size), questions.asked.subspan(first, rows)});
  }
}

std::vector<float> UnitViews::channel_of(Context& context, const Questions& questions, int channel) {
  const std::vector<float> map = surgery_.map_of(context, questions.pictures, labels_of(questions));
  std::vector<float> values;
  for (auto i = static_cast<std::size_t>(channel); i < map.size();
       i += static_cast<std::size_t>(surgery_.map().back())) {
    values.push_back(map[i]);
  }
  return values;
}

void UnitViews::add_batch(Context& context, const Questions& questions) {
  const std::size_t rows = questions.asked.size(), width = static_cast<std::size_t>(surgery_.logits());
  const auto channels = static_cast<std::size_t>(surgery_.map().back());
  const std::size_t places = static_cast<std::size_t>(surgery_.map().count()) / channels;
  const std::vector<float> map = surgery_.map_of(context, questions.pictures, labels_of(questions));
  const std::vector<float> whole = surgery_.logits_from(context, map);
  const std::size_t begin = activations_.size();
  activations_.resize(begin + rows * channels);
  effects_.resize(begin + rows * channels);
  std::vector<float> without = map;
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = c; i < map.size(); i += channels) {
      activations_[begin + i / (places * channels) * channels + c] += map[i] / static_cast<float>(places);
      without[i] = 0;
    }
    const std::vector<float> logits = surgery_.logits_from(context, without);
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t asked = row * width + static_cast<std::size_t>(questions.asked[row].logit);
      effects_[begin + row * channels + c] = whole[asked] - logits[asked];
    }
    for (std::size_t i = c; i < map.size(); i += channels) {
      without[i] = map[i];
    }
  }
  pictures_ += static_cast<std::int64_t>(rows);
}

std::vector<Unit> UnitViews::units(std::size_t strongest) const {
  const auto channels = static_cast<std::size_t>(surgery_.map().back());
  const auto count = static_cast<std::size_t>(pictures_);
  std::vector<Unit> units(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    Unit& unit = units[c];
    unit.channel = static_cast<int>(c);
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (const std::size_t i : order) {
      unit.activation += static_cast<double>(activations_[i * channels + c]) / static_cast<double>(count);
      unit.effect += static_cast<double>(effects_[i * channels + c]) / static_cast<double>(count);
    }
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return activations_[a * channels + c] > activations_[b * channels + c];
    });
    order.resize(std::min(order.size(), strongest));
    for (const std::size_t i : order) {
      unit.strongest.push_back({static_cast<std::int64_t>(i), static_cast<double>(activations_[i * channels + c]),
                                static_cast<double>(effects_[i * channels + c])});
    }
  }
  return units;
}

}  // namespace duel
