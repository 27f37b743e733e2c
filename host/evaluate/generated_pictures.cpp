#include "host/evaluate/generated_pictures.h"

#include "host/pictures/sample_grid.h"
#include "host/sample/class_choice.h"
#include "kernels/check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace duel {

namespace {

// For each of the data's classes the run's of the same name.
std::vector<int> matching(const std::vector<std::string>& classes, const std::vector<std::string>& of_run,
                          const std::string& run) {
  std::vector<int> numbers;
  for (const std::string& name : classes) {
    const auto found = std::find(of_run.begin(), of_run.end(), name);
    if (found == of_run.end()) {
      throw_error(Error::Kind::usage, "{}: draws no pictures of the data's class {} (it draws {})", run, name,
                  fmt::join(of_run, ", "));
    }
    numbers.push_back(static_cast<int>(found - of_run.begin()));
  }
  return numbers;
}

}  // namespace

GeneratedPictures::GeneratedPictures(Context& context, const SamplingModel& model, const Shape& picture,
                                     Parameters::Block block, std::uint64_t seed, std::vector<int> labels,
                                     const std::vector<std::string>& classes, const std::string& name)
    : context_(context), sampler_(context, model, block, seed), picture_(picture), labels_(std::move(labels)) {
  const std::optional<Field> field = drawn_inputs(model.sampling).classes;
  if (!field) {
    return;
  }
  run_classes_ = static_cast<int>(field->names.size());
  const std::vector<int> numbers = matching(classes, field->names, name);
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    of_run_.push_back(labels_[i] < 0 ? static_cast<int>(i) % run_classes_
                                     : numbers[static_cast<std::size_t>(labels_[i])]);
  }
}

void GeneratedPictures::read(std::int64_t first, std::int64_t count, std::span<std::uint8_t> to) {
  std::vector<float> shares;
  if (!of_run_.empty()) {
    shares = one_hot(std::span(of_run_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
                     run_classes_);
  }
  const std::vector<float> values = sampler_.draw(context_, first, static_cast<int>(count), shares);
  const auto size = static_cast<std::size_t>(picture_.count());
  for (std::int64_t i = 0; i < count; ++i) {
    const Picture picture = to_picture(std::span(values).subspan(static_cast<std::size_t>(i) * size, size), picture_[1],
                                       picture_[2], picture_[3]);
    std::copy(picture.pixels.begin(), picture.pixels.end(),
              to.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(i) * size));
  }
}

}  // namespace duel
