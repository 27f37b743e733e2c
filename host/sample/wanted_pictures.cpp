#include "host/sample/wanted_pictures.h"

#include "host/config/decimal.h"
#include "host/sample/latents.h"
#include "kernels/check.h"

#include <algorithm>
#include <string>

namespace duel {

namespace {

constexpr int kMostGrid = 256;

SheetShape parse_grid(const std::string& text) {
  const std::size_t times = text.find('x');
  const auto rows = decimal_integer<int>(text.substr(0, times));
  const auto columns = decimal_integer<int>(times == std::string::npos ? "" : text.substr(times + 1));
  if (!rows || !columns || std::min(*rows, *columns) < 1 || std::max(*rows, *columns) > kMostGrid) {
    throw_error(Error::Kind::usage, "--grid {}: must be ROWSxCOLUMNS, each from 1 to {}, for example 8x8", text,
                kMostGrid);
  }
  return {*rows, *columns};
}

}  // namespace

WantedPictures wanted_pictures(const GenerateRequest& request) {
  WantedPictures wanted;
  const bool is_list = !request.seeds.empty();
  wanted.is_way = !request.interpolate.empty();
  if (!request.grid.empty()) {
    wanted.grid = parse_grid(request.grid);
  }
  const int places = wanted.grid ? wanted.grid->rows * wanted.grid->columns : kMostPictures;
  wanted.count = wanted.grid ? places : request.count;
  if (is_list) {
    wanted.seeds = parse_seeds("--seeds", request.seeds, kMostPictures);
    std::vector<std::uint64_t> sorted = wanted.seeds;
    std::sort(sorted.begin(), sorted.end());
    if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end()) {
      throw_error(Error::Kind::usage, "--seeds {}: names seed {} twice", request.seeds, *twice);
    }
    wanted.count = static_cast<int>(wanted.seeds.size());
  } else if (wanted.is_way) {
    wanted.seeds = parse_seeds("--interpolate", request.interpolate, kMostPictures);
    if (wanted.seeds.size() < 2) {
      throw_error(Error::Kind::usage, "--interpolate {}: must be at least two seeds, for example 3,8",
                  request.interpolate);
    }
    const std::int64_t count = std::ssize(wanted.seeds) + (std::ssize(wanted.seeds) - 1) * request.steps_between;
    wanted.count = static_cast<int>(std::min<std::int64_t>(count, kMostPictures + 1));
  } else if (!request.latents.empty()) {
    wanted.latents = read_latents(request.latents);
    wanted.count = wanted.latents->count();
  } else if (wanted.count == 0) {
    throw_error(Error::Kind::usage,
                "generate: nothing says how many pictures; give --count, --seeds, --interpolate, --latents or --grid "
                "8x8");
  }
  if (wanted.count > places) {
    throw_error(Error::Kind::usage, "{}: {} pictures are more than the {} {}",
                wanted.latents ? "--latents " + request.latents
                : is_list      ? "--seeds " + request.seeds
                               : "--interpolate " + request.interpolate,
                wanted.count, places, wanted.grid ? "places of --grid " + request.grid : "that are drawn at once");
  }
  return wanted;
}

}  // namespace duel
