// Whether a generator copies what it was trained on: how far each of its pictures is from the training picture nearest
// to it, beside the same of real pictures that it was not trained on. New pictures of the same kind are about as far
// from the training pictures as those are; copies are much nearer.
//
// The distance is the root of the mean squared difference of two pictures in 0..255, of pictures larger than
// kReducedSide brought to that by means of squares. Mirrored training pictures count too. Where nothing is held out,
// training pictures take the place of the real ones, each searched among the others.
//
// By pixels a copy that was moved or recoloured is not found. By the features of an extractor the distance is that of
// two rows of them; what it was trained on itself it may see otherwise than new pictures, held-out ones too.
#pragma once

#include "host/data/source.h"
#include "host/evaluate/extractor.h"
#include "host/evaluate/measured_set.h"
#include "host/evaluate/picture_set.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace duel {

struct MemorisedPair {
  std::int64_t generated = 0, training = 0;  // numbers of the pictures
  double distance = 0;
  bool is_mirrored = false;   // nearest when it is mirrored; never of features
  double psnr = 0, ssim = 0;  // of the two as they are, or mirrored; ssim 0 where no window fits
  std::string file = {};      // of the training picture, where it is one
};

struct Memorisation {
  std::int64_t generated = 0, real = 0, training = 0;  // pictures
  std::string real_text;                               // which real ones
  double median = 0, real_median = 0;                  // distance
  double ratio = 0;                                    // of the two; 0 where the real ones' is 0
  // How many generated and real ones are nearer than all but one in a hundred of the real ones.
  double share_near = 0, real_share_near = 0;
  std::vector<MemorisedPair> closest;  // of the generated ones, the nearest first; at most kClosestPairs
};
inline constexpr std::size_t kClosestPairs = 16;

// `generated` was measured as `set`. `held_out` may be null; otherwise its first pictures are taken.
Memorisation measure_memorisation(PictureSet& generated, const MeasuredSet& set, const Source& training,
                                  const Source* held_out, const Shape& picture, int threads);

// The same by the features of the extractor that `set` was measured by. All training pictures go through it.
Memorisation measure_memorisation_by_features(PictureSet& generated, const MeasuredSet& set, Extractor& extractor,
                                              const Source& training, const Source* held_out, const Shape& picture,
                                              int threads);

// Pairs beside one another, the generated picture to the left of the training picture.
Picture pair_sheet(std::span<const MemorisedPair> pairs, PictureSet& generated, const Source& training,
                   const Shape& picture);

}  // namespace duel
