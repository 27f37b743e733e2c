// How a picture looks, in 64 bits, so that pictures which look alike can be found among many.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace duel {

// The difference hash (N. Krawetz, "Kind of Like That", 2013): the picture's luma is averaged to 9 by 8 fields; bit
// 8*y + x says that field (x+1, y) is brighter than (x, y). `picture` is [height, width, channels], of 1, 3 or 4
// channels; opacity does not count. Pictures of less than 9 by 8 pixels repeat theirs.
std::uint64_t difference_hash(std::span<const std::uint8_t> picture, int height, int width, int channels);

// Pairs of places whose hashes differ in at most kNearBits, the first below the second, in order; of equal hashes only
// neighbours, as the rest follows. Hashes that differ in 4 bits agree in one of five parts, so only those that agree
// in a part are compared. The parts take every fifth bit: the empty upper edge of many pictures is in none of them
// alone.
inline constexpr int kNearBits = 4;
std::vector<std::pair<std::size_t, std::size_t>> near_pairs(std::span<const std::uint64_t> hashes);

}  // namespace duel
