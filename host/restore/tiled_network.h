// The network of a run that makes pictures of pictures (Recipe::translation), for pictures of any size.
#pragma once

#include "host/config/degradation.h"
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
  int inputs = 3, outputs = 3;  // channels; of inputs with the one that says which pixels are known, where there is one
  int scale = 1;
  bool has_holes = false;    // the last input says which pixels are known; of several jobs: one of them leaves holes
  int granule = 1;           // what the extents of a tile must be multiples of
  int least_side = 1;        // of a picture that it is given; one that is smaller than a tile is mirrored out to it
  PictureSize trained_on;    // of its inputs: a part, or a whole picture
  bool knows_parts = false;  // it was a part
  bool restores = false;     // it is of the recipe restore
  std::string degradation;   // of that recipe: "x2", "noise:25", or "pairs"
  // Of several degradations ("noise", "strokes"), and the place of the one that photographs are freed of.
  std::vector<std::string> jobs = {};
  std::size_t job = 0;

  // Pixels are to be completed, and all others come back.
  bool fills_holes() const { return has_holes && (jobs.empty() || leaves_holes(jobs[job])); }
};

// Throws kind `usage`, beginning with the run, for the run of a recipe that makes no picture of a picture.
// `job`: one of several, by its word; empty where the run knows one degradation alone. Kind `usage` where it does not
// fit.
RestorerForm restorer_form(const Options& options, const Recipe& recipe, const std::string& run,
                           const std::string& job = "");

class TiledNetwork {
public:
  // `tile`: the side of a tile in what is given, or 0: the size of the pictures that the network was trained on, and
  // where these were parts of pictures the least multiple with kLeastTile pixels a side. Throws kind `usage` where the
  // network takes no such tiles, `data` where the checkpoint is damaged, `device` where there is too little memory.
  TiledNetwork(Context& context, const RunDirectory& run, const std::filesystem::path& checkpoint, int tile,
               const std::string& job = "");
  static constexpr int kLeastTile = 128;

  const RestorerForm& form() const { return form_; }
  PictureSize tile() const { return tile_; }

  // The picture that it makes of one with its inputs' channels, all of them opaque where the job fills no holes. Where
  // pixels are missing the others come back as they are, and tiles in which none is missing do not pass through the
  // network.
  Picture restore(const Picture& given, const std::function<void(std::int64_t, std::int64_t)>& progress = {});

private:
  Sampling of_tiles(const Recipe& recipe, int tile, const std::string& job);
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
