#include "host/train/picture_plan.h"

#include "host/recipes/gan.h"
#include "kernels/gather.h"

#include <algorithm>
#include <cstring>

namespace duel {

namespace {

constexpr std::size_t kLargeRing = std::size_t{64} << 20;

}  // namespace

PicturePlan plan_pictures(const Options& options, const Data& dataset, bool is_streamed) {
  PicturePlan plan;
  plan.shape = {dataset.count, dataset.height, dataset.width, dataset.channels};
  const int asked = options.schedule.steps_per_launch;
  plan.most_steps_per_launch = asked > 0 ? asked : kMostStepsPerLaunch;
  if (!is_streamed) {
    return plan;
  }
  plan.slot_rows = options.train.batch * static_cast<int>(gan_batches(options).size());
  if (asked == 0) {
    const auto most =
        static_cast<int>(std::min<std::size_t>(kLargeRing / (2 * plan.slot_bytes()), kMostStepsPerLaunch));
    plan.most_steps_per_launch = std::max(most, 1);
  }
  plan.slots = 2 * plan.most_steps_per_launch;
  plan.shape = plan.shape.with_rows(plan.slots * plan.slot_rows);
  return plan;
}

void fill_slot(const Options& options, const Data& dataset, std::int64_t step, std::byte* slot) {
  const auto count = static_cast<std::uint32_t>(dataset.count), batch = static_cast<std::uint32_t>(options.train.batch);
  const std::size_t length = dataset.pixels.size() / count;
  for (const Purpose purpose : gan_batches(options)) {
    for (std::uint32_t place = 0; place < batch; ++place, slot += length) {
      const std::size_t index =
          picture_index({options.seed, purpose}, count, batch, static_cast<std::uint64_t>(step), place);
      std::memcpy(slot, dataset.pixels.data() + index * length, length);
    }
  }
}

}  // namespace duel
