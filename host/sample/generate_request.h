// What `duel generate` can be asked for.
#pragma once

#include "host/config/device_request.h"
#include "host/sample/class_choice.h"

#include <cstdint>
#include <optional>
#include <string>

namespace duel {

struct GenerateRequest {
  std::string run;
  std::string out;  // a folder, or with `grid` a file *.png
  // Which pictures: one of the four.
  int count = 0;            // pictures 0, 1, 2.. of `seed`; with `grid` as many as it has places
  std::string seeds;        // "1,5,9-12": picture 0 of each of these seeds, as --seed 9 --count 1 draws it
  std::string interpolate;  // "3,8": from picture 0 of one seed to that of the next
  int steps_between = 8;    // pictures between two of `interpolate`
  std::string latents;      // a file of latents (latent_file.h): a picture of each, of its own classes unless said
  std::string grid;         // "8x8": rows and columns
  ClassRequest classes;     // of a run that knows some; pictures take them in turn, of a sheet its rows
  bool clear = false;       // of older pictures in `out`
  std::uint64_t seed = 0;
  std::optional<std::int64_t> step;  // of the checkpoint; the latest where there is none
  bool raw = false;                  // the generator as trained instead of its moving average
  DeviceRequest where;
};

inline constexpr int kMostPictures = 10'000'000;

}  // namespace duel
