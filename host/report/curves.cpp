#include "host/report/curves.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace duel {

namespace {

constexpr std::string_view kHeldOut = "held_out_", kHealth = "health/", kSpeed = "pictures_per_second";
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// "g_grad_norm_2" is ("g_grad_norm", "2"): of the second update in a step.
std::pair<std::string_view, std::string_view> without_update(std::string_view name) {
  const std::size_t end = name.rfind('_');
  const bool has_number = end != std::string_view::npos && end + 1 < name.size() &&
                          name.find_first_not_of("0123456789", end + 1) == std::string_view::npos;
  return has_number ? std::pair(name.substr(0, end), name.substr(end + 1)) : std::pair(name, std::string_view());
}

std::string in_words(std::string_view name) {
  std::string words(name);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

}  // namespace

CurveGroup curve_group_of(std::string_view name) {
  std::string_view base = name;
  base.remove_prefix(base.starts_with(kHeldOut) ? kHeldOut.size() : 0);
  if (base == kSpeed) {
    return {"speed", "Speed", "1/s", false};
  }
  if (contains(base, "learning_rate")) {
    return {"rates", "Learning rates", "", false};
  }
  if (base == "d_pairs_right" || contains(base, "accuracy")) {
    return {"judgement", base == "accuracy" ? "Accuracy" : "What the discriminator tells rightly", "share", false};
  }
  if (contains(base, "grad_norm")) {
    return {"gradients", "Norms of the gradients", "", true};
  }
  if (base == "r1" || base == "r2" || contains(base, "penalty")) {
    return {"penalties", "Penalties", "", true};
  }
  if (contains(base, "loss")) {
    return {"losses", "Losses", "", false};
  }
  if (base == "elbo_bits_per_dim") {
    return {"elbo", "Negative ELBO, bits a pixel", "", false};
  }
  if (base == "mse") {
    return {"mse", "Squared error of reconstructions", "", true};
  }
  if (base == "kl") {
    return {"kl", "Divergence from the prior, nats a picture", "", false};
  }
  if (contains(base, "logit")) {
    return {"logits", "Logits", "", false};
  }
  if (base.starts_with("augment_")) {
    return {"augmentation", "Augmentation", "share", false};
  }
  return {std::string(base), in_words(base), "", false};
}

std::string curve_label(std::string_view name) {
  using Row = std::pair<std::string_view, std::string_view>;
  static constexpr std::array<Row, 16> kLabels = {{{"d_loss", "discriminator"},
                                                   {"g_loss", "generator"},
                                                   {"d_grad_norm", "discriminator"},
                                                   {"g_grad_norm", "generator"},
                                                   {"d_pairs_right", "pairs of real and generated"},
                                                   {"d_accuracy_real", "real pictures"},
                                                   {"d_accuracy_fake", "generated pictures"},
                                                   {"r1", "R1, of real pictures"},
                                                   {"r2", "R2, of generated pictures"},
                                                   {"loss", "training"},
                                                   {"accuracy", "training batches"},
                                                   {"elbo_bits_per_dim", "training batches"},
                                                   {"mse", "training batches"},
                                                   {"kl", "training batches"},
                                                   {"grad_norm", "all weights"},
                                                   {kSpeed, "pictures a second"}}};
  if (name.starts_with(kHeldOut)) {
    return "held-out pictures";
  }
  const auto [base, update] = without_update(name);
  const auto* const found =
      std::find_if(kLabels.begin(), kLabels.end(), [base = base](const Row& row) { return row.first == base; });
  const std::string label = found == kLabels.end() ? in_words(base) : std::string(found->second);
  return update.empty() ? label : label + ", update " + std::string(update);
}

Curve make_curve(const std::string& name, std::span<const CurveSample> samples) {
  Curve curve;
  curve.name = name;
  curve.label = curve_label(name);
  curve.group = curve_group_of(name).id;
  curve.rows = std::ssize(samples);
  curve.last = samples.empty() ? kNone : samples.back().value;
  const std::size_t points = std::min(samples.size(), Curve::kMostPoints);
  for (std::size_t point = 0; point < points; ++point) {
    const std::size_t begin = point * samples.size() / points, end = (point + 1) * samples.size() / points;
    double sum = 0, low = kNone, high = kNone;
    std::int64_t finite = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const double value = samples[i].value;
      if (!std::isfinite(value)) {
        curve.first_not_finite = curve.not_finite == 0 ? samples[i].step : curve.first_not_finite;
        ++curve.not_finite;
        continue;
      }
      sum += value;
      low = finite == 0 ? value : std::min(low, value);
      high = finite == 0 ? value : std::max(high, value);
      ++finite;
    }
    curve.step.push_back(samples[end - 1].step);
    curve.seconds.push_back(samples[end - 1].seconds);
    curve.mean.push_back(finite == 0 ? kNone : sum / static_cast<double>(finite));
    curve.low.push_back(low);
    curve.high.push_back(high);
  }
  return curve;
}

std::vector<Curve> curves_of(std::span<const MetricsRow> rows, int batch) {
  std::vector<std::pair<std::string, std::vector<CurveSample>>> all;
  std::vector<CurveSample> speeds;
  for (const MetricsRow& row : rows) {
    for (const auto& [name, value] : row.metrics) {
      if (name.starts_with(kHealth)) {
        continue;
      }
      auto found =
          std::find_if(all.begin(), all.end(), [&, &wanted = name](auto& each) { return each.first == wanted; });
      if (found == all.end()) {
        found = all.insert(all.end(), {name, {}});
      }
      found->second.push_back({row.step, row.seconds, value});
    }
  }
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const double seconds = rows[i].seconds - rows[i - 1].seconds;
    if (seconds > 0) {
      const auto pictures = static_cast<double>((rows[i].step - rows[i - 1].step) * batch);
      speeds.push_back({rows[i].step, rows[i].seconds, pictures / seconds});
    }
  }
  std::vector<Curve> curves;
  for (const auto& [name, samples] : all) {
    curves.push_back(make_curve(name, samples));
  }
  if (!speeds.empty()) {
    curves.push_back(make_curve(std::string(kSpeed), speeds));
  }
  return curves;
}

std::vector<HealthMark> health_marks_of(std::span<const MetricsRow> rows) {
  std::vector<HealthMark> marks;
  for (const MetricsRow& row : rows) {
    for (const auto& [name, value] : row.metrics) {
      if (name.starts_with(kHealth)) {
        marks.push_back({name.substr(kHealth.size()), row.step, value != 0});
      }
    }
  }
  return marks;
}

}  // namespace duel
