#include "host/evaluate/figures.h"

#include "host/metrics/class_score.h"
#include "host/metrics/frechet.h"
#include "host/metrics/kernel_distance.h"
#include "host/metrics/picture_similarity.h"
#include "host/metrics/precision_recall.h"
#include "host/metrics/row_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <numeric>

namespace duel {

namespace {

constexpr std::size_t kMostPairs = 200;
constexpr double kTrustedAgreement = 0.7;  // below it an extractor is said to be weak

// The two sets in the place of the generated pictures: the generated ones, then the floor.
using Measure = std::function<double(const MeasuredSet&)>;

Figure figure(const char* key, const char* name, const char* better, const MeasuredSets& sets, const Measure& measure,
              std::string remark = "") {
  return {key, name, better, measure(sets.generated), {}, measure(sets.floor), {}, std::move(remark)};
}

Figure missing(const char* key, const char* name, const char* better, std::string why) {
  return {key, name, better, {}, {}, {}, {}, std::move(why)};
}

Figure frechet(const MeasuredSets& sets) {
  const int width = sets.reference.moments.width();
  const std::int64_t count = sets.reference.count;
  std::string remark = fmt::format("{} features", width);
  if (count < least_rows_of_full_rank(width)) {
    remark = fmt::format(
        "says little: {} pictures do not span {} features; {} are needed, and better ten times as "
        "many",
        count, width, least_rows_of_full_rank(width));
  }
  return figure(
      "frechet_distance", "Frechet distance", kLower, sets,
      [&](const MeasuredSet& set) { return frechet_distance(set.moments, sets.reference.moments).value; }, remark);
}

Figure kernel(const MeasuredSets& sets, int threads) {
  const KernelDistance value = kernel_distance(sets.generated.features, sets.reference.features, threads);
  const KernelDistance floor = kernel_distance(sets.floor.features, sets.reference.features, threads);
  Figure result{"kernel_distance", "kernel distance", kLower, value.value, {}, floor.value, {}, ""};
  if (value.subsets > 0) {
    result.value_spread = value.spread;
    result.floor_spread = floor.spread;
    result.remark = fmt::format("+-: over {} subsets of {}", value.subsets, value.subset);
  }
  return result;
}

void add_precision_recall(const MeasuredSets& sets, int threads, std::vector<Figure>& figures) {
  struct Share {
    const char* key;
    const char* name;
    const char* better;
    double PrecisionRecall::*member;
    int neighbour;
  };
  const Share shares[] = {
      {"precision", "precision", kHigher, &PrecisionRecall::precision, kPrecisionNeighbour},
      {"recall", "recall", kHigher, &PrecisionRecall::recall, kPrecisionNeighbour},
      {"density", "density", kNear, &PrecisionRecall::density, kDensityNeighbour},
      {"coverage", "coverage", kHigher, &PrecisionRecall::coverage, kDensityNeighbour},
  };
  const std::int64_t count = sets.reference.features.count();
  if (count < kLeastRowsOfPrecision) {
    for (const Share& share : shares) {
      figures.push_back(missing(share.key, share.name, share.better,
                                fmt::format("{} pictures are too few; {} are needed", count, kLeastRowsOfPrecision)));
    }
    return;
  }
  const PrecisionRecall value = precision_recall(sets.reference.features, sets.generated.features, threads);
  const PrecisionRecall floor = precision_recall(sets.reference.features, sets.floor.features, threads);
  for (const Share& share : shares) {
    figures.push_back({share.key,
                       share.name,
                       share.better,
                       value.*share.member,
                       {},
                       floor.*share.member,
                       {},
                       fmt::format("{} neighbours", share.neighbour)});
  }
}

void add_of_classes(const MeasuredSets& sets, const MeasuredForm& form, std::vector<Figure>& figures) {
  if (sets.reference.probabilities.width == 0) {
    return;  // an extractor that tells no classes
  }
  figures.push_back(figure(
      "class_score", "class score", kHigher, sets,
      [](const MeasuredSet& set) { return class_score(set.probabilities); },
      fmt::format("1 to {}; the Inception score's formula", sets.reference.probabilities.width)));
  const auto modes = [](const MeasuredSet& set) {
    const std::vector<std::int64_t> called = called_counts(set.probabilities);
    return static_cast<double>(std::count_if(called.begin(), called.end(), [](std::int64_t n) { return n > 0; }));
  };
  figures.push_back(figure("modes", "modes found", kHigher, sets, modes,
                           fmt::format("of {} classes that the extractor tells", sets.reference.probabilities.width)));
  const std::vector<std::int64_t> real = called_counts(sets.reference.probabilities);
  figures.push_back(figure(
      "mode_divergence", "mode divergence", kLower, sets,
      [&](const MeasuredSet& set) { return mode_divergence(called_counts(set.probabilities), real); },
      "KL of the classes called from the reference's"));
  constexpr const char* kKey = "agreement";
  constexpr const char* kName = "agreement";
  if (form.extractor_class_of.empty()) {
    figures.push_back(missing(
        kKey, kName, kHigher,
        form.classes.empty() ? "the data have no labels" : "the extractor tells other classes than the data's"));
  } else if (!sets.generated.has_labels) {
    figures.push_back(missing(kKey, kName, kHigher, "the generated pictures are of no class"));
  } else {
    // Of the floor's pictures the extractor may know the labels by heart.
    figures.push_back({kKey,
                       kName,
                       kHigher,
                       sets.generated.agreement(),
                       {},
                       sets.reference.agreement(),
                       {},
                       "share called by its class; floor: the reference's"});
  }
}

double ratio(double value, double of) {
  return of == 0 ? 0 : value / of;
}

void add_spread(const MeasuredSets& sets, const MeasuredForm& form, std::vector<Figure>& figures) {
  const double all = sets.reference.spread.over_all();
  if (all == 0) {
    figures.push_back(missing("spread", "spread", kNear, "the pictures of the reference are all the same"));
    return;
  }
  figures.push_back(figure(
      "spread", "spread", kNear, sets, [&](const MeasuredSet& set) { return set.spread.over_all() / all; },
      "of the pixels, over the reference's"));
  if (form.classes.empty() || !sets.generated.has_labels) {
    return;
  }
  const auto within = [&](const MeasuredSet& set) {
    double sum = 0;
    int classes = 0;
    for (std::size_t label = 0; label < form.classes.size(); ++label) {
      if (set.spread.count(label) > 1 && sets.reference.spread.within(label) > 0) {
        sum += set.spread.within(label) / sets.reference.spread.within(label);
        ++classes;
      }
    }
    return classes == 0 ? 0.0 : sum / classes;
  };
  figures.push_back(figure("spread_within_classes", "spread in classes", kNear, sets, within, "mean over the classes"));
}

// The mean over pairs of pictures of one class, in their order: each picture with the next one of its class.
double mean_similarity(const MeasuredSet& set, int scales, bool is_by_class, int threads) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < set.examples.size() && pairs.size() < kMostPairs; ++i) {
    for (std::size_t j = i + 1; j < set.examples.size(); ++j) {
      if (!is_by_class || set.example_labels[j] == set.example_labels[i]) {
        pairs.emplace_back(i, j);
        break;
      }
    }
  }
  std::vector<double> values(pairs.size());
  for_row_blocks(std::ssize(pairs), 8, threads, [&](std::int64_t, std::int64_t first, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(end); ++i) {
      values[i] = ms_ssim(set.examples[pairs[i].first], set.examples[pairs[i].second], scales);
    }
  });
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

