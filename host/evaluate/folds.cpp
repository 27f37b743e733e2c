#include "host/evaluate/folds.h"

#include "kernels/check.h"

#include <algorithm>
#include <map>
#include <random>
#include <utility>

namespace duel {

namespace {

void shuffle(std::vector<SourceRow>& rows, std::mt19937_64& random) {
  for (std::size_t i = rows.size(); i > 1; --i) {
    std::swap(rows[i - 1], rows[random() % i]);
  }
}

// Rows in turn to the one and the other half, class by class.
void halve(std::vector<SourceRow> rows, std::mt19937_64& random, Folds& folds) {
  shuffle(rows, random);
  std::stable_sort(rows.begin(), rows.end(), [](const SourceRow& a, const SourceRow& b) { return a.label < b.label; });
  for (std::size_t i = 0; i + 1 < rows.size(); i += 2) {
    folds.reference.push_back(rows[i]);
    folds.floor.push_back(rows[i + 1]);
  }
  shuffle(folds.reference, random);
  shuffle(folds.floor, random);
}

// For each of `like` a row of its class, and where there are no more of it any that is left.
std::vector<SourceRow> rows_like(const std::vector<SourceRow>& like, std::vector<SourceRow> rows,
                                 std::mt19937_64& random) {
  shuffle(rows, random);
  std::map<int, std::vector<SourceRow>> of_class;
  for (const SourceRow& row : rows) {
    of_class[row.label].push_back(row);
  }
  std::vector<SourceRow> taken;
  std::size_t missing = 0;
  for (const SourceRow& row : like) {
    std::vector<SourceRow>& its = of_class[row.label];
    if (its.empty()) {
      ++missing;
      continue;
    }
    taken.push_back(its.back());
    its.pop_back();
  }
  for (auto& [label, left] : of_class) {
    for (; missing > 0 && !left.empty(); --missing) {
      taken.push_back(left.back());
      left.pop_back();
    }
  }
  shuffle(taken, random);
  return taken;
}

}  // namespace

Folds plan_folds(const Source& training, const Source* held_out, const FoldRequest& request) {
  if (request.fold != "auto" && request.fold != "held-out" && request.fold != "train") {
    throw_error(Error::Kind::usage, "--fold {}: must be held-out, train or auto", request.fold);
  }
  if (request.fold == "held-out" && held_out == nullptr) {
    throw_error(Error::Kind::data, "--fold held-out: {} holds no pictures out of training", training.name());
  }
  const bool is_held_out = request.fold != "train" && held_out != nullptr;
  const Source& source = is_held_out ? *held_out : training;
  std::vector<SourceRow> rows = rows_of(source);
  std::mt19937_64 random(request.seed);
  Folds folds;
  folds.fold = is_held_out ? "held out" : "training";
  const auto most = static_cast<std::size_t>(request.most);
  if (is_held_out && !request.has_extractor_trained) {
    shuffle(rows, random);
    rows.resize(std::min({rows.size(), most, static_cast<std::size_t>(training.count())}));
    folds.reference = std::move(rows);
    folds.floor = rows_like(folds.reference, rows_of(training), random);
    folds.reference_text = "pictures that are held out of training";
    folds.floor_text = "training pictures";
  } else {
    halve(std::move(rows), random, folds);
    folds.reference.resize(std::min(folds.reference.size(), most));
    folds.floor.resize(folds.reference.size());
    folds.reference_text = is_held_out ? "pictures of one half of those that are held out of training"
                                       : "pictures of one half of the training pictures";
    folds.floor_text = "pictures of the other half";
  }
  if (folds.reference.size() < 2) {
    throw_error(Error::Kind::data,
                "{}: there are {} {} pictures to compare with, which is too few: two of the reference and two of the "
                "floor are needed",
                source.name(), source.count(), folds.fold);
  }
  return folds;
}

}  // namespace duel
