#include "host/sample/row_sheet_sampler.h"

#include "kernels/check.h"

#include <algorithm>
#include <utility>

namespace duel {

namespace {

// Of a row of each input.
std::vector<std::size_t> bytes_of_rows(const Sampling& sampling, const std::vector<std::vector<std::byte>>& rows) {
  check(!rows.empty() && rows.size() == sampling.inputs.size(), "row sheet: {} inputs, where {} are taken", rows.size(),
        sampling.inputs.size());
  std::vector<std::size_t> bytes;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    bytes.push_back(sampling.inputs[i].row_bytes());
    check(rows[i].size() / bytes[i] == rows[0].size() / bytes[0] && rows[i].size() % bytes[i] == 0,
          "row sheet: {} bytes of {} are not as many rows as the others", rows[i].size(), sampling.inputs[i].name);
  }
  return bytes;
}

std::vector<Buffer> upload_all(Context& context, const std::vector<std::vector<std::byte>>& rows) {
  std::vector<Buffer> buffers;
  for (const std::vector<std::byte>& each : rows) {
    buffers.emplace_back(context, each.size());
    context.upload(buffers.back().data(), each.data(), each.size());
  }
  return buffers;
}

}  // namespace

RowSheetSampler::RowSheetSampler(Context& context, DeviceQueue& queue, const SamplingModel& model,
                                 Parameters::Block block, std::vector<std::vector<std::byte>> rows)
    : context_(context),
      queue_(queue),
      rows_(std::move(rows)),
      row_bytes_(bytes_of_rows(model.sampling, rows_)),
      count_(rows_[0].size() / row_bytes_[0]),
      sampler_(context, model, block),
      output_bytes_(sampler_.output(0).bytes() / static_cast<std::size_t>(sampler_.batch())),
      given_(upload_all(context, rows_)),
      made_(context, count_ * output_bytes_),
      work_(queue.add_work([this] { queue_rows(); })),
      snapshot_(queue,
                {{{static_cast<const std::byte*>(made_.data()), made_.bytes()}}, [this] { queue_.launch(work_, 1); }}) {
}

void RowSheetSampler::queue_rows() {
  auto* const made = static_cast<std::byte*>(made_.data());
  const auto batch = static_cast<std::size_t>(sampler_.batch());
  for (std::size_t first = 0; first < count_; first += batch) {
    const std::size_t count = std::min(batch, count_ - first);
    for (std::size_t i = 0; i < given_.size(); ++i) {
      queue_.copy(sampler_.input(i), static_cast<const std::byte*>(given_[i].data()) + first * row_bytes_[i],
                  count * row_bytes_[i]);
    }
    sampler_.queue_batch(context_);
    queue_.copy(made + first * output_bytes_, sampler_.output(0).data, count * output_bytes_);
  }
}

}  // namespace duel
