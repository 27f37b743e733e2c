#include "host/sample/sampler.h"

#include "kernels/check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <utility>

namespace duel {

namespace {

Shape classes_shape(const Sampling& sampling) {
  const DrawnInputs inputs = drawn_inputs(sampling);
  return inputs.classes ? inputs.classes->shape.with_rows(Sampler::kBatch) : Shape();
}

std::vector<Field> given_inputs(const Sampling& sampling, bool are_vectors_drawn) {
  std::vector<Field> fields;
  std::copy_if(sampling.inputs.begin(), sampling.inputs.end(), std::back_inserter(fields),
               [&](const Field& field) { return field.kind != FieldKind::vector || !are_vectors_drawn; });
  return fields;
}

std::vector<Buffer> input_buffers(Context& context, const std::vector<Field>& fields, int rows) {
  std::vector<Buffer> buffers;
  for (const Field& field : fields) {
    buffers.emplace_back(context, static_cast<std::size_t>(rows) * field.row_bytes());
  }
  return buffers;
}

}  // namespace

namespace {

// Those that there are, and perhaps others beside them.
DrawnInputs known_inputs(const Sampling& sampling) {
  DrawnInputs inputs;
  for (const Field& field : sampling.inputs) {
    if (field.kind == FieldKind::vector) {
      inputs.latent = field;
    } else if (field.kind == FieldKind::attributes) {
      inputs.classes = field;
    }
  }
  return inputs;
}

}  // namespace

bool draws_pictures(const Sampling& sampling) {
  const DrawnInputs inputs = known_inputs(sampling);
  const bool are_drawn =
      inputs.latent.kind == FieldKind::vector && sampling.inputs.size() == (inputs.classes ? 2U : 1U);
  return are_drawn && !sampling.outputs.empty() && sampling.outputs[0].kind == FieldKind::picture;
}

DrawnInputs drawn_inputs(const Sampling& sampling) {
  if (!draws_pictures(sampling)) {
    std::vector<std::string> names;
    for (const Field& field : sampling.inputs) {
      names.push_back(field.name);
    }
    throw_error(Error::Kind::usage,
                "sampling: pictures are drawn from a vector and perhaps a class, but this recipe makes {} from {}",
                sampling.outputs.empty() ? "nothing" : sampling.outputs[0].name, fmt::join(names, ", "));
  }
  return known_inputs(sampling);
}

Sampler::Sampler(Context& context, const SamplingModel& model, Parameters::Block block, std::uint64_t seed)
    : counter_(context, sizeof(std::int64_t)),
      classes_shape_(classes_shape(model.sampling)),
      classes_(context,
               static_cast<std::size_t>(classes_shape_.rank() == 0 ? 0 : classes_shape_.count()) * sizeof(float)),
      execution_(make_execution(context, model, block, seed)),
      arena_(context, execution_.plan().arena_bytes) {
  Storage storage = model.storage;
  storage.add("counter", counter());
  if (const std::optional<Field> field = drawn_inputs(model.sampling).classes) {
    classes_.clear();
    storage.add("input/" + field->name, classes());
  }
  execution_.attach(arena_.data(), storage);
}

Execution Sampler::make_execution(Context& context, const SamplingModel& model, Parameters::Block block,
                                  std::uint64_t seed) {
  RecordedSampling recorded = record_sampling(model.sampling, model.networks, {kBatch, block, seed});
  output_ = recorded.outputs[0];
  return {context, std::move(recorded.program)};
}

std::vector<float> Sampler::draw(Context& context, std::int64_t first, int count, std::span<const float> classes) {
  std::vector<float> drawn;
  const auto size = static_cast<std::int64_t>(execution_.program().shape(output_).row_count());
  const std::int64_t width = classes_shape_.rank() == 0 ? 0 : classes_shape_.row_count();
  check(std::ssize(classes) == count * width, "sampler: {} shares of classes for {} pictures of {} classes",
        classes.size(), count, width);
  for (std::int64_t batch = first / kBatch; batch * kBatch < first + count; ++batch) {
    const std::int64_t begin = std::max<std::int64_t>(first - batch * kBatch, 0);
    const std::int64_t end = std::min<std::int64_t>(first + count - batch * kBatch, kBatch);
    upload<std::int64_t>(context, counter(), std::array{batch});
    if (width > 0) {
      std::vector<float> shares(static_cast<std::size_t>(kBatch * width));
      const auto its = classes.subspan(static_cast<std::size_t>((batch * kBatch + begin - first) * width),
                                       static_cast<std::size_t>((end - begin) * width));
      std::copy(its.begin(), its.end(), shares.begin() + begin * width);
      upload<float>(context, this->classes(), shares);
    }
    queue_batch(context);
    const std::vector<float> values = download<float>(context, pictures());
    drawn.insert(drawn.end(), values.begin() + begin * size, values.begin() + end * size);
  }
  return drawn;
}

int rows_at_once(const Sampling& sampling) {
  const auto is_picture = [](const Field& field) { return field.kind == FieldKind::picture; };
  const bool is_translation = !sampling.outputs.empty() && is_picture(sampling.outputs[0]) &&
                              std::all_of(sampling.inputs.begin(), sampling.inputs.end(), is_picture);
  if (!is_translation) {
    return Sampler::kBatch;
  }
  constexpr std::int64_t kPixels = std::int64_t{Sampler::kBatch} * 64 * 64;
  const Shape& picture = sampling.outputs[0].shape;
  const std::int64_t pixels = std::int64_t{picture[1]} * picture[2];
  return static_cast<int>(std::clamp<std::int64_t>(kPixels / pixels, 1, Sampler::kBatch));
}

RowSampler::RowSampler(Context& context, const SamplingModel& model, Parameters::Block block,
                       std::optional<std::uint64_t> seed, int rows)
    : batch_(rows > 0 ? rows : rows_at_once(model.sampling)),
      fields_(given_inputs(model.sampling, seed.has_value())),
      counter_(context, sizeof(std::int64_t)),
      inputs_(input_buffers(context, fields_, batch_)),
      execution_(make_execution(context, model, block, seed)),
      arena_(context, execution_.plan().arena_bytes) {
  counter_.clear();
  Storage storage = model.storage;
  storage.add("counter", counter_.view({1}, DType::i64));
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    inputs_[i].clear();
    storage.add("input/" + fields_[i].name, inputs_[i].view(fields_[i].shape.with_rows(batch_), fields_[i].dtype));
  }
  execution_.attach(arena_.data(), storage);
}

