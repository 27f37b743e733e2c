// How like the truth pictures are that a network made of a source's inputs, beside what the inputs themselves are: by
// nobody who has done nothing.
#pragma once

#include "host/data/source.h"
#include "host/pictures/png.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace duel {

// Of one picture beside the truth, of all channels, bytes against bytes.
struct PictureScore {
  double psnr = 0;     // decibels; of equal pictures kMostPsnr
  double ssim = 0;     // of pictures that are too small for it 0 (kSsimWindow)
  double missing = 0;  // psnr of the pixels alone that the input lacks; 0 where it lacks none
  double colour = 0;   // of itself (colourfulness.h), where the input is grey and the truth is not
};
inline constexpr int kScores = 4;  // numbers of a PictureScore

inline constexpr double kMostPsnr = 100;

// `row` of a source with the fields "picture" and "input".
PictureScore score_picture(const Source& source, std::int64_t row, const Picture& made);

// As HeldOutMeasure::reduce gives it, and of rows of those one behind the other.
std::vector<float> to_floats(const PictureScore& score);
std::vector<PictureScore> from_floats(std::span<const float> numbers);

PictureScore mean_of(const std::vector<PictureScore>& scores);  // missing: of those alone that lack any

// Of the rows that were spoilt by one of several degradations.
struct JobScores {
  std::string job;  // "noise"
  std::int64_t rows = 0;
  PictureScore made, given;
};

// Means over rows, and the share of rows whose own SSIM is above the given one's.
struct RestorationScores {
  std::int64_t rows = 0;
  PictureScore made, given;  // given: the input as shown_degraded() has it: enlarged by bicubic, holes filled
  double better = 0;         // the share of the pictures whose SSIM is above that of what was given
  bool has_ssim = true, has_missing = false, has_colour = false;
  double true_colour = 0;            // the mean colourfulness of the truth, where there is one to be made up
  std::vector<JobScores> jobs = {};  // where there are several

  double colour_share(const PictureScore& score) const { return true_colour > 0 ? score.colour / true_colour : 0; }
};

// `made`: of each row its score.
RestorationScores restoration_scores(const Source& source, const std::vector<PictureScore>& made, int threads);

// Two lines: "restored  31.20 dB, SSIM 0.9012 ..." and the same of what was given; then one for each of several jobs.
std::string to_text(const RestorationScores& scores);

}  // namespace duel
