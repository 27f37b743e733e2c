#include "host/export/portable_program.h"

#include "engine/program/execution.h"
#include "host/sample/recorded_sampling.h"
#include "kernels/check.h"
#include "kernels/memory.h"

#include <algorithm>
#include <utility>

namespace duel {

namespace {

// Two batches of sizes that share no factor: an extent that is the same in both does not count rows.
constexpr int kRows = 3, kOtherRows = 5;

constexpr const char* kInputs = "input/";

std::vector<std::int64_t> extents_of(const Shape& shape, const Shape& other, const std::string& where) {
  std::vector<std::int64_t> extents;
  bool is_known = shape.rank() == other.rank();
  for (int axis = 0; is_known && axis < shape.rank(); ++axis) {
    const int a = shape[axis], b = other[axis];
    const bool counts_rows = a % kRows == 0 && b == a / kRows * kOtherRows;
    is_known = a == b || counts_rows;
    extents.push_back(a == b ? a : kBatchExtent * (a / kRows));
  }
  check(is_known, "export: \"{}\" is {} of {} rows, but {} of {}", where, shape, kRows, other, kOtherRows);
  return extents;
}

// Zeros for each array that is bound as an input.
std::vector<Buffer> bind_inputs(Context& context, const Program& program, Storage& storage) {
  std::vector<Buffer> buffers;
  for (int id = 0; id < program.value_count(); ++id) {
    const ValueInfo& info = program.info(Value{id});
    if (info.bound.storage.starts_with(kInputs) && storage.find(info.bound.storage) == nullptr) {
      const View described = program.described(Value{id});
      buffers.emplace_back(context, described.bytes()).clear();
      storage.add(info.bound.storage, buffers.back().view(described.shape, described.dtype));
    }
  }
  return buffers;
}

}  // namespace

Sampling with_pictures_in_f32(Sampling sampling) {
  for (Field& field : sampling.inputs) {
    field.dtype = field.dtype == DType::u8 ? DType::f32 : field.dtype;
  }
  return sampling;
}

Sampling with_class_numbers(Sampling sampling) {
  for (Field& field : sampling.inputs) {
    if (field.kind == FieldKind::attributes) {
      field = label_field(field.name, field.names);
    }
  }
  return sampling;
}

PortableProgram::PortableProgram(Context& context, const SamplingModel& model, Parameters::Block block) {
  RecordedSampling recorded = record_sampling(model.sampling, model.networks, {kRows, block, std::nullopt});
  const Program other = record_sampling(model.sampling, model.networks, {kOtherRows, block, std::nullopt}).program;
  program_ = std::move(recorded.program);
  outputs_ = std::move(recorded.outputs);
  check(other.value_count() == program_.value_count() && other.nodes().size() == program_.nodes().size(),
        "export: {} rows are recorded with {} nodes, but {} with {}", kRows, program_.nodes().size(), kOtherRows,
        other.nodes().size());
  for (int id = 0; id < program_.value_count(); ++id) {
    const Value value{id};
    extents_.push_back(extents_of(program_.shape(value), other.shape(value), program_.info(program_.root(value)).name));
  }
  find_constants();
  const std::vector<Value> read = constants_read();
  for (const Value value : read) {
    program_.keep(value);
  }
  Storage storage = model.storage;
  const std::vector<Buffer> inputs = bind_inputs(context, program_, storage);
  Execution execution(context, program_);
  const Buffer arena(context, execution.plan().arena_bytes);
  execution.attach(arena.data(), storage);
  execution.run(context);
  for (const Value value : read) {
    check(program_.dtype(value) == DType::f32, "export: the constant \"{}\" is {}, but must be f32",
          program_.info(value).name, name_of(program_.dtype(value)));
    numbers_[value.id] = download<float>(context, execution.view(value));
  }
}

void PortableProgram::find_constants() {
  is_constant_.assign(static_cast<std::size_t>(program_.value_count()), false);
  for (int id = 0; id < program_.value_count(); ++id) {
    const Binding& bound = program_.info(Value{id}).bound;
    is_constant_[static_cast<std::size_t>(id)] = bound.exists() && !bound.storage.starts_with(kInputs);
  }
  const auto is_fixed = [&](Value value) {
    const std::vector<std::int64_t> all = extents(value);
    return std::all_of(all.begin(), all.end(), [](std::int64_t extent) { return extent >= 0; });
  };
  for (const Node& node : program_.nodes()) {
    const bool is_of_constants = std::all_of(node.inputs.begin(), node.inputs.end(),
                                             [&](Value input) { return !input.exists() || is_constant(input); });
    const bool is_constant_node =
        is_of_constants && node.writes.empty() && std::all_of(node.outputs.begin(), node.outputs.end(), is_fixed);
    for (const Value output : node.outputs) {
      is_constant_[static_cast<std::size_t>(output.id)] = is_constant_node;
    }
  }
}

// Roots of the constants that other nodes read.
std::vector<Value> PortableProgram::constants_read() const {
  std::vector<Value> read;
  const auto add = [&](Value value) {
    if (value.exists() && is_constant(value)) {
      read.push_back(program_.root(value));
    }
  };
  for (const Node& node : program_.nodes()) {
    if (!node.outputs.empty() && !is_constant(node.outputs[0])) {
      std::for_each(node.inputs.begin(), node.inputs.end(), add);
    }
  }
  std::for_each(outputs_.begin(), outputs_.end(), add);
  std::sort(read.begin(), read.end(), [](Value a, Value b) { return a.id < b.id; });
  read.erase(std::unique(read.begin(), read.end()), read.end());
  return read;
}

Value PortableProgram::input(const std::string& field) const {
  for (int id = 0; id < program_.value_count(); ++id) {
    if (program_.info(Value{id}).bound.storage == kInputs + field) {
      return {id};
    }
  }
  throw_error(Error::Kind::internal, "export: the program has no input {}", field);
}

std::vector<std::int64_t> PortableProgram::extents(Value value) const {
  return extents_[static_cast<std::size_t>(value.id)];
}

const std::vector<float>& PortableProgram::numbers(Value value) const {
  const auto found = numbers_.find(program_.root(value).id);
  check(found != numbers_.end(), "export: \"{}\" is no constant that is read", program_.info(value).name);
  return found->second;
}

}  // namespace duel
