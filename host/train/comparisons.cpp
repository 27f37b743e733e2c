#include "host/train/comparisons.h"

#include "host/data/first_rows.h"
#include "host/pictures/degrade.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

namespace duel {

namespace {

void append(const Picture& picture, std::vector<float>& values) {
  std::transform(picture.pixels.begin(), picture.pixels.end(), std::back_inserter(values), [](std::uint8_t value) {
    return static_cast<float>(value) / kPictureScale.divisor + kPictureScale.shift;
  });
}

std::vector<std::vector<std::byte>> rows_of_inputs(const Source& source, const Sampling& sampling, int count) {
  std::vector<std::vector<std::byte>> rows;
  for (const Field& field : sampling.inputs) {
    rows.push_back(first_rows(source, field, count));
  }
  return rows;
}

// The pictures of so many rows, each as `form` makes it.
template <class Form>
std::vector<float> pictures_of(const std::vector<std::byte>& rows, const Shape& shape, const Form& form) {
  std::vector<float> values;
  const auto size = static_cast<std::size_t>(shape.count());
  for (std::size_t at = 0; at < rows.size(); at += size) {
    Picture picture{shape[1], shape[2], shape[3], std::vector<std::uint8_t>(size)};
    std::transform(rows.begin() + static_cast<std::ptrdiff_t>(at),
                   rows.begin() + static_cast<std::ptrdiff_t>(at + size), picture.pixels.begin(),
                   std::to_integer<std::uint8_t>);
    append(form(picture), values);
  }
  return values;
}

}  // namespace

int comparison_panels(const Sampling& translation) {
  return translation.inputs[0].name == "picture" ? 2 : 3;
}

SheetShape comparison_sheet(const Options& options, int panels) {
  return {options.output.sample_rows, std::max(options.output.sample_columns / panels, 1)};
}

Comparisons::Comparisons(const Options& options, const Source& source, Trainer& trainer, Sampling sampling)
    : panels_(comparison_panels(sampling)),
      count_(comparison_sheet(options, panels_).rows * comparison_sheet(options, panels_).columns),
      sampling_(std::move(sampling)),
      sampler_(trainer.context(), trainer.queue(), {sampling_, trainer.networks(), trainer.memory().storage()},
               Parameters::Block::average, rows_of_inputs(source, sampling_, count_)) {
  const Shape &made = sampling_.outputs[0].shape, &input = sampling_.inputs[0].shape;
  const std::span<const std::byte> rows = sampler_.rows(0);
  given_ = pictures_of({rows.begin(), rows.end()}, input,
                       [&](const Picture& each) { return shown_degraded(each, made[1], made[2], made[3]); });
  if (panels_ == 3) {
    const Field& picture = field_named(source, "picture");
    truth_ = pictures_of(first_rows(source, picture, count_), picture.shape, [](const Picture& each) { return each; });
  }
}

std::vector<float> Comparisons::sheet() {
  const std::span<const std::byte> bytes = sampler_.snapshot().bytes();
  const std::span<const float> made(reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float));
  const Shape& shape = sampling_.outputs[0].shape;
  const std::size_t row = static_cast<std::size_t>(shape[2]) * static_cast<std::size_t>(shape[3]);
  std::vector<float> sheet;
  sheet.reserve(static_cast<std::size_t>(panels_) * made.size());
  for (std::size_t at = 0; at < made.size(); at += row) {
    for (const std::span<const float> each : {std::span<const float>(given_), made, std::span<const float>(truth_)}) {
      if (!each.empty()) {
        const std::span<const float> part = each.subspan(at, row);
        sheet.insert(sheet.end(), part.begin(), part.end());
      }
    }
  }
  return sheet;
}

}  // namespace duel
