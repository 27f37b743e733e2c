#include "host/train/reconstructions.h"

#include "host/data/first_rows.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

namespace duel {

namespace {

std::vector<std::vector<std::byte>> rows_of(const Source& source, const std::vector<Field>& fields, int count) {
  std::vector<std::vector<std::byte>> rows;
  for (const Field& field : fields) {
    rows.push_back(first_rows(source, field, count));
  }
  return rows;
}

}  // namespace

int reconstruction_rows(int sample_rows) {
  return 2 * std::max(sample_rows / 2, 1);
}

Reconstructions::Reconstructions(const Options& options, const Source& source, Trainer& trainer, Sampling sampling)
    : rows_(reconstruction_rows(options.output.sample_rows)),
      columns_(options.output.sample_columns),
      sampling_(std::move(sampling)),
      sampler_(trainer.context(), trainer.queue(), {sampling_, trainer.networks(), trainer.memory().storage()},
               Parameters::Block::average, rows_of(source, sampling_.inputs, rows_ / 2 * columns_)) {
  const RowScale scale = sampling_.inputs[0].scale;
  for (const std::byte value : sampler_.rows(0)) {
    pictures_.push_back(static_cast<float>(value) / scale.divisor + scale.shift);
  }
}

std::vector<float> Reconstructions::sheet() {
  const std::span<const std::byte> bytes = sampler_.snapshot().bytes();
  const std::span<const float> made(reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float));
  const std::size_t row = pictures_.size() / static_cast<std::size_t>(rows_ / 2);
  std::vector<float> sheet;
  for (std::size_t at = 0; at < pictures_.size(); at += row) {
    for (const std::span<const float> each : {std::span<const float>(pictures_), made}) {
      const std::span<const float> part = each.subspan(at, row);
      sheet.insert(sheet.end(), part.begin(), part.end());
    }
  }
  return sheet;
}

}  // namespace duel
