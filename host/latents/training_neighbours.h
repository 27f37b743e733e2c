// Which training pictures are nearest to pictures that are given, and how near: what a projection has to be better
// than, or at least as good as, before it says anything about the generator. By the mean squared difference of all
// pixels; training pictures that are mirrored count too. One that is the given picture itself does not.
#pragma once

#include "host/data/source.h"
#include "host/pictures/png.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace duel {

struct TrainingNeighbour {
  std::int64_t row = 0;
  bool is_mirrored = false;
  double psnr = 0;        // decibels
  Picture picture = {};   // mirrored where it is
  std::string file = {};  // of a photograph
};

struct TrainingNeighbours {
  std::vector<std::vector<TrainingNeighbour>> nearest;  // of each picture, the nearest first
  std::vector<bool> is_training_picture;                // one of the rows is the same
  Picture mean;                                         // of all training pictures
};

// `most` neighbours of each. The pictures are of the source's size.
TrainingNeighbours find_training_neighbours(const Source& training, std::span<const Picture> pictures, int most,
                                            int threads);

// Of each picture whether a row of the source is the same.
std::vector<bool> are_rows_of(const Source& source, std::span<const Picture> pictures);

Picture picture_at(const Source& source, std::int64_t row);  // of the field "picture"

}  // namespace duel
