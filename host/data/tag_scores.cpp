#include "host/data/tag_scores.h"

#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace duel {

namespace {

struct Row {
  float probability;
  bool has;
};

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

double average_precision_of(std::vector<Row>& rows, std::int64_t has) {
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.probability > b.probability; });
  double sum = 0;
  std::int64_t called = 0, right = 0;
  for (std::size_t i = 0; i < rows.size();) {
    const std::int64_t before = right;
    for (const float level = rows[i].probability; i < rows.size() && rows[i].probability == level; ++i) {
      ++called;
      right += rows[i].has ? 1 : 0;
    }
    sum += share(right - before, has) * share(right, called);
  }
  return sum;
}

TagScore score_of(const std::string& name, std::vector<Row> rows) {
  TagScore score;
  score.name = name;
  score.known = static_cast<std::int64_t>(rows.size());
  std::int64_t called = 0, right = 0;
  for (const Row& row : rows) {
    const bool is_called = row.probability >= 0.5F;
    score.has += row.has ? 1 : 0;
    called += is_called ? 1 : 0;
    right += is_called && row.has ? 1 : 0;
  }
  score.precision = share(right, called);
  score.recall = share(right, score.has);
  score.f1 = share(2 * right, called + score.has);
  score.average_precision = average_precision_of(rows, score.has);
  return score;
}

double mean_of(const std::vector<TagScore>& tags, double TagScore::*number) {
  double sum = 0;
  std::int64_t count = 0;
  for (const TagScore& tag : tags) {
    if (tag.is_measured()) {
      sum += tag.*number;
      ++count;
    }
  }
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

}  // namespace

double TagScores::mean_average_precision() const {
  return mean_of(tags, &TagScore::average_precision);
}

double TagScores::mean_f1() const {
  return mean_of(tags, &TagScore::f1);
}

TagScores tag_scores(const Source& source, const std::string& field, std::span<const float> probabilities) {
  const std::size_t index = field_index(source, field);
  const std::vector<std::string>& names = source.fields()[index].names;
  check(probabilities.size() == static_cast<std::size_t>(source.count()) * names.size(),
        "tag scores: {} numbers for {} rows of {} tags", probabilities.size(), source.count(), names.size());
  std::vector<std::vector<Row>> rows(names.size());
  std::vector<float> values(names.size());
  for (std::int64_t row = 0; row < source.count(); ++row) {
    source.read(row, index, reinterpret_cast<std::byte*>(values.data()));
    for (std::size_t tag = 0; tag < names.size(); ++tag) {
      if (values[tag] >= 0) {
        rows[tag].push_back({probabilities[static_cast<std::size_t>(row) * names.size() + tag], values[tag] > 0});
      }
    }
  }
  TagScores scores;
  for (std::size_t tag = 0; tag < names.size(); ++tag) {
    scores.tags.push_back(score_of(names[tag], std::move(rows[tag])));
  }
  return scores;
}

std::string to_text(const TagScores& scores) {
  std::size_t width = 3;
  for (const TagScore& tag : scores.tags) {
    width = std::max(width, tag.name.size());
  }
  std::string text = fmt::format(
      "mean average precision {:.3f}, mean F1 {:.3f}\n{:<{}} {:>6} {:>6} {:>7} {:>7} {:>7} {:>7}",
      scores.mean_average_precision(), scores.mean_f1(), "tag", width, "has", "known", "AP", "prec.", "recall", "F1");
  for (const TagScore& tag : scores.tags) {
    text += fmt::format("\n{:<{}} {:>6} {:>6}", tag.name, width, tag.has, tag.known);
    text += tag.is_measured() ? fmt::format(" {:>7.3f} {:>7.3f} {:>7.3f} {:>7.3f}", tag.average_precision,
                                            tag.precision, tag.recall, tag.f1)
                              : fmt::format("  {}", tag.known == 0 ? "of no picture it is known"
                                                    : tag.has == 0 ? "no picture has it"
                                                                   : "every picture has it");
  }
  return text;
}

}  // namespace duel