Figure similarity(const MeasuredSets& sets, const MeasuredForm& form, int threads) {
  constexpr const char* kKey = "ms_ssim";
  constexpr const char* kName = "MS-SSIM of pairs";
  const int scales = ms_ssim_scales(form.picture[1], form.picture[2]);
  if (scales == 0) {
    return missing(kKey, kName, kNear, fmt::format("the pictures have less than {0}x{0} pixels", kSsimWindow));
  }
  const bool is_by_class = !form.classes.empty() && sets.generated.has_labels;
  return figure(
      kKey, kName, kNear, sets,
      [&](const MeasuredSet& set) { return mean_similarity(set, scales, is_by_class, threads); },
      fmt::format("{}{} scale{}; 1: all alike", is_by_class ? "of one class; " : "", scales, scales == 1 ? "" : "s"));
}

}  // namespace

std::vector<Figure> figures_of(const MeasuredSets& sets, const MeasuredForm& form, int threads) {
  std::vector<Figure> figures = {frechet(sets), kernel(sets, threads)};
  add_precision_recall(sets, threads, figures);
  add_of_classes(sets, form, figures);
  add_spread(sets, form, figures);
  figures.push_back(similarity(sets, form, threads));
  return figures;
}

std::vector<ClassFigures> class_figures_of(const MeasuredSets& sets, const MeasuredForm& form) {
  std::vector<ClassFigures> all;
  for (std::size_t label = 0; label < form.classes.size() && sets.generated.has_labels; ++label) {
    const MeasuredSet::Class& its = sets.generated.classes[label];
    const MeasuredSet::Class& real = sets.reference.classes[label];
    ClassFigures figures;
    figures.name = form.classes[label];
    figures.generated = its.count;
    figures.reference = real.count;
    if (!sets.reference.class_moments.empty()) {
      const Moments& reference = sets.reference.class_moments[label];
      const std::int64_t least = least_rows_of_full_rank(reference.width());
      const auto distance = [&](const MeasuredSet& set) -> std::optional<double> {
        const Moments& moments = set.class_moments[label];
        return std::min(moments.count(), reference.count()) < least
                   ? std::nullopt
                   : std::optional(frechet_distance(moments, reference).value);
      };
      figures.frechet = distance(sets.generated);
      figures.frechet_floor = figures.frechet ? distance(sets.floor) : std::nullopt;
    }
    const auto share = [&](const MeasuredSet::Class& of) -> std::optional<double> {
      return form.extractor_class_of.empty() || sets.reference.probabilities.width == 0 || of.count == 0
                 ? std::nullopt
                 : std::optional(static_cast<double>(of.agreed) / static_cast<double>(of.count));
    };
    figures.agreement = share(its);
    figures.agreement_floor = share(real);
    if (its.count > 1 && sets.reference.spread.within(label) > 0) {
      figures.spread = ratio(sets.generated.spread.within(label), sets.reference.spread.within(label));
    }
    all.push_back(std::move(figures));
  }
  return all;
}

