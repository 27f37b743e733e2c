#include "host/data/confusion.h"

#include "kernels/check.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <numeric>

namespace duel {

std::int64_t Confusion::rows_of(std::size_t label) const {
  return std::accumulate(counts[label].begin(), counts[label].end(), std::int64_t{0});
}

double Confusion::accuracy() const {
  std::int64_t correct = 0, all = 0;
  for (std::size_t label = 0; label < counts.size(); ++label) {
    correct += counts[label][label];
    all += rows_of(label);
  }
  return all == 0 ? 0 : static_cast<double>(correct) / static_cast<double>(all);
}

double Confusion::accuracy_of(std::size_t label) const {
  const std::int64_t all = rows_of(label);
  return all == 0 ? 0 : static_cast<double>(counts[label][label]) / static_cast<double>(all);
}

double Confusion::precision_of(std::size_t called) const {
  const std::int64_t all = std::accumulate(counts.begin(), counts.end(), std::int64_t{0},
                                           [&](std::int64_t sum, const auto& row) { return sum + row[called]; });
  return all == 0 ? 0 : static_cast<double>(counts[called][called]) / static_cast<double>(all);
}

double Confusion::f1_of(std::size_t label) const {
  const double recall = accuracy_of(label), precision = precision_of(label);
  return recall + precision == 0 ? 0 : 2 * recall * precision / (recall + precision);
}

std::size_t largest(std::span<const float> row) {
  return static_cast<std::size_t>(std::distance(row.begin(), std::max_element(row.begin(), row.end())));
}

Confusion confusion_of(const Source& source, const std::string& label, std::span<const float> probabilities) {
  const std::size_t field = field_index(source, label);
  Confusion confusion;
  confusion.names = source.fields()[field].names;
  const std::size_t classes = confusion.names.size();
  check(probabilities.size() == static_cast<std::size_t>(source.count()) * classes,
        "confusion: {} numbers for {} rows of {} classes", probabilities.size(), source.count(), classes);
  confusion.counts.assign(classes, std::vector<std::int64_t>(classes));
  for (std::int64_t row = 0; row < source.count(); ++row) {
    std::int32_t value = 0;
    source.read(row, field, reinterpret_cast<std::byte*>(&value));
    const std::size_t called = largest(probabilities.subspan(static_cast<std::size_t>(row) * classes, classes));
    ++confusion.counts[static_cast<std::size_t>(value)][called];
  }
  return confusion;
}

std::string to_text(const Confusion& confusion) {
  std::size_t name_width = 0, width = 4;
  for (const std::string& name : confusion.names) {
    name_width = std::max(name_width, name.size());
  }
  for (const std::vector<std::int64_t>& row : confusion.counts) {
    for (const std::int64_t count : row) {
      width = std::max(width, std::to_string(count).size());
    }
  }
  std::string text = fmt::format(
      "{:.2f} % of the pictures are called by their class; rows: the class, columns: what "
      "is called\n{:<{}}",
      100 * confusion.accuracy(), "", name_width + 4);
  for (std::size_t called = 0; called < confusion.names.size(); ++called) {
    text += fmt::format(" {:>{}}", called, width);
  }
  text += "   recall  precision";
  for (std::size_t label = 0; label < confusion.names.size(); ++label) {
    text += fmt::format("\n{:>3} {:<{}}", label, confusion.names[label], name_width);
    for (const std::int64_t count : confusion.counts[label]) {
      text += fmt::format(" {:>{}}", count, width);
    }
    text += fmt::format("  {:5.1f} %    {:5.1f} %", 100 * confusion.accuracy_of(label),
                        100 * confusion.precision_of(label));
  }
  return text;
}

}  // namespace duel
