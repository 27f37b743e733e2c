#include "host/data/calibration.h"

#include "host/data/confusion.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace duel {

namespace {

double share(double part, std::int64_t whole) {
  return whole == 0 ? 0 : part / static_cast<double>(whole);
}

}  // namespace

double Calibration::Bin::gap() const {
  return std::abs(share(static_cast<double>(right), rows) - share(confidence, rows));
}

std::int64_t Calibration::rows() const {
  std::int64_t sum = 0;
  for (const Bin& bin : bins) {
    sum += bin.rows;
  }
  return sum;
}

double Calibration::accuracy() const {
  std::int64_t right = 0;
  for (const Bin& bin : bins) {
    right += bin.right;
  }
  return share(static_cast<double>(right), rows());
}

double Calibration::confidence() const {
  double sum = 0;
  for (const Bin& bin : bins) {
    sum += bin.confidence;
  }
  return share(sum, rows());
}

double Calibration::expected_error() const {
  double sum = 0;
  for (const Bin& bin : bins) {
    sum += static_cast<double>(bin.rows) * bin.gap();
  }
  return share(sum, rows());
}

double Calibration::greatest_error() const {
  double greatest = 0;
  for (const Bin& bin : bins) {
    greatest = std::max(greatest, bin.gap());
  }
  return greatest;
}

Calibration calibration_of(const Source& source, const std::string& label, std::span<const float> probabilities) {
  const std::size_t field = field_index(source, label);
  const std::size_t classes = source.fields()[field].names.size();
  check(probabilities.size() == static_cast<std::size_t>(source.count()) * classes,
        "calibration: {} numbers for {} rows of {} classes", probabilities.size(), source.count(), classes);
  Calibration calibration;
  for (std::int64_t row = 0; row < source.count(); ++row) {
    std::int32_t value = 0;
    source.read(row, field, reinterpret_cast<std::byte*>(&value));
    const std::span<const float> its = probabilities.subspan(static_cast<std::size_t>(row) * classes, classes);
    const std::size_t called = largest(its);
    const double confidence = its[called];
    const int place = static_cast<int>(std::ceil(confidence * Calibration::kBins)) - 1;
    Calibration::Bin& bin = calibration.bins[static_cast<std::size_t>(std::clamp(place, 0, Calibration::kBins - 1))];
    ++bin.rows;
    bin.right += called == static_cast<std::size_t>(value) ? 1 : 0;
    bin.confidence += confidence;
  }
  return calibration;
}

std::string to_text(const Calibration& calibration) {
  const double surplus = calibration.confidence() - calibration.accuracy();
  return fmt::format(
      "calibration: probabilities promise {:.1f} % and {:.1f} % are right, too {}; expected error {:.3f} over {} bins, "
      "{:.3f} in the worst",
      100 * calibration.confidence(), 100 * calibration.accuracy(), surplus > 0 ? "much" : "little",
      calibration.expected_error(), Calibration::kBins, calibration.greatest_error());
}

}  // namespace duel
