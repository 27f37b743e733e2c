#include "host/sample/sheet_sampler.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

namespace duel {

SheetSampler::SheetSampler(Context& context, DeviceQueue& queue, const SamplingModel& model, Parameters::Block block,
                           std::uint64_t seed, int count)
    : context_(context),
      queue_(queue),
      sampler_(context, model, block, seed),
      picture_bytes_(sampler_.pictures().bytes() / Sampler::kBatch),
      count_(count),
      batches_((count + Sampler::kBatch - 1) / Sampler::kBatch),
      numbers_(context, static_cast<std::size_t>(batches_) * sizeof(std::int64_t)),
      sheet_(context, static_cast<std::size_t>(count) * picture_bytes_),
      draw_(queue.add_work([this] { queue_pictures(); })),
      snapshot_(queue, {{{static_cast<const std::byte*>(sheet_.data()), sheet_.bytes()}},
                        [this] { queue_.launch(draw_, 1); }}) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(batches_));
  std::iota(numbers.begin(), numbers.end(), 0);
  context.upload(numbers_.data(), numbers.data(), numbers_.bytes());
}

void SheetSampler::queue_pictures() {
  auto* const sheet = static_cast<std::byte*>(sheet_.data());
  const View counter = sampler_.counter(), pictures = sampler_.pictures();
  for (int batch = 0; batch < batches_; ++batch) {
    const int first = batch * Sampler::kBatch;
    queue_.copy(counter.data, static_cast<std::int64_t*>(numbers_.data()) + batch, sizeof(std::int64_t));
    sampler_.queue_batch(context_);
    queue_.copy(sheet + static_cast<std::size_t>(first) * picture_bytes_, pictures.data,
                static_cast<std::size_t>(std::min(Sampler::kBatch, count_ - first)) * picture_bytes_);
  }
}

}  // namespace duel
