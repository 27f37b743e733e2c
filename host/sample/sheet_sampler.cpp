#include "host/sample/sheet_sampler.h"

#include "host/sample/class_choice.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

namespace duel {

SheetSampler::SheetSampler(Context& context, DeviceQueue& queue, const SamplingModel& model, Parameters::Block block,
                           std::uint64_t seed, const SheetShape& sheet)
    : context_(context),
      queue_(queue),
      sampler_(context, model, block, seed),
      picture_bytes_(sampler_.pictures().bytes() / Sampler::kBatch),
      count_(sheet.rows * sheet.columns),
      batches_((count_ + Sampler::kBatch - 1) / Sampler::kBatch),
      numbers_(context, static_cast<std::size_t>(batches_) * sizeof(std::int64_t)),
      classes_(context, static_cast<std::size_t>(batches_) * sampler_.classes().bytes()),
      sheet_(context, static_cast<std::size_t>(count_) * picture_bytes_),
      draw_(queue.add_work([this] { queue_pictures(); })),
      snapshot_(queue, {{{static_cast<const std::byte*>(sheet_.data()), sheet_.bytes()}},
                        [this] { queue_.launch(draw_, 1); }}) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(batches_));
  std::iota(numbers.begin(), numbers.end(), 0);
  context.upload(numbers_.data(), numbers.data(), numbers_.bytes());
  if (classes_.bytes() > 0) {
    const auto classes = static_cast<int>(sampler_.classes().shape.row_count());
    std::vector<float> shares = one_hot(classes_by_row(sheet.rows, sheet.columns, classes), classes);
    shares.resize(classes_.bytes() / sizeof(float));  // the last batch's rest is drawn and left out
    context.upload(classes_.data(), shares.data(), classes_.bytes());
  }
}

void SheetSampler::queue_pictures() {
  auto* const sheet = static_cast<std::byte*>(sheet_.data());
  const View counter = sampler_.counter(), pictures = sampler_.pictures();
  for (int batch = 0; batch < batches_; ++batch) {
    const int first = batch * Sampler::kBatch;
    queue_.copy(counter.data, static_cast<std::int64_t*>(numbers_.data()) + batch, sizeof(std::int64_t));
    if (const View classes = sampler_.classes(); classes_.bytes() > 0) {
      const auto* const shares = static_cast<const std::byte*>(classes_.data());
      queue_.copy(classes.data, shares + static_cast<std::size_t>(batch) * classes.bytes(), classes.bytes());
    }
    sampler_.queue_batch(context_);
    queue_.copy(sheet + static_cast<std::size_t>(first) * picture_bytes_, pictures.data,
                static_cast<std::size_t>(std::min(Sampler::kBatch, count_ - first)) * picture_bytes_);
  }
}

}  // namespace duel
