#include "host/latents/first_layer.h"

#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace duel {

namespace {

constexpr int kRows = Sampler::kBatch;

bool is_among(const Program& program, const std::set<int>& roots, Value value) {
  return value.exists() && roots.count(program.root(value).id) > 0;
}

bool reads_any(const Program& program, const std::set<int>& roots, const Node& node) {
  return std::any_of(node.inputs.begin(), node.inputs.end(),
                     [&](Value input) { return is_among(program, roots, input); });
}

// What leaves a latent as it is.
bool passes_on(std::string_view op) {
  return op == "cast" || op == "copy" || op == "concat_columns";
}

struct FoundLayer {
  std::vector<Value> products, features;
  std::string place;
};

// From a product on to behind its activation: what follows it as long as nothing else is between.
Value feature_behind(const Program& program, std::size_t first, Value product) {
  Value last = product;
  for (std::size_t i = first; i < program.nodes().size(); ++i) {
    const Node& node = program.nodes()[i];
    if (!reads_any(program, {program.root(last).id}, node)) {
      continue;
    }
    if (node.op != "bias_act_forward" && node.op != "batch_norm_inference") {
      break;
    }
    last = node.outputs[0];
    if (node.op == "bias_act_forward") {
      break;
    }
  }
  return last;
}

FoundLayer find_layer(const Program& program, Value latent) {
  FoundLayer found;
  std::set<int> same = {program.root(latent).id};  // the latent, or rows that hold it
  for (std::size_t i = 0; i < program.nodes().size(); ++i) {
    const Node& node = program.nodes()[i];
    if (!reads_any(program, same, node)) {
      continue;
    }
    if (passes_on(node.op)) {
      same.insert(program.root(node.outputs[0]).id);
    } else if (node.traits.is_product) {
      found.products.push_back(node.outputs[0]);
      found.features.push_back(feature_behind(program, i + 1, node.outputs[0]));
      found.place = found.place.empty() ? program.place(node) : found.place;
    } else {
      throw_error(Error::Kind::usage,
                  "explore: the latent goes into {} ({}) first, and directions are found of a layer of products",
                  node.op, program.place(node));
    }
  }
  if (found.products.empty()) {
    throw_error(Error::Kind::usage, "explore: no layer of products reads the latent");
  }
  return found;
}

}  // namespace

FirstLayer::FirstLayer(Context& context, const SamplingModel& model, Parameters::Block block)
    : context_(context),
      latent_(static_cast<int>(drawn_inputs(model.sampling).latent.shape.row_count())),
      execution_(make_execution(model, block)),
      arena_(context, execution_.plan().arena_bytes),
      latents_(context, sizeof(float) * kRows * static_cast<std::size_t>(latent_)),
      class_shares_(context, sizeof(float) * kRows * static_cast<std::size_t>(classes_)) {
  Storage storage = model.storage;
  storage.add("latents", latents_.view({kRows, latent_}, DType::f32));
  if (classes_ > 0) {
    storage.add("classes", class_shares_.view({kRows, classes_}, DType::f32));
  }
  execution_.attach(arena_.data(), storage);
}

Execution FirstLayer::make_execution(const SamplingModel& model, Parameters::Block block) {
  Program program;
  std::vector<RecordedState> state;
  const Value z = program.bind("latents", {kRows, latent_}, DType::f32);
  std::vector<Value> inputs = {z};
  if (const std::optional<Field> field = drawn_inputs(model.sampling).classes) {
    classes_ = static_cast<int>(field->shape.row_count());
    inputs.push_back(program.bind("classes", {kRows, classes_}, DType::f32));
  }
  record_outputs(program, model.sampling, model.networks, block, inputs, state);
  FoundLayer found = find_layer(program, z);
  products_ = std::move(found.products);
  features_ = std::move(found.features);
  place_ = found.place;
  for (const std::vector<Value>* kept : {&products_, &features_}) {
    for (const Value each : *kept) {
      program.keep(each);
    }
  }
  program.prune();  // what follows is not needed
  return {context_, std::move(program)};
}

FirstLayer::Rows FirstLayer::run(std::span<const float> latents, std::span<const float> classes,
                                 const std::vector<Value>& outputs) {
  const auto width = static_cast<std::size_t>(latent_), kinds = static_cast<std::size_t>(classes_);
  const std::size_t count = latents.size() / width;
  Rows rows;
  for (const Value output : outputs) {
    rows.width += execution_.program().shape(output).count() / kRows;
  }
  for (std::size_t first = 0; first < count; first += kRows) {
    const std::size_t part = std::min<std::size_t>(count - first, kRows);
    std::vector<float> z(width * kRows), shares(kinds * kRows);
    std::copy_n(latents.begin() + static_cast<std::ptrdiff_t>(first * width), part * width, z.begin());
    std::copy_n(classes.begin() + static_cast<std::ptrdiff_t>(first * kinds), classes.empty() ? 0 : part * kinds,
                shares.begin());
    upload<float>(context_, latents_.view({kRows, latent_}, DType::f32), z);
    if (kinds > 0) {
      upload<float>(context_, class_shares_.view({kRows, classes_}, DType::f32), shares);
    }
    execution_.run(context_);
    std::vector<std::vector<float>> made;
    for (const Value output : outputs) {
      View view = execution_.view(output);
      check(view.dtype == DType::f32, "first layer: {} is not made in f32", place_);
      made.push_back(download<float>(context_, view));
    }
    for (std::size_t row = 0; row < part; ++row) {
      for (const std::vector<float>& each : made) {
        const auto size = static_cast<std::ptrdiff_t>(each.size() / kRows);
        const auto begin = each.begin() + static_cast<std::ptrdiff_t>(row) * size;
        rows.values.insert(rows.values.end(), begin, begin + size);
      }
    }
  }
  return rows;
}

FirstLayer::Matrix FirstLayer::matrix() {
  const auto width = static_cast<std::size_t>(latent_);
  std::vector<float> units((width + 1) * width);  // the last row is zero: what does not come of the latent
  for (std::size_t i = 0; i < width; ++i) {
    units[i * width + i] = 1;
  }
  const Rows made = run(units, {}, products_);
  Matrix matrix{made.width, {}};
  const auto outputs = static_cast<std::size_t>(made.width);
  for (std::size_t i = 0; i < width; ++i) {
    for (std::size_t j = 0; j < outputs; ++j) {
      matrix.values.push_back(double{made.values[i * outputs + j]} - double{made.values[width * outputs + j]});
    }
  }
  return matrix;
}

FirstLayer::Rows FirstLayer::features(std::span<const float> latents, std::span<const float> classes) {
  return run(latents, classes, features_);
}

}  // namespace duel
