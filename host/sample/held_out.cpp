#include "host/sample/held_out.h"

#include "host/data/in_parallel.h"
#include "host/device/default_threads.h"
#include "kernels/check.h"

#include <algorithm>
#include <span>

namespace duel {

namespace {

constexpr std::uint64_t kSeed = 0;  // of drawn vectors: runs of any seed are measured alike

}  // namespace

std::string missing_inputs(const HeldOutMeasure& measure, const Source& source) {
  std::vector<std::string> needed;
  for (const Field& field : measure.sampling.inputs) {
    if (field.kind != FieldKind::vector) {
      needed.push_back(field.name);
    }
  }
  needed.insert(needed.end(), measure.needed.begin(), measure.needed.end());
  std::string missing;
  for (const std::string& name : needed) {
    if (!has_field(source, name)) {
      missing += (missing.empty() ? "" : ", ") + name;
    }
  }
  return missing;
}

HeldOut::HeldOut(Context& context, HeldOutMeasure measure, const Source& source, const Networks& networks,
                 const Storage& storage, Parameters::Block block, int threads)
    : measure_(std::move(measure)),
      source_(source),
      threads_(threads > 0 ? threads : default_threads().threads),
      sampler_(context, {measure_.sampling, networks, storage}, block, kSeed) {
  for (const Field& field : sampler_.inputs()) {
    fields_.push_back(field_index(source_, field.name));
    check(source_.fields()[fields_.back()].shape == field.shape, "held out: {} of {} is {}, but {} is measured",
          field.name, source_.name(), source_.fields()[fields_.back()].shape, field.shape);
  }
}

// What a row's outputs are reduced to, of rows that lie one behind the other from `first` on.
std::vector<float> HeldOut::reduced(std::int64_t first, std::int64_t count,
                                    const std::vector<std::vector<float>>& batch) const {
  std::vector<std::vector<float>> numbers(static_cast<std::size_t>(count));
  in_parallel(threads_, count, [&](std::int64_t row) {
    std::vector<std::span<const float>> its;
    for (const std::vector<float>& output : batch) {
      const std::size_t size = output.size() / static_cast<std::size_t>(count);
      its.push_back(std::span(output).subspan(static_cast<std::size_t>(row) * size, size));
    }
    numbers[static_cast<std::size_t>(row)] = measure_.reduce(source_, first + row, its);
  });
  std::vector<float> all;
  for (const std::vector<float>& each : numbers) {
    all.insert(all.end(), each.begin(), each.end());
  }
  return all;
}

HeldOut::Result HeldOut::measure(Context& context) {
  std::vector<std::vector<float>> outputs(measure_.reduce ? 1 : measure_.sampling.outputs.size());
  const std::int64_t size = sampler_.batch();
  std::vector<std::vector<std::byte>> rows(fields_.size());
  for (std::int64_t first = 0; first < source_.count(); first += size) {
    const std::int64_t count = std::min(source_.count() - first, size);
    std::vector<std::span<const std::byte>> given;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const std::size_t bytes = sampler_.inputs()[i].row_bytes();
      rows[i].resize(static_cast<std::size_t>(count) * bytes);
      for (std::int64_t row = 0; row < count; ++row) {
        source_.read(first + row, fields_[i], rows[i].data() + static_cast<std::size_t>(row) * bytes);
      }
      given.emplace_back(rows[i]);
    }
    std::vector<std::vector<float>> batch = sampler_.run(context, given, first / size);
    if (measure_.reduce) {
      batch = {reduced(first, count, batch)};
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      outputs[i].insert(outputs[i].end(), batch[i].begin(), batch[i].end());
    }
  }
  const std::vector<double> numbers = measure_.summarize(source_, outputs);
  check(numbers.size() == measure_.metrics.size(), "held out: {} numbers for {} metrics", numbers.size(),
        measure_.metrics.size());
  Result result;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    result.numbers.emplace_back(measure_.metrics[i], numbers[i]);
  }
  result.report = measure_.report ? measure_.report(source_, outputs) : "";
  return result;
}

}  // namespace duel
