#include "host/train/disk_use.h"

#include "host/pictures/sample_grid.h"
#include "host/run/checkpoint.h"
#include "host/sample/sampler.h"
#include "host/train/comparisons.h"
#include "host/train/reconstructions.h"
#include "kernels/check.h"

#include <algorithm>
#include <system_error>

namespace duel {

namespace {

constexpr double kText = 1 << 14;  // of the files beside a checkpoint's tensors
constexpr double kMebibyte = 1 << 20;

}  // namespace

DiskUse plan_disk_use(const Options& options, const TrainingPlan& plan, const std::filesystem::path& run,
                      std::int64_t steps) {
  const Options::Output& output = options.output;
  const auto count = [&](int every) { return 1 + (every > 0 ? steps / every : 0); };
  DiskUse use;
  use.checkpoint = static_cast<double>(checkpoint_bytes(plan.networks, plan.step.state)) + kText;
  if (const Sampling sampling = plan.recipe->sampling(); draws_pictures(sampling)) {
    const Shape picture = sampling.outputs[0].shape;
    // A byte for each of its values, more than a PNG of it takes.
    const auto bytes_of = [&](int rows) {
      return static_cast<double>(sheet_bytes(picture[1], picture[2], picture[3], rows, output.sample_columns));
    };
    use.sheets = 2.0 * bytes_of(output.sample_rows);
    if (plan.recipe->reconstruction()) {
      use.sheets += bytes_of(reconstruction_rows(output.sample_rows));
    }
  }
  if (const std::optional<Sampling> translation = plan.recipe->translation()) {
    const Shape picture = translation->outputs[0].shape;
    const int panels = comparison_panels(*translation);
    const auto [rows, columns] = comparison_sheet(options, panels);
    use.sheets = static_cast<double>(sheet_bytes(picture[1], panels * picture[2], picture[3], rows, columns));
  }
  const std::int64_t all = count(output.checkpoint_every);
  use.checkpoints = output.keep_last == 0 ? all : std::min<std::int64_t>(all, output.keep_last + std::int64_t{1});
  use.checkpoints += output.keep_last > 0 && output.keep_every > 0 ? steps / output.keep_every : 0;
  if (options.evaluate.keep_best != "none" && use.sheets > 0) {  // of recipes that draw pictures
    // A new best has a checkpoint of its own where none is due.
    const std::int64_t evaluations = count(options.evaluate.every);
    use.checkpoints += output.keep_last == 0 ? evaluations : std::min<std::int64_t>(evaluations, 2);
  }
  use.pairs = use.sheets > 0 ? count(output.samples_every) : 0;

  std::error_code failure;
  use.folder = std::filesystem::absolute(run, failure);
  while (!std::filesystem::exists(use.folder, failure) && use.folder.has_relative_path()) {
    use.folder = use.folder.parent_path();
  }
  const std::filesystem::space_info space = std::filesystem::space(use.folder, failure);
  if (!failure && space.capacity > 0) {
    use.free = static_cast<double>(space.available);
  }
  return use;
}

void check_disk(const DiskUse& use) {
  if (use.free && *use.free < use.first()) {
    throw_error(Error::Kind::data,
                "{}: there is no room: {:.1f} MiB are free, but the first checkpoint and sample sheets take up to "
                "{:.1f} MiB",
                use.folder.string(), *use.free / kMebibyte, use.first() / kMebibyte);
  }
}

std::string fill_warning(const DiskUse& use) {
  return fmt::format("warning: {}: {:.1f} MiB are free, but the run may write up to {:.1f} MiB", use.folder.string(),
                     use.free.value_or(0) / kMebibyte, use.most() / kMebibyte);
}

}  // namespace duel
