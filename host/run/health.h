// What commonly goes wrong while networks are trained, told from the scalars of the steps and from the sheets, and said
// in one plain sentence each: what is seen, with the numbers, and what to try.
//
//   discriminator_wins  over 200 steps it told 99 % of both kinds rightly, or ordered 99.5 % of relativistic pairs
//   generator_frozen    the median of its gradient's norm over 200 steps is below a thousandth of what it was at most
//   gradients_spike     a network's gradient norm is 30 times the median of the 200 steps before
//   collapse            pictures of a sheet differ by less than a quarter of what the data do, after they differed by
//                       half of it behind step 500, or from step 2,000 on
//
// Each is said once, and again only after it had gone: when the discriminator errs in 3 %, the norm is above a
// hundredth, 200 steps passed without a spike, the pictures differ by more than 0.35 of what the data do. A process
// begins with empty windows: a run that goes on says again what is still so.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

namespace duel {

enum class Ailment : std::uint8_t { discriminator_wins, generator_frozen, gradients_spike, collapse };
inline constexpr std::size_t kAilments = 4;
const char* ailment_name(Ailment ailment);  // "discriminator_wins"

struct HealthNote {
  Ailment ailment;
  bool begins = true;  // otherwise it has gone
  std::string text;    // of one that begins
};

inline constexpr std::size_t kHealthWindow = 200;  // steps

// What is remembered of the rows.
struct HealthOfRows {
  std::vector<std::string> names = {};  // of the metrics
  // Whether the sign of a logit is the discriminator's opinion; it is not for a Wasserstein critic.
  bool has_opinions = true;
  std::vector<std::deque<double>> windows = {};  // of each metric, the newest last
  double greatest_norm = 0;                      // of the generator: median of a window
  std::int64_t last_spike = 0;                   // step
  std::array<bool, kAilments> present = {};
};

// Takes the row of the next step and returns what begins or goes with it. A metric that the step did not measure is not
// a number.
std::vector<HealthNote> note_row(HealthOfRows& health, std::int64_t step, std::span<const float> values);

// What is remembered of the sheets.
struct HealthOfSheets {
  bool was_diverse = false;
  bool is_collapsed = false;
};

// `share`: the spread of the sheet's pictures over that of the data.
std::vector<HealthNote> note_sheet(HealthOfSheets& health, std::int64_t step, double share);

// How far the pictures differ within their groups: the standard deviation of each element over the pictures of a group,
// its mean over elements and groups of two pictures and more. 0 where there is none. pictures [count, size]; groups:
// of each picture, from 0.
double spread_within(std::span<const float> pictures, std::span<const int> groups);

}  // namespace duel
