#include "host/run/health.h"

#include "kernels/check.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace duel {

namespace {

constexpr double kWonSigns = 0.99, kWonPairs = 0.995, kNoLongerWon = 0.97;
constexpr double kFrozen = 1e-3, kThawed = 1e-2;
constexpr double kSpike = 30;
constexpr std::size_t kLeastBeforeSpike = kHealthWindow / 2;
constexpr double kDiverse = 0.5, kCollapsed = 0.25, kRecovered = 0.35;
constexpr std::int64_t kBegunStep = 500, kMatureStep = 2000;

double mean_of(const std::deque<double>& window) {
  return std::accumulate(window.begin(), window.end(), 0.0) / static_cast<double>(window.size());
}

double median_of(const std::deque<double>& window) {
  std::vector<double> sorted(window.begin(), window.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

const std::deque<double>* window_of(const HealthOfRows& health, const std::string& name) {
  const auto found = std::find(health.names.begin(), health.names.end(), name);
  return found == health.names.end() ? nullptr
                                     : &health.windows[static_cast<std::size_t>(found - health.names.begin())];
}

const std::deque<double>* full_window_of(const HealthOfRows& health, const std::string& name) {
  const std::deque<double>* window = window_of(health, name);
  return window != nullptr && window->size() == kHealthWindow ? window : nullptr;
}

// Notes a change between present and not.
void turn(bool& present, bool now, Ailment ailment, const std::string& text, std::vector<HealthNote>& notes) {
  if (present != now) {
    present = now;
    notes.push_back({ailment, now, now ? text : ""});
  }
}

bool& presence(HealthOfRows& health, Ailment ailment) {
  return health.present[static_cast<std::size_t>(ailment)];
}

void look_at_discriminator(HealthOfRows& health, std::int64_t step, std::vector<HealthNote>& notes) {
  const std::deque<double>* pairs = full_window_of(health, "d_pairs_right");
  const std::deque<double>* real = full_window_of(health, "d_accuracy_real");
  const std::deque<double>* fake = full_window_of(health, "d_accuracy_fake");
  bool& present = presence(health, Ailment::discriminator_wins);
  double right = 0;
  bool has_won = false;
  std::string seen;
  if (pairs != nullptr) {
    right = mean_of(*pairs);
    has_won = right >= kWonPairs;
    seen = fmt::format("ordered {:.1f} % of the pairs rightly", 100 * right);
  } else if (health.has_opinions && real != nullptr && fake != nullptr) {
    right = std::min(mean_of(*real), mean_of(*fake));
    has_won = right >= kWonSigns;
    seen = fmt::format("told {:.1f} % of both the real and the generated pictures rightly", 100 * right);
  } else {
    return;
  }
  turn(present, has_won || (present && right > kNoLongerWon), Ailment::discriminator_wins,
       fmt::format(
           "step {}: the discriminator wins: in the last {} steps it {}, which leaves the generator little to learn "
           "from; try loss.r1 and loss.r2, a lower optimizer.discriminator_learning_rate, or more pictures",
           step, kHealthWindow, seen),
       notes);
}

void look_at_generator(HealthOfRows& health, std::int64_t step, std::vector<HealthNote>& notes) {
  const std::deque<double>* norms = full_window_of(health, "g_grad_norm");
  if (norms == nullptr) {
    return;
  }
  const double norm = median_of(*norms);
  health.greatest_norm = std::max(health.greatest_norm, norm);
  bool& present = presence(health, Ailment::generator_frozen);
  turn(present, norm <= (present ? kThawed : kFrozen) * health.greatest_norm, Ailment::generator_frozen,
       fmt::format(
           "step {}: the generator is frozen: its gradient's norm fell to {:.2g} from {:.2g}, so it learns nothing; "
           "try loss.kind = \"relativistic\" with loss.r1 and loss.r2, or begin again with another seed",
           step, norm, health.greatest_norm),
       notes);
}

// Before the newest values join the windows.
void look_for_spikes(HealthOfRows& health, std::int64_t step, std::span<const float> values,
                     std::vector<HealthNote>& notes) {
  std::string text;
  for (std::size_t i = 0; i < health.names.size(); ++i) {
    const std::deque<double>& window = health.windows[i];
    if (health.names[i].find("grad_norm") == std::string::npos || window.size() < kLeastBeforeSpike) {
      continue;
    }
    const double usual = median_of(window), norm = static_cast<double>(values[i]);
    if (norm > kSpike * usual && usual > 0) {
      health.last_spike = step;
      text = fmt::format(
          "step {}: gradients spike: {} is {:.3g}, {:.0f} times the median of the {} steps before; try "
          "optimizer.clip_norm = {:.2g}, or a lower learning rate",
          step, health.names[i], norm, norm / usual, window.size(), 5 * usual);
    }
  }
  const bool is_recent = health.last_spike > 0 && step - health.last_spike < static_cast<std::int64_t>(kHealthWindow);
  turn(presence(health, Ailment::gradients_spike), is_recent, Ailment::gradients_spike, text, notes);
}

}  // namespace

const char* ailment_name(Ailment ailment) {
  constexpr const char* kNames[kAilments] = {"discriminator_wins", "generator_frozen", "gradients_spike", "collapse"};
  return kNames[static_cast<std::size_t>(ailment)];
}

std::vector<HealthNote> note_row(HealthOfRows& health, std::int64_t step, std::span<const float> values) {
  check(values.size() == health.names.size(), "note_row: {} values of {} metrics", values.size(), health.names.size());
  health.windows.resize(health.names.size());
  std::vector<HealthNote> notes;
  look_for_spikes(health, step, values, notes);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) {
      continue;
    }
    std::deque<double>& window = health.windows[i];
    window.push_back(static_cast<double>(values[i]));
    if (window.size() > kHealthWindow) {
      window.pop_front();
    }
  }
  look_at_discriminator(health, step, notes);
  look_at_generator(health, step, notes);
  return notes;
}

