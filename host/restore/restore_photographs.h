// A person's photographs, of any size, put through the network of a run that makes pictures of pictures (the recipe
// `restore`, or any whose translation() keeps their size) and written as files of their kinds.
//
// One photograph and what comes of it lie in memory at a time, as bytes, and of the network's pictures a row of tiles
// (tiles.h). Opacity is enlarged by bicubic; where pixels were missing because they were transparent, they are opaque
// then.
#pragma once

#include "host/config/device_request.h"
#include "host/data/decode_photographs.h"
#include "host/data/photograph_folder.h"
#include "host/pictures/fit_picture.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace duel {

struct RestorePhotographs {
  // By a network of the recipe restore that enlarges, or that keeps the size; by any that keeps it.
  enum class Verb : std::uint8_t { enlarge, repair, translate };

  Verb verb = Verb::enlarge;
  std::string run, out;
  std::vector<std::string> files;    // photographs, and folders of them
  std::string job;                   // which of several degradations is to be undone: tiled_network.h
  std::string mask;                  // of what is missing in each: missing_pixels.h; may be empty
  std::optional<std::int64_t> step;  // of the checkpoint; the latest where there is none
  int tile = 0;                      // tiled_network.h
  bool draws_sheets = false;         // details before and after, in `out` too
  DeviceRequest where;
  std::function<void(const DecodeProgress&)> progress = {};  // in tiles of a photograph
};

struct RestoredPhotograph {
  std::string file, out;
  int width = 0, height = 0;  // of what was written
  std::string converted;      // what it was before its colours had to change, as "16 bits"; otherwise empty
};

struct RestoredPhotographs {
  std::int64_t step = 0;  // of the checkpoint
  int scale = 1;
  PictureSize tile;
  std::string became;  // what those that had to change became: "sRGB of 8 bits"
  std::vector<RestoredPhotograph> pictures;
  std::vector<SkippedFile> skipped;  // not restored
  std::vector<std::string> sheets;
};

// Throws kind `usage` for the run of another recipe, or one that another verb is for, a mask that it has no use for,
// and as plan_restoration() (restoration_files.h) and TiledNetwork do; kind `data` where nothing can be written into
// the folder, and where no photograph is left.
RestoredPhotographs restore_photographs(const RestorePhotographs& request);

}  // namespace duel
