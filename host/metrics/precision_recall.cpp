#include "host/metrics/precision_recall.h"

#include "host/metrics/distances.h"
#include "host/metrics/row_blocks.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace duel {

namespace {

constexpr std::int64_t kRealRows = 256;

// What a real row sees of all generated ones, and generated rows of this one.
struct Seen {
  std::int64_t is_recalled = 0, is_covered = 0, inside = 0;
};

}  // namespace

PrecisionRecall precision_recall(const Features& real, const Features& generated, int threads) {
  check_comparable(real, generated);
  const std::vector<double> centre = mean_row(real);
  const DistanceRows reals(real, centre), fakes(generated, centre);
  constexpr std::array kBoth = {kPrecisionNeighbour, kDensityNeighbour};
  const std::vector<std::vector<double>> of_reals = squared_radii(reals, kBoth, threads);
  const std::vector<double> of_fakes = squared_radii(fakes, std::span(kBoth).first(1), threads)[0];

  const std::int64_t blocks = row_block_count(reals.count(), kRealRows);
  std::vector<Seen> seen(static_cast<std::size_t>(blocks));
  std::vector<std::vector<char>> is_precise(static_cast<std::size_t>(blocks));
  for_row_blocks(reals.count(), kRealRows, threads, [&](std::int64_t block, std::int64_t first, std::int64_t end) {
    const std::vector<double> distances = reals.squared_distances(first, end, fakes);
    Seen& sum = seen[static_cast<std::size_t>(block)];
    std::vector<char>& precise = is_precise[static_cast<std::size_t>(block)];
    precise.resize(static_cast<std::size_t>(fakes.count()));
    for (std::int64_t i = first; i < end; ++i) {
      const double narrow = of_reals[0][static_cast<std::size_t>(i)], wide = of_reals[1][static_cast<std::size_t>(i)];
      bool is_recalled = false;
      std::int64_t inside = 0;
      for (std::size_t j = 0; j < precise.size(); ++j) {
        const double distance = distances[static_cast<std::size_t>(i - first) * precise.size() + j];
        precise[j] = static_cast<char>(precise[j] != 0 || distance <= narrow);
        is_recalled = is_recalled || distance <= of_fakes[j];
        inside += distance <= wide ? 1 : 0;
      }
      sum.is_recalled += is_recalled ? 1 : 0;
      sum.is_covered += inside > 0 ? 1 : 0;
      sum.inside += inside;
    }
  });

  Seen all;
  std::vector<char> precise(static_cast<std::size_t>(fakes.count()));
  for (std::size_t block = 0; block < seen.size(); ++block) {
    all.is_recalled += seen[block].is_recalled;
    all.is_covered += seen[block].is_covered;
    all.inside += seen[block].inside;
    for (std::size_t j = 0; j < precise.size(); ++j) {
      precise[j] = static_cast<char>(precise[j] != 0 || is_precise[block][j] != 0);
    }
  }
  const auto real_count = static_cast<double>(reals.count()), fake_count = static_cast<double>(fakes.count());
  return {static_cast<double>(std::count(precise.begin(), precise.end(), 1)) / fake_count,
          static_cast<double>(all.is_recalled) / real_count,
          static_cast<double>(all.inside) / (kDensityNeighbour * fake_count),
          static_cast<double>(all.is_covered) / real_count};
}

}  // namespace duel