std::vector<HealthNote> note_sheet(HealthOfSheets& health, std::int64_t step, double share) {
  std::vector<HealthNote> notes;
  health.was_diverse = health.was_diverse || (step >= kBegunStep && share >= kDiverse);
  const bool is_judged = health.was_diverse || step >= kMatureStep;
  const bool collapsed = is_judged && share < (health.is_collapsed ? kRecovered : kCollapsed);
  turn(health.is_collapsed, collapsed, Ailment::collapse,
       fmt::format(
           "step {}: kinds collapse: generated pictures differ only {:.2f} times as much as the data's, so that the "
           "same few come out for any latent; go back to a checkpoint before it (--resume --step), with "
           "loss.kind = \"relativistic\", loss.r1 and loss.r2, or a larger train.batch",
           step, share),
       notes);
  return notes;
}

double spread_within(std::span<const float> pictures, std::span<const int> groups) {
  const std::size_t count = groups.size(), size = count == 0 ? 0 : pictures.size() / count;
  const int group_count = count == 0 ? 0 : 1 + *std::max_element(groups.begin(), groups.end());
  double sum = 0;
  int counted = 0;
  for (int group = 0; group < group_count; ++group) {
    std::vector<double> first(size), second(size);
    double members = 0;
    for (std::size_t n = 0; n < count; ++n) {
      if (groups[n] != group) {
        continue;
      }
      ++members;
      for (std::size_t i = 0; i < size; ++i) {
        const double value = static_cast<double>(pictures[n * size + i]);
        first[i] += value;
        second[i] += value * value;
      }
    }
    if (members < 2) {
      continue;
    }
    ++counted;
    double deviations = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const double mean = first[i] / members;
      deviations += std::sqrt(std::max(0.0, second[i] / members - mean * mean));
    }
    sum += deviations / static_cast<double>(size);
  }
  return counted == 0 ? 0 : sum / counted;
}

}  // namespace duel
