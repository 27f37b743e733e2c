#include "host/augment/proof.h"

#include "host/augment/chosen_rows.h"
#include "host/augment/class_generator.h"
#include "host/augment/class_match.h"
#include "host/config/configuration.h"
#include "host/data/memory_source.h"
#include "host/data/open_dataset.h"
#include "host/device/device.h"
#include "host/evaluate/default_extractor.h"
#include "host/recipes/registry.h"
#include "host/run/interrupt.h"
#include "host/sample/held_out.h"
#include "host/train/trainer.h"
#include "kernels/check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <utility>

namespace duel {

namespace {

constexpr std::array kPercents = {10, 30, 100};
constexpr std::array kArms = {"real", "both", "classic"};

using Rows = std::vector<SourceRow>;

// Pictures that a generator draws, in memory, with the data's labels: of each class as many as the largest plan has.
std::optional<std::unique_ptr<const Source>> draw_pictures(ClassGenerator& generator, const Source& training,
                                                           const std::vector<std::size_t>& numbers,
                                                           std::int64_t per_class, std::uint64_t seed) {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int32_t> labels;
  for (std::size_t label = 0; label < numbers.size(); ++label) {
    for (std::int64_t first = 0; first < per_class; first += Sampler::kBatch) {
      if (InterruptGuard::requested()) {
        return std::nullopt;
      }
      std::vector<std::uint64_t> seeds;
      for (std::int64_t i = first; i < std::min<std::int64_t>(first + Sampler::kBatch, per_class); ++i) {
        seeds.push_back(generator.seed_of(seed, i, numbers[label]));
      }
      for (const Picture& picture : generator.draw(numbers[label], seeds)) {
        pixels.insert(pixels.end(), picture.pixels.begin(), picture.pixels.end());
        labels.push_back(static_cast<std::int32_t>(label));
      }
    }
  }
  std::vector<MemorySource::Column> columns;
  columns.push_back({field_named(training, "picture"), std::move(pixels)});
  columns.push_back({field_named(training, "label"), bytes_of(std::span<const std::int32_t>(labels))});
  return std::make_unique<MemorySource>("generated", std::move(columns));
}

// Of each class that share, one picture at least; which ones, the seed says. A larger share holds a smaller one's.
Rows share_of(const Rows& rows, int percent, std::uint64_t seed) {
  std::map<int, Rows> of_class;
  for (const SourceRow& row : rows) {
    of_class[row.label].push_back(row);
  }
  std::mt19937_64 random(seed);
  Rows taken;
  for (auto& [label, its] : of_class) {
    for (std::size_t i = its.size(); i > 1; --i) {
      std::swap(its[i - 1], its[random() % i]);
    }
    const std::size_t count = (its.size() * static_cast<std::size_t>(percent) + 99) / 100;
    taken.insert(taken.end(), its.begin(), its.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return taken;
}

// The first so many of each class.
Rows first_of_each(const Rows& rows, std::vector<std::int64_t> counts) {
  Rows taken;
  for (const SourceRow& row : rows) {
    if (counts[static_cast<std::size_t>(row.label)]-- > 0) {
      taken.push_back(row);
    }
  }
  return taken;
}

// Trains the classifiers, all on one device and tested on one fold.
class Trials {
public:
  Trials(Context& context, Options options, const Source& training, const Source& held_out)
      : context_(context), options_(std::move(options)), training_(training), held_out_(held_out) {}

  // Accuracy on the fold; none where a signal came.
  std::optional<double> run(const Rows& rows, bool is_classic, std::uint64_t seed) const {
    Options options = options_;
    options.seed = seed;
    if (!is_classic) {
      options.augment = Options::Augment();
    }
    Data data;
    data["main"] = std::make_unique<ChosenRows>(training_, rows);
    Trainer trainer(context_, options, data);
    trainer.run_to(options.train.steps, InterruptGuard::requested);
    trainer.drain();
    if (InterruptGuard::requested()) {
      return std::nullopt;
    }
    HeldOut held_out(context_, *trainer.recipe().held_out(), held_out_, trainer.networks(), trainer.memory().storage());
    return held_out.measure(context_).numbers[0].second;
  }

private:
  Context& context_;
  Options options_;
  const Source& training_;
  const Source& held_out_;
};

Options classifier_options(const ProofRequest& request, const Options& of_data, const Source& training, Proof& proof) {
  proof.preset = classifier_preset(training);
  Options options = resolve_options(proof.preset, "", {});
  options.data = of_data.data;
  options.device = request.set.where.device;
  options.threads = request.set.where.threads;
  options.kernels = request.set.where.kernels;
  // "real" has none of this, and "classic" more than a preset that leaves moving out.
  const Shape picture = picture_shape(training);
  options.augment.shift = std::max(options.augment.shift, std::min(picture[1], picture[2]) / 14);
  options.augment.flip = true;
  proof.flip = options.augment.flip;
  proof.shift = options.augment.shift;
  proof.policy = options.augment.policy;
  return options;
}

std::vector<std::int64_t> generated_counts(const ProofRequest& request, const Source& training) {
  const std::vector<std::int64_t> real = class_counts(training, "label");
  return request.set.fill ? filling_counts(real) : std::vector<std::int64_t>(real.size(), request.set.per_class);
}

void check_folds(const ProofRequest& request, const Source& training, const Source* held_out,
                 const ClassGenerator& generator) {
  if (held_out == nullptr) {
    throw_error(Error::Kind::data, "{}: holds no pictures out of training, so there are none to test on",
                training.name());
  }
  const Shape& its = generator.picture();
  const Shape wanted = picture_shape(training);
  if (its != wanted) {
    throw_error(Error::Kind::usage,
                "{}: draws pictures of {}x{} pixels with {} channels, but those of {} have {}x{} with {}",
                request.set.run, its[2], its[1], its[3], training.name(), wanted[2], wanted[1], wanted[3]);
  }
}

std::int64_t generated_in(const Rows& rows, const Source& generated) {
  return std::count_if(rows.begin(), rows.end(), [&](const SourceRow& row) { return row.source == &generated; });
}

}  // namespace

MeanAndSpread mean_and_spread(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  MeanAndSpread result;
  result.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) {
    squares += (value - result.mean) * (value - result.mean);
  }
  result.deviation = values.size() > 1 ? std::sqrt(squares / (count - 1)) : 0;
  return result;
}

PairedDifference paired_difference(const std::vector<double>& a, const std::vector<double>& b) {
  check(a.size() == b.size() && !a.empty(), "paired_difference: {} numbers and {} make no pairs", a.size(), b.size());
  std::vector<double> differences;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences.push_back(b[i] - a[i]);
  }
  const MeanAndSpread all = mean_and_spread(differences);
  PairedDifference result{all.mean, all.deviation / std::sqrt(static_cast<double>(a.size())), 0};
  if (a.size() > 1 && std::abs(result.mean) > 2 * result.error) {
    result.sign = result.mean > 0 ? 1 : -1;
  }
  return result;
}

std::string verdict_of(const std::vector<ProofCell>& cells) {
  const auto accuracies = [&](const std::string& arm) -> const std::vector<double>& {
    return std::find_if(cells.begin(), cells.end(),
                        [&](const ProofCell& cell) { return cell.arm == arm && cell.percent == kPercents.back(); })
        ->accuracies;
  };
  const std::vector<double>& both = accuracies("both");
  if (both.size() < 2) {
    return "one seed cannot show whether the pictures are worth it: its accuracies have no spread to compare with";
  }
  const PairedDifference gain = paired_difference(accuracies("real"), both);
  const std::string points = fmt::format("{:+.2f} points (standard error {:.2f})", 100 * gain.mean, 100 * gain.error);
  if (gain.sign == 0) {
    return fmt::format(
        "no difference that these seeds can show: generated pictures beside all real ones change the accuracy by {}",
        points);
  }
  if (gain.sign < 0) {
    return fmt::format("not worth it: generated pictures beside all real ones change the accuracy by {}", points);
  }
  const PairedDifference beyond = paired_difference(accuracies("classic"), both);
  const std::string classic =
      beyond.sign > 0   ? "more than classic augmentation does"
      : beyond.sign < 0 ? "but classic augmentation, which needs no generator, does more"
                        : "but these seeds show no difference from classic augmentation, which needs no generator";
  return fmt::format("{}: generated pictures beside all real ones change the accuracy by {}, {}",
                     beyond.sign > 0 ? "worth it" : "better than none, yet not worth it", points, classic);
}

std::optional<Proof> prove(const ProofRequest& request) {
  const InterruptGuard guard;
  Context context = make_context(request.set.where);
  ClassGenerator generator(context, request.set.run, request.set.step);
  const Options of_data = options_of_data(generator, request.set.data);
  const Data data = open_dataset(of_data.data, {request.set.where.threads, request.set.progress});
  const Source& training = main_source(data);
  const std::vector<std::size_t> numbers = numbers_of_classes(training, generator.classes(), request.set.run);
  const std::unique_ptr<const Source> held_out = open_held_out(of_data.data, training);
  check_folds(request, training, held_out.get(), generator);

  const std::vector<std::int64_t> counts = generated_counts(request, training);
  const std::int64_t per_class = *std::max_element(counts.begin(), counts.end());
  if (per_class == 0) {
    throw_error(Error::Kind::usage, "{}: its classes have equally many pictures, so --fill has nothing to fill",
                training.name());
  }
  const auto drawn = draw_pictures(generator, training, numbers, per_class, request.set.seed);
  if (!drawn) {
    return std::nullopt;
  }
  const Source& generated = **drawn;
  const Rows real_rows = rows_of(training), generated_rows = rows_of(generated);
  const Rows added = first_of_each(generated_rows, counts);

  Proof proof;
  Options options = classifier_options(request, of_data, training, proof);
  const std::size_t fewest = std::min(share_of(real_rows, kPercents.front(), 0).size(), generated_rows.size());
  const std::int64_t steps =
      request.steps > 0 ? request.steps
                        : total_steps(options, std::max<std::int64_t>(training.count() / options.train.batch, 1));
  options.train.batch = static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(options.train.batch), fewest));
  options.train.steps = steps;
  proof.steps = steps;
  proof.batch = options.train.batch;
  proof.tested = held_out->count();
  if (generator.trained_on() == training.fingerprint()) {
    proof.note =
        "the generator was trained on all real training pictures, so beside 10 or 30 % of them its pictures carry what "
        "the others taught it";
  }

  const Trials trials(context, options, training, *held_out);
  const int all = request.seeds * static_cast<int>(kPercents.size() * kArms.size() + 1);
  int done = 0;
  const auto try_rows = [&](ProofCell& cell, const Rows& rows, int seed) {
    const std::optional<double> accuracy = trials.run(rows, cell.arm == "classic", static_cast<std::uint64_t>(seed));
    if (!accuracy) {
      return false;
    }
    cell.generated = generated_in(rows, generated);
    cell.real = std::ssize(rows) - cell.generated;
    cell.accuracies.push_back(*accuracy);
    if (request.on_training) {
      const std::string real = cell.percent > 0 ? fmt::format(", {} % of the real pictures", cell.percent) : "";
      request.on_training(++done, all, fmt::format("{}{}, seed {}: {:.2f} %", cell.arm, real, seed, 100 * *accuracy));
    }
    return true;
  };
  for (const int percent : kPercents) {
    for (const char* arm : kArms) {
      proof.cells.push_back({arm, percent, 0, 0, {}});
    }
  }
  proof.cells.push_back({"generated", 0, 0, 0, {}});
  for (int seed = 0; seed < request.seeds; ++seed) {
    for (ProofCell& cell : proof.cells) {
      Rows rows =
          cell.percent > 0 ? share_of(real_rows, cell.percent, static_cast<std::uint64_t>(seed)) : generated_rows;
      if (cell.arm == "both") {
        rows.insert(rows.end(), added.begin(), added.end());
      }
      if (!try_rows(cell, rows, seed)) {
        return std::nullopt;
      }
    }
  }
  proof.verdict = verdict_of(proof.cells);
  return proof;
}

