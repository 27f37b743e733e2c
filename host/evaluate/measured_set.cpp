#include "host/evaluate/measured_set.h"

#include "host/evaluate/pixel_extractor.h"

#include <algorithm>
#include <cstddef>

namespace duel {

namespace {

constexpr std::int64_t kBatch = 64;
constexpr std::size_t kMostClassMoments = std::size_t{1} << 28;  // bytes

void append(Features& to, const std::vector<float>& values, int width, std::int64_t most) {
  to.width = width;
  const std::int64_t room = std::max<std::int64_t>(most - to.count(), 0) * width;
  to.values.insert(to.values.end(), values.begin(),
                   values.begin() + static_cast<std::ptrdiff_t>(std::min<std::int64_t>(room, std::ssize(values))));
}

}  // namespace

MeasuredSet::MeasuredSet(int width, std::size_t pixels, std::size_t class_count, bool has_class_moments)
    : moments(width),
      class_moments(has_class_moments ? class_count : 0, Moments(width)),
      classes(class_count),
      spread(pixels, std::max<std::size_t>(class_count, 1)) {}

double MeasuredSet::agreement() const {
  std::int64_t agreed = 0;
  for (const Class& each : classes) {
    agreed += each.agreed;
  }
  return count == 0 ? 0 : static_cast<double>(agreed) / static_cast<double>(count);
}

MeasuredForm measured_form(const Shape& picture, const std::vector<std::string>& classes, const ExtractorFacts& facts) {
  MeasuredForm form{picture, classes, {}};
  for (const std::string& name : classes) {
    const auto found = std::find(facts.classes.begin(), facts.classes.end(), name);
    if (found == facts.classes.end()) {
      form.extractor_class_of.clear();
      break;
    }
    form.extractor_class_of.push_back(static_cast<int>(found - facts.classes.begin()));
  }
  return form;
}

MeasuredSet measure_set(PictureSet& pictures, Extractor& extractor, const MeasuredForm& form) {
  const ExtractorFacts& facts = extractor.facts();
  const Shape& shape = form.picture;
  const auto bytes = static_cast<std::size_t>(shape.count()), width = static_cast<std::size_t>(facts.width);
  const std::size_t of_moments = form.classes.size() * width * width * sizeof(double);
  MeasuredSet set(facts.width, bytes, form.classes.size(), of_moments <= kMostClassMoments);
  const int side = reducing_side(shape[1], shape[2], kReducedSide);
  std::vector<std::uint8_t> first_picture, batch;
  for (std::int64_t first = 0; first < pictures.count(); first += kBatch) {
    const std::int64_t count = std::min(pictures.count() - first, kBatch);
    batch.resize(static_cast<std::size_t>(count) * bytes);
    pictures.read(first, count, batch);
    const Extraction made = extractor.extract(batch, count);
    set.moments.add(made.features);
    append(set.features, made.features, facts.width, kKeptFeatures);
    if (!made.probabilities.empty()) {
      append(set.probabilities, made.probabilities, static_cast<int>(facts.classes.size()), kKeptFeatures);
    }
    if (first_picture.empty()) {
      first_picture.assign(batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(bytes));
    }
    for (std::int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const std::span<const std::uint8_t> picture = std::span(batch).subspan(at * bytes, bytes);
      const int label = pictures.label(first + i);
      set.is_constant = set.is_constant && std::equal(picture.begin(), picture.end(), first_picture.begin());
      set.has_labels = set.has_labels && label >= 0;
      set.spread.add(picture, static_cast<std::size_t>(std::max(label, 0)));
      if (label >= 0) {
        MeasuredSet::Class& its = set.classes[static_cast<std::size_t>(label)];
        ++its.count;
        if (!form.extractor_class_of.empty() && !made.probabilities.empty()) {
          const auto row = made.probabilities.begin() + static_cast<std::ptrdiff_t>(at * facts.classes.size());
          const auto called = std::max_element(row, row + static_cast<std::ptrdiff_t>(facts.classes.size())) - row;
          its.agreed += called == form.extractor_class_of[static_cast<std::size_t>(label)] ? 1 : 0;
        }
        if (!set.class_moments.empty()) {
          set.class_moments[static_cast<std::size_t>(label)].add(std::span(made.features).subspan(at * width, width));
        }
      }
      if (first + i < kKeptReduced) {
        append_reduced(picture, shape[1], shape[2], shape[3], side, set.reduced.values);
      }
      if (first + i < kKeptExamples) {
        set.examples.push_back({shape[1], shape[2], shape[3], {picture.begin(), picture.end()}});
        set.example_labels.push_back(label);
      }
    }
    set.count += count;
  }
  set.reduced.width =
      static_cast<int>(std::ssize(set.reduced.values) / std::max<std::int64_t>(std::min(set.count, kKeptReduced), 1));
  return set;
}

}  // namespace duel