Execution RowSampler::make_execution(Context& context, const SamplingModel& model, Parameters::Block block,
                                     std::optional<std::uint64_t> seed) {
  RecordedSampling recorded = record_sampling(model.sampling, model.networks, {batch_, block, seed});
  outputs_ = recorded.outputs;
  return {context, std::move(recorded.program)};
}

std::vector<std::vector<float>> RowSampler::run(Context& context, std::span<const std::span<const std::byte>> rows,
                                                std::int64_t batch) {
  check(rows.size() == fields_.size(), "row sampler: {} inputs, where {} are taken", rows.size(), fields_.size());
  const std::size_t count = rows[0].size() / fields_[0].row_bytes();
  check(count <= static_cast<std::size_t>(batch_), "row sampler: {} rows are more than a batch", count);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    check(rows[i].size() == count * fields_[i].row_bytes(), "row sampler: {} bytes of {} for {} rows", rows[i].size(),
          fields_[i].name, count);
    context.upload(inputs_[i].data(), rows[i].data(), rows[i].size());
  }
  upload<std::int64_t>(context, counter_.view({1}, DType::i64), std::array{batch});
  execution_.run(context);
  std::vector<std::vector<float>> results;
  for (const Value output : outputs_) {
    results.push_back(download<float>(context, execution_.view(output)));
    results.back().resize(results.back().size() / static_cast<std::size_t>(batch_) * count);
  }
  return results;
}

std::size_t RowSampler::bytes() const {
  std::size_t bytes = arena_.bytes();
  for (const Buffer& input : inputs_) {
    bytes += input.bytes();
  }
  return bytes;
}

}  // namespace duel