std::string to_text(const Proof& proof) {
  std::string text = fmt::format(
      "accuracy on {} held-out pictures, mean and standard deviation over {} seed{}; preset {}, {} steps of {} "
      "pictures "
      "each\n\n  {:<10} {:>7} {:>10}  {:>18}\n",
      proof.tested, proof.cells[0].accuracies.size(), proof.cells[0].accuracies.size() == 1 ? "" : "s", proof.preset,
      proof.steps, proof.batch, "trained on", "real", "generated", "accuracy");
  for (const ProofCell& cell : proof.cells) {
    const MeanAndSpread its = mean_and_spread(cell.accuracies);
    text += fmt::format("  {:<10} {:>7} {:>10}  {:>8.2f} +- {:>4.2f} %\n", cell.arm, cell.real, cell.generated,
                        100 * its.mean, 100 * its.deviation);
  }
  text += fmt::format("\nclassic: {}moved by up to {} pixel{}{}\n", proof.flip ? "mirrored one time in two, " : "",
                      proof.shift, proof.shift == 1 ? "" : "s",
                      proof.policy == "none" ? "" : fmt::format(", augment.policy {}", proof.policy));
  if (!proof.note.empty()) {
    text += fmt::format("note: {}\n", proof.note);
  }
  return text + proof.verdict + "\n";
}

}  // namespace duel
