// What is asked of a projection, and what came of it.
#pragma once

#include "host/config/device_request.h"
#include "host/data/decode_photographs.h"
#include "host/data/photograph_folder.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace duel {

inline constexpr int kMostProjected = 64;  // pictures of a call
inline constexpr int kMostStarts = 64;     // of a picture and class
inline constexpr int kMostProjectorSteps = 100'000;

struct ProjectionRequest {
  std::string run;
  std::vector<std::string> photographs;  // files and folders: picture_files.h
  // Beside them or instead: so many pictures of the run's own data, evenly from the first to the last.
  int training = 0, held_out = 0;
  std::string out;  // a folder that does not exist yet, or is empty
  int starts = 8;   // of each class
  int steps = 300;
  // Of a run by class: a class's name, "auto" to try all, or "": a picture of the data takes its own, others try all.
  std::string class_name;
  std::string features;    // "classifier:RUN", or "": pixels alone
  std::uint64_t seed = 0;  // of the starts: those of `duel generate --seed`
  std::optional<std::int64_t> step;
  bool raw = false;
  DeviceRequest where;
  std::function<void(const DecodeProgress&)> progress = {};
  std::function<void(int done, int all)> on_rows = {};  // starts that have come to their end
};

struct ProjectionStart {
  int number = 0;          // the start's; of a recipe with an encoder 0 is what that says
  std::string class_name;  // "" where the run knows none
  double loss = 0;         // projector.h
  double psnr = 0;         // decibels, of bytes
  double features = 0;     // 0 where none are compared
  double length = 0;       // |z|, of a latent as the generator knows them near the root of its numbers
};

struct ProjectionNeighbour {
  std::int64_t row = 0;
  std::string file;  // of a photograph
  bool is_mirrored = false;
  double psnr = 0;
};

struct ProjectedPicture {
  std::string name;                     // of its sheet, without .png
  std::string file;                     // as it was named; of the data "training picture 12", "held-out picture 3"
  std::string fold;                     // "training", "held out", "new", or "" where the data cannot be read
  std::vector<ProjectionStart> starts;  // the least loss first
  std::vector<ProjectionNeighbour> nearest;
  std::optional<double> mean_psnr;  // of the mean of all training pictures
};

struct Projection {
  std::string run;
  std::int64_t step = 0;
  std::string weights;
  int latent = 0;        // numbers
  std::string features;  // which are compared, or ""
  std::string data;      // its name, or ""
  std::vector<ProjectedPicture> pictures;
  std::vector<SkippedFile> unread;
  std::string comparison;  // training against held-out pictures, in a sentence, or ""
  std::vector<std::string> notes;
  double seconds = 0;
};

}  // namespace duel
