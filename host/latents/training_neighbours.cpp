#include "host/latents/training_neighbours.h"

#include "host/data/in_parallel.h"
#include "host/data/photograph_source.h"
#include "host/metrics/picture_similarity.h"

#include <algorithm>
#include <cstddef>

namespace duel {

namespace {

constexpr std::int64_t kBlock = 256;  // rows that are read at once

using Pixels = std::vector<std::uint8_t>;

// Sums of squares of up to 2^15 bytes fit into 32 bits.
std::int64_t squared_difference(const std::uint8_t* a, const std::uint8_t* b, std::size_t count) {
  constexpr std::size_t kPart = std::size_t{1} << 15;
  std::int64_t sum = 0;
  for (std::size_t first = 0; first < count; first += kPart) {
    const std::size_t end = std::min(count, first + kPart);
    std::uint32_t part = 0;
    for (std::size_t i = first; i < end; ++i) {
      const int difference = int{a[i]} - int{b[i]};
      part += static_cast<std::uint32_t>(difference * difference);
    }
    sum += part;
  }
  return sum;
}

Picture mirrored(const Picture& picture) {
  Picture result = picture;
  const std::ptrdiff_t width = picture.width, channels = picture.channels;
  for (std::ptrdiff_t y = 0; y < picture.height; ++y) {
    for (std::ptrdiff_t x = 0; x < width; ++x) {
      std::copy_n(picture.pixels.begin() + (y * width + width - 1 - x) * channels, channels,
                  result.pixels.begin() + (y * width + x) * channels);
    }
  }
  return result;
}

struct Found {
  std::int64_t squares = 0, row = 0;
  bool is_mirrored = false;
  bool operator<(const Found& other) const {
    return squares != other.squares ? squares < other.squares : row < other.row;
  }
};

// Keeps the least `most` in order.
void take(std::vector<Found>& list, const Found& found, std::size_t most) {
  list.insert(std::upper_bound(list.begin(), list.end(), found), found);
  if (list.size() > most) {
    list.pop_back();
  }
}

std::string file_of(const Source& training, std::int64_t row) {
  const auto* photographs = dynamic_cast<const PhotographSource*>(&training);
  return photographs == nullptr
             ? ""
             : photographs->set().folder.pictures[photographs->set().training[static_cast<std::size_t>(row)]].file;
}

void read_rows(const Source& source, std::int64_t first, std::int64_t count, std::size_t bytes, Pixels& to) {
  const std::size_t field = field_index(source, "picture");
  to.resize(static_cast<std::size_t>(count) * bytes);
  for (std::int64_t row = 0; row < count; ++row) {
    source.read(first + row, field,
                std::as_writable_bytes(std::span(to)).data() + static_cast<std::size_t>(row) * bytes);
  }
}

}  // namespace

Picture picture_at(const Source& source, std::int64_t row) {
  const Shape shape = picture_shape(source);
  Picture picture{shape[1], shape[2], shape[3], Pixels(static_cast<std::size_t>(shape.count()))};
  source.read(row, field_index(source, "picture"), std::as_writable_bytes(std::span(picture.pixels)).data());
  return picture;
}

TrainingNeighbours find_training_neighbours(const Source& training, std::span<const Picture> pictures, int most,
                                            int threads) {
  const Shape shape = picture_shape(training);
  const auto bytes = static_cast<std::size_t>(shape.count());
  std::vector<Picture> turned;
  for (const Picture& each : pictures) {
    turned.push_back(mirrored(each));
  }
  std::vector<std::vector<Found>> found(pictures.size());
  std::vector<char> is_same(pictures.size());
  std::vector<std::int64_t> sums(bytes);
  Pixels rows;
  for (std::int64_t first = 0; first < training.count(); first += kBlock) {
    const std::int64_t count = std::min(training.count() - first, kBlock);
    read_rows(training, first, count, bytes, rows);
    for (std::size_t begin = 0; begin < rows.size(); begin += bytes) {
      for (std::size_t i = 0; i < bytes; ++i) {
        sums[i] += rows[begin + i];
      }
    }
    in_parallel(threads, std::ssize(pictures), [&](std::int64_t n) {
      const auto place = static_cast<std::size_t>(n);
      for (std::int64_t row = 0; row < count; ++row) {
        const std::uint8_t* its = rows.data() + static_cast<std::size_t>(row) * bytes;
        const std::int64_t upright = squared_difference(its, pictures[place].pixels.data(), bytes);
        const std::int64_t turned_round = squared_difference(its, turned[place].pixels.data(), bytes);
        if (upright == 0) {
          is_same[place] = 1;
        } else {
          take(found[place], {std::min(upright, turned_round), first + row, turned_round < upright},
               static_cast<std::size_t>(most));
        }
      }
    });
  }
  TrainingNeighbours result;
  result.is_training_picture.assign(is_same.begin(), is_same.end());
  result.mean = {shape[1], shape[2], shape[3], Pixels(bytes)};
  for (std::size_t i = 0; i < bytes; ++i) {
    result.mean.pixels[i] = static_cast<std::uint8_t>((sums[i] + training.count() / 2) / training.count());
  }
  for (std::size_t n = 0; n < pictures.size(); ++n) {
    std::vector<TrainingNeighbour>& its = result.nearest.emplace_back();
    for (const Found& each : found[n]) {
      const Picture upright = picture_at(training, each.row);
      TrainingNeighbour neighbour{each.row, each.is_mirrored, 0, each.is_mirrored ? mirrored(upright) : upright,
                                  file_of(training, each.row)};
      neighbour.psnr = psnr(neighbour.picture, pictures[n]);
      its.push_back(std::move(neighbour));
    }
  }
  return result;
}

std::vector<bool> are_rows_of(const Source& source, std::span<const Picture> pictures) {
  const auto bytes = static_cast<std::size_t>(picture_shape(source).count());
  std::vector<bool> is_one(pictures.size());
  Pixels rows;
  for (std::int64_t first = 0; first < source.count(); first += kBlock) {
    const std::int64_t count = std::min(source.count() - first, kBlock);
    read_rows(source, first, count, bytes, rows);
    for (std::size_t n = 0; n < pictures.size(); ++n) {
      for (std::size_t begin = 0; begin < rows.size() && !is_one[n]; begin += bytes) {
        is_one[n] = std::equal(pictures[n].pixels.begin(), pictures[n].pixels.end(),
                               rows.begin() + static_cast<std::ptrdiff_t>(begin));
      }
    }
  }
  return is_one;
}

}  // namespace duel