std::vector<std::string> notes_on(const MeasuredSets& sets, const MeasuredForm& form) {
  std::vector<std::string> notes;
  const auto note_constant = [&](const MeasuredSet& set, const char* which) {
    if (set.is_constant) {
      notes.push_back(
          fmt::format("all {} {} pictures are the same, so distances and neighbours say only where that one "
                      "lies",
                      set.count, which));
    }
  };
  note_constant(sets.generated, "generated");
  note_constant(sets.reference, "reference");
  const auto classes_in = [](const MeasuredSet& set) {
    return std::count_if(set.classes.begin(), set.classes.end(), [](const auto& each) { return each.count > 0; });
  };
  const bool tells_classes = !form.extractor_class_of.empty() && sets.reference.probabilities.width > 0;
  if (tells_classes && sets.reference.agreement() < kTrustedAgreement) {
    notes.push_back(
        fmt::format("the extractor calls {:.1f} % of the reference by their classes: what it tells of classes means "
                    "little, and its features may miss what matters; a better one is named by --extractor",
                    100 * sets.reference.agreement()));
  }
  if (form.classes.size() > 1 && sets.generated.has_labels) {
    if (classes_in(sets.generated) == 1 && classes_in(sets.reference) > 1) {
      notes.push_back(
          fmt::format("the generated pictures are of one class, the reference's of {}: distances and recall "
                      "compare different things",
                      classes_in(sets.reference)));
    } else {
      std::int64_t moved = 0;
      for (std::size_t i = 0; i < form.classes.size(); ++i) {
        moved += std::abs(sets.generated.classes[i].count - sets.reference.classes[i].count);
      }
      if (moved > sets.reference.count / 10) {
        notes.push_back("the classes come in other shares than the reference's, which alone makes distances larger");
      }
    }
  }
  if (sets.reference.count > kKeptFeatures) {
    notes.push_back(
        fmt::format("neighbours, the kernel distance and what is told of classes are of the first {} "
                    "pictures of each",
                    kKeptFeatures));
  }
  return notes;
}

}  // namespace duel
