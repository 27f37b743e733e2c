#include "host/data/picture_look.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <map>
#include <unordered_map>

namespace duel {

namespace {

constexpr int kColumns = 9, kRows = 8;

// The mean luma of a field, from `begin` to `end` (one pixel at least) of each axis; in 256ths of a level.
std::int64_t luma_of(std::span<const std::uint8_t> picture, int width, int channels, std::pair<int, int> down,
                     std::pair<int, int> across) {
  std::int64_t sum = 0;
  for (int y = down.first; y < down.second; ++y) {
    for (int x = across.first; x < across.second; ++x) {
      const std::uint8_t* pixel = picture.data() + (static_cast<std::ptrdiff_t>(y) * width + x) * channels;
      sum += channels < 3 ? 256 * pixel[0] : 77 * pixel[0] + 150 * pixel[1] + 29 * pixel[2];
    }
  }
  return sum / (std::int64_t{down.second - down.first} * (across.second - across.first));
}

std::pair<int, int> field_extent(int field, int fields, int pixels) {
  const int begin = field * pixels / fields;
  return {begin, std::max(begin + 1, (field + 1) * pixels / fields)};
}

constexpr int kParts = kNearBits + 1;

std::array<std::uint64_t, kParts> make_masks() {
  std::array<std::uint64_t, kParts> masks{};
  for (int bit = 0; bit < 64; ++bit) {
    masks[static_cast<std::size_t>(bit % kParts)] |= std::uint64_t{1} << bit;
  }
  return masks;
}

}  // namespace

std::uint64_t difference_hash(std::span<const std::uint8_t> picture, int height, int width, int channels) {
  std::uint64_t hash = 0;
  for (int y = 0; y < kRows; ++y) {
    const std::pair<int, int> down = field_extent(y, kRows, height);
    std::int64_t left = luma_of(picture, width, channels, down, field_extent(0, kColumns, width));
    for (int x = 0; x + 1 < kColumns; ++x) {
      const std::int64_t right = luma_of(picture, width, channels, down, field_extent(x + 1, kColumns, width));
      hash |= std::uint64_t{right > left} << (8 * y + x);
      left = right;
    }
  }
  return hash;
}

std::vector<std::pair<std::size_t, std::size_t>> near_pairs(std::span<const std::uint64_t> hashes) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  std::map<std::uint64_t, std::size_t> first, last;  // places of equal hashes
  for (std::size_t place = 0; place < hashes.size(); ++place) {
    const auto [found, is_new] = last.emplace(hashes[place], place);
    if (is_new) {
      first.emplace(hashes[place], place);
    } else {
      pairs.emplace_back(found->second, place);
      found->second = place;
    }
  }
  for (const std::uint64_t mask : make_masks()) {
    std::unordered_map<std::uint64_t, std::vector<std::pair<std::uint64_t, std::size_t>>> alike;
    for (const auto& [hash, place] : first) {
      auto& bucket = alike[hash & mask];
      for (const auto& [other, other_place] : bucket) {
        if (std::popcount(hash ^ other) <= kNearBits) {
          pairs.emplace_back(std::min(place, other_place), std::max(place, other_place));
        }
      }
      bucket.emplace_back(hash, place);
    }
  }
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  return pairs;
}

}  // namespace duel
