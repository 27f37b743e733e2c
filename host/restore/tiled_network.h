// The network of a run that makes pictures of pictures (Recipe::translation), for pictures of any size.
#pragma once

#include "host/config/options.h"
#include "host/pictures/fit_picture.h"
#include "host/pictures/png.h"
#include "host/run/run_directory.h"
#include "host/sample/loaded_sampling.h"
#include "host/sample/sampler.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace duel {

// What such a network is for.
struct RestorerForm {
  int inputs = 3, outputs = 3;  // channels
  int scale = 1;
  bool has_holes = false;    // the last input says which pixels are known
  int granule = 1;           // what the extents of a tile must be multiples of
  int least_side = 1;        // of a picture that it is given; one that is smaller than a tile is mirrored out to it
  PictureSize trained_on;    // of its inputs: a part, or a whole picture
  bool knows_parts = false;  // it was a part
  bool restores = false;     // it is of the recipe restore
  std::string degradation;   // of that recipe: "x2", "noise:25", or "pairs"
};

// Throws kind `usage`, beginning with the run, for the run of a recipe that makes no picture of a picture.
RestorerForm restorer_form(const Options& options, const Recipe& recipe, const std::string& run);

class TiledNetwork {
public:
  // `tile`: the side of a tile in what is given, or 0: the size of the pictures that the network was trained on, and
  // where these were parts of pictures the least multiple with kLeastTile pixels a side. Throws kind `usage` where the
  // network takes no such tiles, `data` where the checkpoint is damaged, `device` where there is too little memory.
  TiledNetwork(Context& context, const RunDirectory& run, const std::filesystem::path& checkpoint, int tile);
  static constexpr int kLeastTile = 128;

  const RestorerForm& form() const { return form_; }
  PictureSize tile() const { return tile_; }

  // The picture that it makes of one with its inputs' channels. Where pixels are missing the others come back as they
  // are, and tiles in which none is missing do not pass through the network.
  Picture restore(const Picture& given, const std::function<void(std::int64_t, std::int64_t)>& progress = {});

private:
  Sampling of_tiles(const Recipe& recipe, int tile);
  std::vector<float> run(std::span<const std::uint8_t> tiles);

  Context& context_;
  Options options_;
  std::string run_;
  RestorerForm form_;
  PictureSize tile_;
  std::optional<LoadedSampling> loaded_;
  std::optional<RowSampler> sampler_;
};

}  // namespace duel
